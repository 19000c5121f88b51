import pytest

from rendermodules.render_ws.settings import Limits


@pytest.fixture
def stack(client, tile):
    """Layers 1, 2 and 2.5; two sections in layer 2."""
    path = client.create("s")
    client.put(
        path,
        tile("a", 1, groupId="g"),
        tile("b", 1, x=90),
        tile("c", 2),
        tile("d", 2, x=90, layout={"sectionId": "2.1"}),
        tile("e", 2.5),
    )
    return path


@pytest.mark.parametrize("spelling", ["2", "2.0", "2.000000", "2e0", "+2"])
def test_z_is_a_number_however_it_is_written(client, stack, spelling):
    found = client.ok("GET", f"{stack}/z/{spelling}/tileBounds")
    assert [box["tileId"] for box in found] == ["c", "d"]
    assert found[1] == {
        "tileId": "d", "sectionId": "2.1", "z": 2.0, "minX": 90.0, "minY": 0.0, "maxX": 190.0, "maxY": 80.0
    }  # fmt: skip


@pytest.mark.parametrize("spelling", ["two", "1_0", "nan", "inf", "1e999", "", "2,5"])
def test_what_is_no_number_is_refused(client, stack, spelling):
    assert client.status("GET", f"{stack}/z/{spelling}/tileBounds") in (400, 404)
    assert client.status("GET", f"{stack}/zValues?minZ={spelling}") == 400


def test_layers_and_ranges(client, stack):
    assert client.ok("GET", f"{stack}/zValues") == [1.0, 2.0, 2.5]
    assert client.ok("GET", f"{stack}/zValues?minZ=1.5&maxZ=2") == [2.0]
    assert client.ok("GET", f"{stack}/z/1/bounds") == {
        "minX": 0.0, "minY": 0.0, "minZ": 1.0, "maxX": 190.0, "maxY": 80.0, "maxZ": 1.0
    }  # fmt: skip
    assert client.ok("GET", f"{stack}/tileIds?minZ=2") == ["c", "d", "e"]
    assert client.ok("GET", f"{stack}/section/2.1/tileBounds")[0]["tileId"] == "d"
    assert client.ok("GET", f"{stack}/z/1/box/0,0,95,10/tile-count") == 2
    assert client.ok("GET", f"{stack}/z/1/box/0,0,50,10/tile-count") == 1
    assert client.ok("GET", f"{stack}/z/9/tileBounds") == []
    for empty in ("bounds", "tile-specs"):
        assert client.status("GET", f"{stack}/z/9/{empty}") == 400
    assert client.status("GET", f"{stack}/z/9/resolvedTiles") == 404


def test_missing_stacks_are_404_or_empty_as_in_java(client):
    path = "/owner/owner/project/project/stack/none"
    for question in ("zValues", "z/1/bounds", "z/1/tileBounds", "z/1/tile-specs", "z/1/resolvedTiles", "resolvedTiles"):
        assert client.status("GET", f"{path}/{question}") == 404, question
    assert client.ok("GET", f"{path}/tileIds") == []
    assert client.ok("PUT", f"{path}/tile-specs-with-ids", ["t"]) == []


def test_volumes(client, stack):
    def ids(query):
        return sorted(client.ok("GET", f"{stack}/resolvedTiles?{query}")["tileIdToSpecMap"])

    assert ids("") == ["a", "b", "c", "d", "e"]
    assert ids("minZ=2&maxZ=2") == ["c", "d"]
    assert ids("groupId=g") == ["a"]
    assert ids("minX=150") == ["b", "d"]
    assert ids("matchPattern=[ae]") == ["a", "e"]
    assert client.status("GET", f"{stack}/resolvedTiles?minZ=7") == 404


def test_patterns_find_and_cannot_run_away(client, tile):
    path = client.create("s")
    client.put(path, tile("t1_a"), tile("t1_b"), tile("a" * 40))
    assert client.ok("GET", f"{path}/tileIds?matchPattern=t1.*") == ["t1_a", "t1_b"]
    assert client.ok("GET", f"{path}/tileIds?matchPattern=_b$") == ["t1_b"]
    for wild in ("(a%2B)%2B$b", "(a|aa)%2B$b", "a*a*a*a*a*a*a*a*b", "[", "x" * 1000):
        assert client.status("GET", f"{path}/tileIds?matchPattern={wild}") == 400


def test_tiles_by_id(client, stack):
    found = client.ok("PUT", f"{stack}/tile-specs-with-ids", ["e", "nope", "a", "a"])
    assert [tile["tileId"] for tile in found] == ["a", "e"]
    assert client.status("PUT", f"{stack}/tile-specs-with-ids", {"no": "list"}) == 400


def test_moving_and_deleting(client, stack):
    client.ok("PUT", f"{stack}/section/1.0/z", 7)
    assert client.ok("GET", f"{stack}/tile/a")["z"] == 7.0
    client.ok("PUT", f"{stack}/z/8.5/tileIds", ["a", "nope"])
    assert client.ok("GET", f"{stack}/zValues") == [2.0, 2.5, 7.0, 8.5]
    client.ok("DELETE", f"{stack}/section/2.1")
    client.ok("DELETE", f"{stack}/z/7")
    client.ok("DELETE", f"{stack}/tile/e")
    assert client.ok("GET", f"{stack}/tileIds") == ["a", "c"]
    assert (
        client.status("PUT", f"{stack}/section/1.0/z", data="null", headers={"Content-Type": "application/json"}) == 400
    )


def test_layers_of_a_put_must_agree_with_its_path(client, stack, tile):
    body = {"tileIdToSpecMap": {"n": tile("n", 3)}}
    assert client.status("PUT", f"{stack}/z/4/resolvedTiles", body) == 400
    client.ok("PUT", f"{stack}/z/3.0/resolvedTiles", body)


def test_answers_are_bounded(connect, stack):
    client = connect(limits=Limits(tiles=4))
    answer = client.send("GET", f"{stack}/resolvedTiles")
    assert (answer.status_code, "limit is 4" in answer.text) == (413, True)
    assert client.status("GET", f"{stack}/z/1/tile-specs") == 200


def test_clones(client, stack, tile):
    target = f"{stack[:-1]}c"
    client.ok("PUT", f"{stack}/cloneTo/c?z=1&z=2.5&z=99", {"versionNotes": "clone"})
    assert client.ok("GET", f"{target}/zValues") == [1.0, 2.5]
    client.put(target, tile("a", 5))
    assert client.ok("GET", f"{target}/tile/a")["z"] == 5.0
    assert client.ok("GET", f"{stack}/tile/a")["z"] == 1.0
    # again into the same: what is cloned replaces what was there
    client.ok("PUT", f"{stack}/cloneTo/c", {})
    assert client.ok("GET", f"{target}/tileIds") == ["a", "b", "c", "d", "e"]
    assert client.ok("GET", f"{target}/tile/a")["z"] == 1.0
    client.complete(target)
    assert client.status("PUT", f"{stack}/cloneTo/c", {}) == 409
    client.ok("PUT", f"{stack}/cloneTo/c?toProject=other", {})
    assert len(client.ok("GET", "/owner/owner/project/other/stack/c/tileIds")) == 5


def test_clones_are_whole_or_not_at_all_in_strict_mode(client, strict_client, stack):
    client.ok("PUT", f"{stack}/cloneTo/c?z=1", {})
    for query in ("", "?z=1&z=2"):
        assert strict_client.status("PUT", f"{stack}/cloneTo/c{query}", {}) == 500
    assert client.ok("GET", f"{stack[:-1]}c/zValues") == [1.0]
    strict_client.ok("PUT", f"{stack}/cloneTo/c?z=2", {})
    assert client.ok("GET", f"{stack[:-1]}c/zValues") == [1.0, 2.0]
