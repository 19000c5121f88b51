import pytest

from rendermodules.render_ws.migration import Choice, MigrationError, export_projects, import_projects
from rendermodules.render_ws.remote import RequestFailed
from rendermodules.render_ws.store.maintenance import main

M = "/owner/owner/matchCollection/m"


@pytest.fixture
def filled(client, tile, translation, store):
    """Two stacks and a collection, with what is hard to carry along."""
    path = client.create("s", stackResolutionX=4.0, versionNotes="notes")
    shared = {**translation(5, 5), "id": "a lens"}
    spec = tile("b ö'", z=1020.1, layout={"sectionId": "x"}, meshCellSize=32.0, note=[1])
    spec["transforms"]["specList"].insert(0, {"type": "ref", "refId": "a lens"})
    client.put(path, spec, tile("a", z=3), transforms=(shared,))
    client.complete(path)
    client.ok("PUT", f"{path}/state/READ_ONLY")
    client.put(client.create("odd name. .."), tile("t", z=-1))
    pair = {"pGroupId": "1 x", "pId": "a", "qGroupId": "2", "qId": "b"}
    pairs = [{**pair, "matches": {"p": [[0.1], [2]], "q": [[3], [4]], "w": [1]}}, {**pair, "pId": "c", "qGroupId": "0"}]
    client.ok("PUT", f"{M}/matches", pairs)
    return store


def everything(client):
    """All that a service answers about the stacks and matches of the test."""
    found = {}
    for metadata in client.ok("GET", "/owner/owner/stacks"):
        stack = metadata["stackId"]["stack"]
        path = f"/owner/owner/project/project/stack/{stack}"
        kept = {name: metadata.get(name) for name in ("state", "currentVersion", "stats")}
        layers = {z: client.ok("GET", f"{path}/z/{z}/resolvedTiles") for z in client.ok("GET", f"{path}/zValues")}
        found[stack] = (kept, layers)
    for group in ("0", "2"):
        found[group] = client.ok("GET", f"{M}/group/{group}/matchesOutsideGroup")
    return found


def test_what_goes_out_comes_in_again(client, connect, filled, tmp_path):
    export_projects(str(filled), tmp_path / "export", Choice())
    import_projects(tmp_path / "export", str(tmp_path / "other.db"))
    before = everything(client)
    other = connect(store=tmp_path / "other.db")
    assert everything(other) == before
    assert before["s"][0]["state"] == "READ_ONLY"
    assert len(before) == 4


def test_a_choice_of_it(filled, connect, tmp_path):
    export_projects(str(filled), tmp_path / "export", Choice(owner="owner", stacks=["s"], with_matches=False))
    assert main(["import", str(tmp_path / "export"), str(tmp_path / "other.db")]) == 0
    other = connect(store=tmp_path / "other.db")
    assert [one["stack"] for one in other.ok("GET", "/owner/owner/stackIds")] == ["s"]
    assert other.ok("GET", "/owner/owner/matchCollections") == []


def test_what_cannot_be_exported_is_named_and_keeps_nothing_back(client, connect, filled, tmp_path, caplog):
    client.ok("PUT", "/owner/owner/project/project/stack/s/cloneTo/dangling?skipTransforms=true", {})
    client.ok("PUT", M[:-1] + "n/matches", [{"pGroupId": "a/b", "pId": "a", "qGroupId": "z", "qId": "b"}])
    assert main(["export", str(filled), str(tmp_path / "export")]) == 1
    assert "stack/dangling" in caplog.text
    assert "a/b" in caplog.text
    assert main(["import", str(tmp_path / "export"), str(tmp_path / "other.db")]) == 0
    other = connect(store=tmp_path / "other.db")
    assert sorted(one["stack"] for one in other.ok("GET", "/owner/owner/stackIds")) == ["odd name. ..", "s"]
    assert [one["collectionId"]["name"] for one in other.ok("GET", "/owner/owner/matchCollections")] == ["m"]


def test_names_may_be_longer_than_those_of_files(client, connect, store, tile, tmp_path):
    long = "\N{SNOWMAN}" * 200
    client.put(client.create(long), tile("t"))
    client.create(long[:-1] + "!")
    export_projects(str(store), tmp_path / "export", Choice())
    import_projects(tmp_path / "export", str(tmp_path / "other.db"))
    stacks = connect(store=tmp_path / "other.db").ok("GET", "/owner/owner/stackIds")
    assert {one["stack"] for one in stacks} == {long, long[:-1] + "!"}


def test_nothing_is_overwritten(client, filled, tmp_path, caplog):
    folder = tmp_path / "export"
    assert main(["export", str(filled), str(folder)]) == 0
    assert main(["export", str(filled), str(folder)]) == 1
    assert "is not empty" in caplog.text
    before = everything(client)
    with pytest.raises(MigrationError, match="exists already; nothing was imported"):
        import_projects(folder, str(filled))
    assert everything(client) == before
    with pytest.raises(MigrationError, match="no export"):
        import_projects(tmp_path, str(filled))


def test_a_service_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestFailed, match="GET owners"):
        export_projects("http://127.0.0.1:9", tmp_path / "export", Choice())
