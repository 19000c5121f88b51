import pytest

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
NEW = ["--transformId", "new", "--transformClass", AFFINE, "--transformData", "1,0,0,1,-100,1000"]


@pytest.fixture
def path(client, tile):
    path = client.create("s", stackResolutionX=4.0, versionNotes="source")
    client.put(path, tile("a", 1, 10, 20), tile("b", 2, 30, 40))
    client.complete(path)
    return path


def box(tile):
    return tile["minX"], tile["minY"]


def test_a_shared_transform_is_appended(run, client, path, sections):
    run("TransformSectionClient", *NEW, "--targetProject", "other", "--targetStack", "t", 1, 2, stack="s")
    target = "/owner/owner/project/other/stack/t"
    found = sections(target)
    assert [box(found[1.0]["a"]), box(found[2.0]["b"])] == [(-90, 1020), (-70, 1040)]
    assert found[1.0]["a"]["transforms"]["specList"][1] == {"type": "ref", "refId": "new"}
    metadata = client.ok("GET", target)
    assert (metadata["state"], metadata["currentVersion"]["stackResolutionX"]) == ("LOADING", 4.0)
    assert box(sections(path)[1.0]["a"]) == (10, 20)
    # what was interrupted is simply started again
    run("TransformSectionClient", *NEW, "--targetProject", "other", "--targetStack", "t", 1, 2, stack="s")
    assert sections(target) == found


@pytest.mark.parametrize(
    ("words", "place", "count"),
    [
        (["--transformApplicationMethod", "REPLACE_LAST"], (-100, 1000), 1),
        (["--replaceLast"], (-100, 1000), 1),
        (["--transformApplicationMethod", "PRE_CONCATENATE_LAST"], (-90, 1020), 1),
        (["--transformApplicationMethod", "INSERT_AS_FIRST"], (-90, 1020), 2),
    ],
)
def test_other_places(run, client, path, sections, words, place, count):
    run("TransformSectionClient", *NEW, *words, 1, stack="s")
    found = sections(path)[1.0]["a"]
    assert (box(found), len(found["transforms"]["specList"])) == (place, count)
    assert client.ok("GET", path)["state"] == "LOADING"


def test_it_is_not_applied_twice(run, path, sections, capsys):
    run("TransformSectionClient", *NEW, 1, stack="s")
    run("TransformSectionClient", *NEW, 1, stack="s", status=1)
    assert "have the transform new already" in capsys.readouterr().err
    assert box(sections(path)[1.0]["a"]) == (-90, 1020)


def test_refusals(run, client, path, capsys):
    for words, message in (
        ([*NEW[:-1], "1,2", 1], "6"),
        ([*NEW, "--replaceLast", "--transformApplicationMethod", "APPEND", 1], "contradicts"),
        ([*NEW, 9], "404"),
    ):
        run("TransformSectionClient", *words, "--targetStack", "t", stack="s", status=1)
        assert message in capsys.readouterr().err


def test_invalid_tiles_stay_behind(run, client, path, drawn_tile, sections):
    client.ok("PUT", f"{path}/state/LOADING")
    client.put(path, drawn_tile("drawn", 1))
    validator = ["--validatorClass", "org.janelia.alignment.spec.validator.TemTileSpecValidator"]
    limits = ["--validatorData", "minSize:1,minCoordinate:-1e4"]
    run("TransformSectionClient", *NEW, *validator, *limits, "--targetStack", "t", 1, stack="s")
    assert list(sections("/owner/owner/project/project/stack/t")[1.0]) == ["drawn"]
