import json

import pytest

TARGET = "/owner/owner/project/other/stack/t"


@pytest.fixture
def path(client, tile, translation):
    path = client.create("s", stackResolutionX=4.0)
    lens = translation(5, 5, id="lens")
    spec = tile("a", 1, 10, 20, layout={"sectionId": "1.0", "stageX": 700.0, "stageY": -3.0})
    spec["transforms"]["specList"].insert(0, {"type": "ref", "refId": "lens"})
    again = tile("b", 1, 100, 20, layout={"sectionId": "1.1", "stageX": 0.0, "stageY": 0.0})
    client.put(path, spec, again, tile("c", 2, 10, 30), transforms=(lens,))
    client.complete(path)
    return path


@pytest.fixture
def copy(run, path):
    def copy(*words, status=0):
        names = ["--project", "project", "--fromStack", "s", "--toProject", "other", "--toStack", "t"]
        run("CopyStackClient", *names, *words, status=status)

    return copy


def ids(found):
    return {z: sorted(tiles) for z, tiles in found.items()}


def box(tile):
    return tile["minX"], tile["minY"]


def test_a_whole_stack(copy, client, sections, path):
    copy("--completeToStackAfterCopy")
    assert sections(TARGET) == sections(path)
    metadata = client.ok("GET", TARGET)
    assert (metadata["state"], metadata["currentVersion"]["stackResolutionX"]) == ("COMPLETE", 4.0)


def test_a_choice_of_tiles(copy, client, tile, sections, tmp_path):
    copy("--z", 1, "--excludedTileIds", "b")
    assert ids(sections(TARGET)) == {1.0: ["a"]}
    (tmp_path / "ids.json").write_text(json.dumps(["b", "c"]))
    copy("--includedTileIdsJson", tmp_path / "ids.json", "--keepExisting")
    assert ids(sections(TARGET)) == {1.0: ["a", "b"], 2.0: ["c"]}
    client.put(client.create("some"), tile("a", 1), tile("x", 2))
    copy("--excludeTileIdsMissingFromStacks", "some")
    assert ids(sections(TARGET)) == {1.0: ["a"]}


def test_changes_on_the_way(copy, sections, client):
    copy("--moveToOrigin", "--addToZ", 10)
    found = sections(TARGET)
    assert ids(found) == {11.0: ["a", "b"], 12.0: ["c"]}
    assert [box(found[11.0]["a"]), box(found[11.0]["b"]), box(found[12.0]["c"])] == [(5, 5), (90, 0), (0, 10)]
    client.ok("DELETE", TARGET)
    copy("--replaceLastTransformWithStage", "--splitMergedSections", "--z", 1)
    found = sections(TARGET)
    assert ids(found) == {1.0: ["a"], 1.1: ["b"]}
    assert box(found[1.0]["a"]) == (705, 2)


def test_refusals(copy, client, run, capsys):
    copy("--replaceLastTransformWithStage", status=1)
    assert "tile c has no stageX" in capsys.readouterr().err
    run("CopyStackClient", "--project", "project", "--fromStack", "s", "--toStack", "s", status=1)
    assert "onto itself" in capsys.readouterr().err
    copy("--z", 8, status=1)
