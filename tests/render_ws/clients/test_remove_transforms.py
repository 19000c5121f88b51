import pytest

TARGET = "/owner/owner/project/project/stack/t"


@pytest.fixture
def path(client, tile, translation):
    path = client.create("s")
    spec = tile("a", 1, 10, 20)
    spec["transforms"]["specList"] += [translation(100, 0), {"type": "ref", "refId": "shared"}]
    client.put(path, spec, tile("b", 2), transforms=(translation(0, 1000, id="shared"),))
    return path


@pytest.mark.parametrize(("words", "place"), [([], (110, 20)), (["--numberOfTransforms", 2], (10, 20))])
def test_the_last_ones_go(run, client, path, sections, words, place):
    run("TransformRemovalClient", "--targetStack", "t", *words, "--completeTargetStack", 1, stack="s")
    found = sections(TARGET)
    assert list(found) == [1.0]
    assert (found[1.0]["a"]["minX"], found[1.0]["a"]["minY"]) == place
    assert client.ok("GET", TARGET)["state"] == "COMPLETE"


def test_refusals(run, path, capsys):
    run("TransformRemovalClient", "--targetStack", "s", 1, stack="s", status=1)
    assert "must be another stack" in capsys.readouterr().err
    run("TransformRemovalClient", "--targetStack", "t", "--numberOfTransforms", 0, 1, stack="s", status=1)
    run("TransformRemovalClient", "--targetStack", "t", "--numberOfTransforms", 2, 2, stack="s", status=1)
    assert "1 tiles at z 2.0 have fewer than 2 transforms: b" in capsys.readouterr().err
