import json

import pytest

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {
    "type": "leaf",
    "id": "lens",
    "className": AFFINE,
    "dataString": "1 0 0 1 3 2",
    "metaData": {"labels": ["lens"]},
}
REFERENCE = {"type": "ref", "refId": "lens"}


def raw(client, path, body):
    return client.send("PUT", f"{path}/resolvedTiles", data=body, headers={"Content-Type": "application/json"})


def one_tile(**members):
    tile = {
        "tileId": "t",
        "z": 1,
        "width": 100,
        "height": 80,
        "transforms": {"type": "list", "specList": []},
        **members,
    }
    return json.dumps({"tileIdToSpecMap": {"t": tile}}).encode()


def test_what_the_client_sent_comes_back_with_the_box_derived(client):
    path = client.create("s")
    spec = (
        b'{ "tileId" : "t","z":1, "width":100.0,"height":8e1, "frame":[1, 2 ,{"a":null}],"transforms":{"specList":[]} }'
    )
    raw(client, path, b'{"tileIdToSpecMap":{"other key":%b}}' % spec)
    answer = client.send("GET", f"{path}/tile/t").content
    # byte for byte, members that nobody knows too
    assert answer.startswith(spec[:-2])
    derived = {"minX": 0.0, "minY": 0.0, "maxX": 100.0, "maxY": 80.0, "meshCellSize": 64.0}
    assert json.loads(answer) == {**json.loads(spec), **derived}
    # put back as it came, it is the same
    raw(client, path, b'{"tileIdToSpecMap":{"t":%b}}' % answer)
    assert client.ok("GET", f"{path}/tile/t") == json.loads(answer)


def test_given_boxes_are_not_believed_but_in_strict_mode(client, strict_client, tile):
    path = client.create("s")
    lie = {"minX": 7.0, "minY": 7.0, "maxX": 9.0, "maxY": 9.0}
    client.put(path, tile("t", x=50, **lie, meshCellSize=32.0))
    assert client.ok("GET", f"{path}/z/1/bounds")["minX"] == 50.0
    assert client.ok("GET", f"{path}/tile/t")["meshCellSize"] == 32.0
    strict_client.put(path, tile("t", x=50, **lie))
    assert client.ok("GET", f"{path}/z/1/bounds")["minX"] == 7.0
    assert strict_client.status("PUT", f"{path}/resolvedTiles", {"tileIdToSpecMap": {"t": tile("t")}}) == 400
    strict_client.ok("PUT", f"{path}/resolvedTiles?deriveData=true", {"tileIdToSpecMap": {"t": tile("t", x=50, **lie)}})
    assert client.ok("GET", f"{path}/z/1/bounds")["minX"] == 50.0


def test_strict_mode_drops_what_java_does_not_know(strict_client, tile):
    path = strict_client.create("s")
    given = tile("t", frameId="x", groupId=None, layout={"sectionId": "1", "extra": 1}, channels=[{"name": "A"}])
    given["transforms"]["specList"][0] |= {"note": 1, "metaData": {"labels": ["a"], "other": 2}}
    strict_client.ok("PUT", f"{path}/resolvedTiles?deriveData=true", {"tileIdToSpecMap": {"t": given}})
    kept = strict_client.ok("GET", f"{path}/tile/t")
    assert kept.keys().isdisjoint({"frameId", "groupId"})
    assert kept["layout"] == {"sectionId": "1"}
    assert kept["channels"] == [{"name": "A", "minIntensity": 0.0, "maxIntensity": 255.0}]
    assert kept["transforms"]["specList"][0].keys() == {"type", "className", "dataString", "metaData"}
    assert kept["transforms"]["specList"][0]["metaData"] == {"labels": ["a"]}


def test_references_are_kept_and_resolved_when_asked(client, tile, translation):
    path = client.create("s")
    nested = {
        "type": "list",
        "id": "both",
        "specList": [REFERENCE, translation(5, 5)],
        "metaData": {"labels": ["group"]},
    }
    spec = tile("t")
    spec["transforms"]["specList"] = [{"type": "ref", "refId": "both"}, translation(100, 0)]
    client.put(path, spec, tile("plain"), transforms=(LENS, nested))
    assert client.ok("GET", f"{path}/tile/t")["transforms"] == spec["transforms"]
    flat = {one["tileId"]: one for one in client.ok("GET", f"{path}/z/1/tile-specs")}
    leaves = flat["t"]["transforms"]["specList"]
    assert [leaf["dataString"] for leaf in leaves] == ["1 0 0 1 3 2", "1 0 0 1 5 5", "1 0 0 1 100 0"]
    assert [leaf.get("metaData", {}).get("labels") for leaf in leaves] == [["lens", "group"], ["group"], None]
    assert (flat["t"]["minX"], flat["t"]["minY"]) == (108.0, 7.0)
    resolved = client.ok("GET", f"{path}/z/1/resolvedTiles")
    # what tiles refer to, and what that refers to
    assert resolved["transformIdToSpecMap"] == {"both": nested, "lens": LENS}
    assert resolved["tileIdToSpecMap"].keys() == {"t", "plain"}
    assert client.ok("GET", f"{path}/transform/lens") == LENS
    assert client.status("GET", f"{path}/transform/none") == 404


def test_references_to_what_the_stack_has_already_are_fine_but_in_strict_mode(client, strict_client, tile):
    path = client.create("s")
    spec = tile("t")
    spec["transforms"]["specList"] = [REFERENCE]
    assert client.status("PUT", f"{path}/resolvedTiles", {"tileIdToSpecMap": {"t": spec}}) == 400
    client.put(path, tile("first"), transforms=(LENS,))
    client.put(path, spec)
    assert client.ok("GET", f"{path}/tile/t")["minX"] == 3.0
    answer = strict_client.send("PUT", f"{path}/resolvedTiles?deriveData=true", {"tileIdToSpecMap": {"t": spec}})
    assert (answer.status_code, "lens" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"tileIdToSpecMap":{}}',
        b'{"tileIdToSpecMap":{"t":null}}',
        b'{"tileIdToSpecMap":{"t":"text"}}',
        b'{"tileIdToSpecMap":{"t":{"tileId":"\xff"}}}',
        b'{"tileIdToSpecMap":{"t":{"tileId":"\\ud800","z":1}}}',
        one_tile(tileId=None),
        one_tile(tileId=""),
        one_tile(tileId="a\0b"),
        one_tile(tileId=["t"]),
        one_tile(z=None),
        one_tile(z="one"),
        one_tile(width=None),
        one_tile(width=-1),
        one_tile(meshCellSize=-1),
        one_tile(transforms=[]),
        one_tile(transforms={"specList": [7]}),
        one_tile(transforms={"specList": [{"type": "ref"}]}),
        one_tile(transforms={"specList": [{"type": "list", "specList": 7}]}),
        one_tile(transforms={"specList": [{"type": "interpolated", "a": LENS}]}),
        one_tile(transforms={"specList": [{**LENS, "className": "no.such.Class"}]}),
        one_tile(transforms={"specList": [{**LENS, "dataString": "1 0 0 1 3"}]}),
        one_tile(transforms={"specList": [{**LENS, "dataString": "1 0 0 1 NaN 0"}]}),
        one_tile(transforms={"specList": [{**LENS, "dataString": "1 0 0 1 1e999 0"}]}),
        one_tile(transforms={"specList": [{**LENS, "dataString": 7}]}),
        one_tile().replace(b'"z": 1', b'"z": 1e999'),
        one_tile().replace(b'"specList": []', b'"specList": ' + b"[" * 5000 + b"]" * 5000),
        one_tile().replace(b"[]", b'[{"type":"list","specList":' * 3000 + b"[]" + b"}]" * 3000),
    ],
)
def test_what_is_no_tile_is_refused_and_nothing_is_kept(client, tile, body):
    path = client.create("s")
    answer = raw(client, path, body)
    assert answer.status_code == 400, answer.text
    assert answer.text
    assert client.ok("GET", f"{path}/tileIds") == []


def test_tiles_beyond_all_places_are_refused(client, strict_client, tile):
    path = client.create("s")
    for far in (tile("far", x=1e16), tile("far", z=1e16), tile("far", z=-1e300)):
        answer = client.send("PUT", f"{path}/resolvedTiles", {"tileIdToSpecMap": {"a": tile("a"), "far": far}})
        assert (answer.status_code, "far" in answer.text) == (400, True)
    box = {"minX": 0, "minY": 0, "maxX": 1e300, "maxY": 1}
    assert strict_client.status("PUT", f"{path}/resolvedTiles", {"tileIdToSpecMap": {"a": {**tile("a"), **box}}}) == 400
    client.put(path, tile("a", z=1e15, x=1e14))
    assert client.status("PUT", f"{path}/z/1e16/tileIds", ["a"]) == 400
    assert client.ok("GET", f"{path}/zValues") == [1e15]
    assert client.ok("GET", f"{path}/tile/a/render-parameters")["x"] == 1e14


def test_one_bad_tile_keeps_the_others_out(client, tile):
    path = client.create("s")
    body = {"tileIdToSpecMap": {"a": tile("a"), "b": {**tile("b"), "width": None}}}
    answer = client.send("PUT", f"{path}/resolvedTiles", body)
    assert (answer.status_code, "tile b" in answer.text) == (400, True)
    assert client.ok("GET", f"{path}/tileIds") == []


def test_circles_of_references_end(client, tile):
    path = client.create("s")
    loop = (
        {"type": "ref", "id": "a", "refId": "b"},
        {"type": "list", "id": "b", "specList": [{"type": "ref", "refId": "a"}]},
    )
    spec = tile("t")
    spec["transforms"]["specList"] = [{"type": "ref", "refId": "a"}]
    body = {"tileIdToSpecMap": {"t": spec}, "transformIdToSpecMap": {one["id"]: one for one in loop}}
    answer = client.send("PUT", f"{path}/resolvedTiles", body)
    assert (answer.status_code, "circle" in answer.text) == (400, True)


def test_dangling_references_fail_when_they_are_needed(client, tile, translation):
    path = client.create("s")
    spec = tile("t")
    spec["transforms"]["specList"] = [{"type": "ref", "refId": "shared"}]
    client.put(path, spec, transforms=({**translation(1, 1), "id": "shared"},))
    client.put(path, tile("u"), transforms=({"type": "ref", "id": "shared", "refId": "gone"},))
    for question in (
        "z/1/tile-specs",
        "z/1/resolvedTiles",
        "tile/t/render-parameters",
        "z/1/box/0,0,9,9,1/render-parameters",
    ):
        answer = client.send("GET", f"{path}/{question}")
        assert (answer.status_code, "t" in answer.text) == (422, True), question
    assert client.status("GET", f"{path}/tile/t") == 200
