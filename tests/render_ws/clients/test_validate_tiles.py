import pytest

WARPED = "org.janelia.alignment.spec.validator.WarpedTileSpecValidator"


@pytest.fixture
def path(client, drawn_tile, tile, translation):
    path = client.create("s")
    stretched = translation(0, 0, dataString="30 0 0 1 0 0")
    warped = drawn_tile("warped", transforms={"type": "list", "specList": [stretched]})
    client.put(path, drawn_tile("good"), tile("no image"), warped, drawn_tile("other", z=2))
    client.complete(path)
    return path


def test_tiles_are_reported(run, client, path, caplog):
    run("ValidateTilesClient", 1, 2, stack="s")
    assert "invalid tile no image" in caplog.text
    assert "invalid tile warped" not in caplog.text
    assert "1 invalid tiles in 2 layers" in caplog.text
    assert client.ok("GET", path)["state"] == "COMPLETE"


def test_tiles_are_removed(run, client, path, sections, caplog):
    limits = ["--validatorClass", WARPED, "--validatorData", "minSize:1"]
    run("ValidateTilesClient", *limits, "--removeInvalidTiles", "1.0", stack="s")
    assert "invalid tile warped: is warped by" in caplog.text
    assert {z: list(tiles) for z, tiles in sections(path).items()} == {1.0: ["good"], 2.0: ["other"]}
    assert client.ok("GET", path)["state"] == "LOADING"


def test_layers_must_be_named_and_exist(run, path, capsys):
    run("ValidateTilesClient", stack="s", status=1)
    run("ValidateTilesClient", 7, stack="s", status=1)
    assert "zValues is missing" in capsys.readouterr().err
