import gzip
import json

import pytest

from rendermodules.render_ws.clients import coordinates


@pytest.fixture
def path(client, tile):
    path = client.create("s")
    client.put(path, tile("a", 1, 10, 20), tile("b", 1, 60, 20))
    return path


def test_to_tiles_and_back(run, path, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(coordinates, "_POINTS_AT_ONCE", 2)
    worlds = [[15, 25], [70, 30], [5000, 5000]]
    (tmp_path / "in.json").write_text(json.dumps([{"world": world} for world in worlds]))
    words = ["--z", 1, "--numberOfThreads", 4, "--fromJson"]
    run("CoordinateClient", *words, tmp_path / "in.json", "--toJson", tmp_path / "local.json", stack="s")
    found = json.loads((tmp_path / "local.json").read_text())
    assert [[entry["tileId"] for entry in entries] for entries in found[:2]] == [["a"], ["a", "b"]]
    assert found[1][1] == {"tileId": "b", "visible": True, "local": [10.0, 10.0, 1.0]}
    assert "no tile specifications found" in found[2][0]["error"]
    assert "1 of 3 points could not be mapped" in caplog.text
    back = ["--toJson", tmp_path / "world.json.gz", "--localToWorld"]
    run("CoordinateClient", *words, tmp_path / "local.json", *back, stack="s")
    again = json.loads(gzip.decompress((tmp_path / "world.json.gz").read_bytes()))
    assert [entry.get("world") for entry in again] == [[15.0, 25.0, 1.0], [70.0, 30.0, 1.0], [5000.0, 5000.0]]
    assert [entry.get("tileId") for entry in again] == ["a", "b", None]


def test_flat_lists_are_taken_too(run, path, tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([{"tileId": "b", "local": [1, 2]}]))
    words = ["--z", 1, "--fromJson", tmp_path / "in.json", "--toJson", tmp_path / "out.json", "--localToWorld"]
    run("CoordinateClient", *words, stack="s")
    assert json.loads((tmp_path / "out.json").read_text()) == [{"tileId": "b", "world": [61.0, 22.0, 1.0]}]


def test_entries_that_are_no_coordinates(run, path, tmp_path, capsys):
    words = ["--z", 1, "--fromJson", tmp_path / "in.json", "--toJson", tmp_path / "out.json", "--localToWorld"]
    (tmp_path / "in.json").write_text("[[], null, {}, [null]]")
    run("CoordinateClient", *words, stack="s")
    assert all("error" in one for one in json.loads((tmp_path / "out.json").read_text()))
    (tmp_path / "in.json").write_text('[{"tileId": "a", "local": [1, 2]}, [5]]')
    run("CoordinateClient", *words, stack="s", status=1)
    assert "in.json: entry 1: neither coordinates nor a list of them" in capsys.readouterr().err


def test_refusals(run, path, tmp_path, capsys):
    (tmp_path / "in.json").write_text("{}")
    words = ["--z", 1, "--fromJson", tmp_path / "in.json", "--toJson", tmp_path / "out.json"]
    run("CoordinateClient", *words, stack="s", status=1)
    assert "no list of coordinates" in capsys.readouterr().err
    (tmp_path / "in.json").write_text("[]")
    run("CoordinateClient", *words, stack="gone", status=1)
    assert not (tmp_path / "out.json").exists()
