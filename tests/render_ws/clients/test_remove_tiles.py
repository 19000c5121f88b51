import json

import pytest

BOX = ["--keepMinX", 0, "--keepMinY", 0, "--keepMaxX", 150, "--keepMaxY", 150]


@pytest.fixture
def path(client, tile):
    path = client.create("s")
    tiles = [tile("b", 1), tile("c", 1, 300), tile("d", 1, 120, 120), tile("e", 2, 300)]
    client.put(path, tile("a", 1, 5, 5, width=20.0, height=20.0), *tiles)
    client.complete(path)
    return path


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--tileId", "a", "e", "gone"], "bcd"),
        (["--hiddenTilesWithZ", 1], "bcde"),
        (["--keepZ", 1, *BOX], "abde"),
        (["--keepZ", 1, *BOX, "--tileId", "e"], "abd"),
    ],
)
def test_tiles_go(run, client, path, words, left, caplog):
    run("TileRemovalClient", *words, stack="s")
    assert f"removed {5 - len(left)} tiles" in caplog.text
    assert ("has no tile gone" in caplog.text) == ("gone" in words)
    assert client.ok("GET", f"{path}/tileIds") == sorted(left)
    assert client.ok("GET", path)["state"] == "LOADING"


def test_a_list_and_nothing(run, client, path, tmp_path, caplog, capsys):
    run("TileRemovalClient", stack="s")
    assert "there is nothing to remove" in caplog.text
    assert client.ok("GET", path)["state"] == "COMPLETE"
    (tmp_path / "ids.json").write_text(json.dumps(["c", "d"]))
    run("TileRemovalClient", "--tileIdJson", tmp_path / "ids.json", stack="s")
    assert client.ok("GET", f"{path}/tileIds") == ["a", "b", "e"]
    (tmp_path / "ids.json").write_text("{}")
    run("TileRemovalClient", "--tileIdJson", tmp_path / "ids.json", stack="s", status=1)
    assert "no list of tile ids" in capsys.readouterr().err
    run("TileRemovalClient", "--keepZ", 1, stack="s", status=1)
    assert "belong together" in capsys.readouterr().err
