import json

import pytest


@pytest.fixture
def path(client, tile):
    path = client.create("s")
    client.put(path, tile("a", 1), tile("b", 1), tile("c", 2))
    client.complete(path)
    return path


def test_tiles_move(run, client, path, sections, tmp_path):
    (tmp_path / "object.json").write_text(json.dumps({"a": 3}))
    (tmp_path / "list.json").write_text(json.dumps([{"tileId": "b", "z": 3.0}, {"tileId": "c", "z": 4}]))
    run("ImportTileZValuesClient", tmp_path / "object.json", tmp_path / "list.json", stack="s")
    assert {z: sorted(tiles) for z, tiles in sections(path).items()} == {3.0: ["a", "b"], 4.0: ["c"]}
    assert client.ok("GET", path)["state"] == "LOADING"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "neither"),
        ('{"a": "high"}', "neither"),
        ("3", "neither"),
        ('{"a": 5, "gone": 5}', "lacks 1 of the tiles: gone"),
    ],
)
def test_refusals(run, client, path, sections, tmp_path, content, message, capsys):
    (tmp_path / "z.json").write_text(content)
    run("ImportTileZValuesClient", tmp_path / "z.json", stack="s", status=1)
    assert message in capsys.readouterr().err
    assert client.ok("GET", path)["state"] == "COMPLETE"
    assert list(sections(path)) == [1.0, 2.0]
