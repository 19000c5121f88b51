import json

import pytest

TARGET = "/owner/owner/project/project/stack/t"


@pytest.fixture
def path(client, tile, translation):
    path = client.create("s", stackResolutionZ=35.0)
    lens = translation(5, 5, id="lens")
    spec = tile("a", 1, 10, 20)
    spec["transforms"]["specList"].insert(0, {"type": "ref", "refId": "lens"})
    client.put(path, spec, tile("b", 1), tile("c", 2, 1, 1), tile("d", 3), transforms=(lens,))
    client.complete(path)
    return path


@pytest.fixture
def changes(tmp_path, translation):
    def changes(*tile_ids):
        entries = [{"tileId": tile_id, "transform": translation(1000, 0)} for tile_id in tile_ids]
        (tmp_path / "changes.json").write_text(json.dumps(entries))
        return tmp_path / "changes.json"

    return changes


def test_changed_tiles_only(run, client, path, changes, sections):
    words = ["--targetStack", "t", "--transformFile", changes("a", "c")]
    run("ImportTransformChangesClient", *words, stack="s")
    found = sections(TARGET)
    assert {z: sorted(tiles) for z, tiles in found.items()} == {1.0: ["a"], 2.0: ["c"]}
    a = found[1.0]["a"]
    assert a["transforms"]["specList"][0] == {"type": "ref", "refId": "lens"}
    assert (a["minX"], found[2.0]["c"]["minX"]) == (1005, 1000)
    metadata = client.ok("GET", TARGET)
    assert (metadata["state"], metadata["currentVersion"]["stackResolutionZ"]) == ("LOADING", 35.0)


def test_modes(run, path, changes, sections):
    for mode, place in (("APPEND", 1015), ("CONCATENATE_TO_LAST", 1015), ("REPLACE_ALL", 1000)):
        words = ["--targetStack", "t", "--transformFile", changes("a"), "--changeMode", mode]
        run("ImportTransformChangesClient", *words, stack="s")
        assert sections(TARGET)[1.0]["a"]["minX"] == place


@pytest.mark.parametrize(
    ("tile_ids", "message"), [(["a", "a"], "tile a comes twice"), (["a", "x"], "lacks 1 of the tiles: x"), ([], "no")]
)
def test_refusals(run, client, path, changes, tile_ids, message, capsys):
    words = ["--targetStack", "t", "--transformFile", changes(*tile_ids)]
    run("ImportTransformChangesClient", *words, stack="s", status=1)
    assert message in capsys.readouterr().err
    assert client.status("GET", TARGET) == 404


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (5, "no list of"),
        ({"className": "no.Such", "dataString": "1"}, "tile a: leaf transform of class no.Such"),
        ({"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": "1 0 0 1 7"}, "must have 6 numbers"),
        ({"type": "ref", "refId": "gone"}, "tile a refers to the shared transform gone, which is not there"),
    ],
)
def test_transforms_that_cannot_be_understood(run, client, path, tmp_path, transform, message, capsys):
    (tmp_path / "changes.json").write_text(json.dumps([{"tileId": "a", "transform": transform}]))
    words = ["--targetStack", "t", "--transformFile", tmp_path / "changes.json"]
    run("ImportTransformChangesClient", *words, stack="s", status=1)
    assert message in capsys.readouterr().err
