import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import renderapi
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
from rendermodules.render_ws.routing import PREFIX


def owners_through(adapter):
    session = requests.Session()
    session.mount(EMBEDDED_URL, adapter)
    return session.get(f"{EMBEDDED_URL}{PREFIX}/owners", timeout=10).json()


def put_layer(adapter, z):
    session = requests.Session()
    session.mount(EMBEDDED_URL, adapter)
    tiles = {
        f"{z}_{i}": {"tileId": f"{z}_{i}", "z": z, "width": 10, "height": 10, "transforms": {"specList": []}}
        for i in range(20)
    }
    url = f"{EMBEDDED_URL}{PREFIX}/owner/owner/project/project/stack/s/resolvedTiles"
    return session.put(url, json={"tileIdToSpecMap": tiles}, timeout=60).status_code


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_it_works_pickled_into_processes(client, store, start_method):
    path = client.create("s")
    adapter = pickle.loads(pickle.dumps(EmbeddedAdapter(store)))
    # the parent has the store open, which a forked child must not close for it
    assert owners_through(adapter) == ["owner"]
    with multiprocessing.get_context(start_method).Pool(2) as pool:
        assert pool.starmap(put_layer, [(adapter, float(z)) for z in range(8)]) == [201] * 8
    assert client.ok("GET", f"{path}/zValues") == [float(z) for z in range(8)]


def test_threads_have_connections_of_their_own(client, store):
    path = client.create("s")
    adapter = EmbeddedAdapter(store)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda z: put_layer(adapter, float(z)), range(12))) == {201}
    assert len(client.ok("GET", f"{path}/zValues")) == 12


def test_a_store_that_was_replaced_is_opened_again(client, store):
    client.create("s")
    assert client.ok("GET", "/owners") == ["owner"]
    for file in store.parent.iterdir():
        file.unlink()
    assert client.ok("GET", "/owners") == []


def test_an_unusable_place_is_an_answer_with_the_reason(connect, tmp_path):
    (tmp_path / "text.db").write_text("no database, and long enough to be looked at as one " * 40)
    session = requests.Session()
    for place, reason in (("text.db", "not a store"), ("no/where.db", "no folder")):
        session.mount(EMBEDDED_URL, EmbeddedAdapter(tmp_path / place))
        answer = session.get(f"{EMBEDDED_URL}{PREFIX}/owners", timeout=10)
        assert (answer.status_code, reason in answer.text) == (500, True)


def test_ids_of_every_kind_can_be_addressed(client, tile):
    path = client.create("s")
    ids = ["a b", "t.5,1:x", "t#1", "t'q", "t+p", "t%25c", "t?q", "tä", "😀", '"', "\\", "%"]
    client.put(path, *(tile(id) for id in ids))
    for id in ids:
        assert client.ok("GET", f"{path}/tile/{requests.utils.quote(id, safe='')}/")["tileId"] == id
    assert client.ok("GET", f"{path}/tileIds") == sorted(ids)


def test_render_python_works_on_it(client, store, tile):
    render = renderapi.render.Render(
        host=EMBEDDED_URL, port=None, owner="owner", project="project", client_scripts="", session=client.session
    )
    renderapi.stack.create_stack("s", render=render)
    specs = [
        renderapi.tilespec.TileSpec(json={**tile(f"t{x}", x=x), "minIntensity": 0, "maxIntensity": 9}) for x in (0, 90)
    ]
    renderapi.resolvedtiles.put_tilespecs("s", renderapi.resolvedtiles.ResolvedTiles(specs, []), render=render)
    renderapi.stack.set_stack_state("s", "COMPLETE", render=render)
    assert renderapi.stack.get_stack_bounds("s", render=render)["maxX"] == 190
    found = renderapi.tilespec.get_tile_specs_from_z("s", 1.0, render=render)
    assert [spec.tileId for spec in found] == ["t0", "t90"]
    locals_ = renderapi.coordinate.world_to_local_coordinates("s", 1, 95, 20, render=render)
    assert [(one["tileId"], one["local"][:2]) for one in locals_] == [("t0", [95, 20]), ("t90", [5, 20])]
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.tilespec.get_tile_specs_from_z("s", 7.0, render=render)
    matches = [
        {"pGroupId": "1.0", "pId": "t90", "qGroupId": "1.0", "qId": "t0"}
        | {"matches": {"p": [[1.5, 2], [3, 4]], "q": [[5, 6], [7, 8]], "w": [1, 1]}}
    ]
    renderapi.pointmatch.import_matches("m", matches, render=render)
    (pair,) = renderapi.pointmatch.get_matches_within_group("m", "1.0", render=render)
    assert (pair["pId"], pair["matches"]["q"]) == ("t0", [[1.5, 2.0], [3.0, 4.0]])
