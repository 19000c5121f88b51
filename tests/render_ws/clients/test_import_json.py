import gzip
import json
import zipfile

import pytest


def test_files_of_every_kind_are_imported(run, client, tile, translation, sections, tmp_path):
    path = client.create("s")
    client.put(path, tile("old", z=3))
    client.complete(path)
    spec = tile("a", z=2)
    spec["transforms"]["specList"].insert(0, {"type": "ref", "refId": "lens"})
    (tmp_path / "plain.json").write_text(json.dumps([spec]))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps([tile("b", z=2, x=50)]).encode()))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("c.json", json.dumps([tile("c", z=4)]))
    (tmp_path / "shared.json").write_text(json.dumps([translation(5, 6, id="lens"), translation(1, 1, id="other")]))
    files = [tmp_path / name for name in ("plain.json", "b.json.gz", "c.zip")]
    run("ImportJsonClient", "--transformFile", tmp_path / "shared.json", *files, stack="s")
    found = sections(path)
    assert {z: sorted(tiles) for z, tiles in found.items()} == {2.0: ["a", "b"], 3.0: ["old"], 4.0: ["c"]}
    assert found[2.0]["a"]["transforms"]["specList"][0] == {"type": "ref", "refId": "lens"}
    assert (found[2.0]["a"]["minX"], found[2.0]["a"]["minY"], found[2.0]["b"]["maxX"]) == (5, 6, 150)
    assert client.ok("GET", path)["state"] == "LOADING"
    assert client.status("GET", f"{path}/transform/other") == 404


def test_invalid_tiles_stay_behind(run, client, drawn_tile, tile, sections, tmp_path, caplog, capsys):
    path = client.create("s")
    tiles = [drawn_tile("good", x=20), drawn_tile("far", x=3000), drawn_tile("low", y=-30), tile("no image")]
    (tmp_path / "tiles.json").write_text(json.dumps(tiles))
    validator = ["--validatorClass", "org.janelia.alignment.spec.validator.TemTileSpecValidator", "--validatorData"]
    limits = "minCoordinate:-5,maxCoordinate:1000,minSize:50,maxSize:200"
    run("ImportJsonClient", *validator, limits, tmp_path / "tiles.json", stack="s")
    assert list(sections(path)[1.0]) == ["good"]
    for reason in ("invalid tile far: maxX", "invalid tile low: minX", "invalid tile no image: file:/nowhere"):
        assert reason in caplog.text
    run("ImportJsonClient", *validator, "minSize:150", tmp_path / "tiles.json", stack="s", status=1)
    assert "none of the tiles is valid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--validatorClass", "Nothing"], "there is no validator Nothing"),
        (
            ["--validatorClass", "org.janelia.alignment.spec.validator.TemTileSpecValidator", "--validatorData", "a:1"],
            "--validatorData: limits of tiles are minCoordinate",
        ),
        (["/nowhere.json"], "No such file"),
        (["--transformFile", "/nowhere.json", "x"], "No such file"),
    ],
)
def test_refusals(run, client, words, message, capsys):
    client.create("s")
    run("ImportJsonClient", *words, stack="s", status=1)
    assert message in capsys.readouterr().err


def test_a_stack_that_does_not_exist(run, tile, tmp_path, capsys):
    (tmp_path / "tiles.json").write_text(json.dumps([tile("a")]))
    run("ImportJsonClient", tmp_path / "tiles.json", stack="gone", status=1)
    assert "404" in capsys.readouterr().err
