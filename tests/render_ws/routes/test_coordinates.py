import numpy as np
import pytest

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def stack(client, tile):
    path = client.create("s")
    mirror = tile("m", z=2)
    mirror["transforms"]["specList"] = [{"className": AFFINE, "dataString": "-1 0 0 1 99 0"}]
    client.put(path, tile("a"), tile("b", x=90), mirror)
    return path


def test_points_go_to_the_world_and_back(client, stack):
    assert client.ok("GET", f"{stack}/tile/b/local-to-world-coordinates/5,20") == {
        "tileId": "b",
        "world": [95.0, 20.0, 1.0],
    }
    assert client.ok("GET", f"{stack}/z/1/world-to-local-coordinates/95,20") == [
        {"tileId": "a", "local": [95.0, 20.0, 1.0]},
        {"tileId": "b", "visible": True, "local": [5.0, 20.0, 1.0]},
    ]
    assert client.status("GET", f"{stack}/z/1/world-to-local-coordinates/900,20") == 400
    # the outermost strip is in the box, but not in the mesh
    assert client.status("GET", f"{stack}/z/1/world-to-local-coordinates/190,80") == 422
    assert client.status("GET", f"{stack}/tile/none/local-to-world-coordinates/5,20") == 404


def test_mirrored_tiles_are_found_but_in_strict_mode(client, strict_client, stack):
    question = f"{stack}/z/2/world-to-local-coordinates/9,20"
    np.testing.assert_allclose(client.ok("GET", question)[0]["local"], [90, 20, 2], atol=1e-9)
    assert strict_client.status("GET", question) == 500


def test_batches_answer_each_item_by_itself(client, stack):
    items = [{"tileId": "a", "local": [1, 2]}, {"tileId": "none", "local": [1, 2]}, {"tileId": "m", "local": [0, 0, 5]}]
    items += [{"local": [1, 2]}, {"tileId": "a"}, {"tileId": "a", "local": [1]}, None]
    answers = client.ok("PUT", f"{stack}/z/1/local-to-world-coordinates", items)
    assert answers[0] == {"tileId": "a", "world": [1.0, 2.0, 1.0]}
    assert answers[2] == {"tileId": "m", "world": [99.0, 0.0, 2.0]}
    assert [sorted(answer) for answer in answers[1:2] + answers[3:]] == [
        ["error", "local", "tileId"], ["error", "local"], ["error", "tileId"], ["error", "local", "tileId"], ["error"]
    ]  # fmt: skip
    worlds = [{"world": [95, 20]}, {"world": [900, 20]}, {"world": [190, 80]}, {}, {"tileId": "x", "world": [1]}, None]
    found = client.ok("PUT", f"{stack}/z/1/world-to-local-coordinates", worlds)
    assert [[item.get("tileId") for item in one] for one in found] == [
        ["a", "b"],
        [None],
        [None],
        [None],
        ["x"],
        [None],
    ]
    assert all("error" in one[0] for one in found[1:])
    by_z = client.ok(
        "PUT",
        f"{stack}/world-to-local-coordinates",
        [{"world": [95, 20, 1]}, {"world": [9, 20, 2]}, {"world": [9, 20]}],
    )
    assert [one[-1].get("tileId") for one in by_z] == ["b", "m", None]


def test_tiles_at_points(client, stack):
    found = client.ok("PUT", f"{stack}/z/1/tileIdsForCoordinates", [{"world": [90, 0]}, {"world": [500, 500]}])
    assert found == [
        [{"tileId": "a", "world": [90.0, 0.0]}, {"tileId": "b", "world": [90.0, 0.0]}],
        [{"world": [500.0, 500.0]}],
    ]
    assert client.status("PUT", f"{stack}/z/1/tileIdsForCoordinates", [{}]) == 400
    assert client.status("PUT", f"{stack}/tileIdsForCoordinates", [{"world": [1, 2]}]) == 400


def test_many_points_agree_with_single_ones(client, stack):
    points = np.random.default_rng(1).uniform([-20, -20], [220, 100], (200, 2)).round(3).tolist()
    found = client.ok("PUT", f"{stack}/z/1/world-to-local-coordinates", [{"world": point} for point in points])
    for point, one in list(zip(points, found, strict=True))[::20]:
        answer = client.send("GET", f"{stack}/z/1/world-to-local-coordinates/{point[0]},{point[1]}")
        assert (answer.status_code == 200) == ("error" not in one[0])
        if answer.status_code == 200:
            assert answer.json() == one


def test_points_between_stacks_and_of_loose_specs(client, stack, tile):
    other = client.create("other")
    client.put(other, tile("b", z=4, x=1000))
    mapped = client.ok("GET", f"{stack}/z/1/world-coordinates/95,20/mapped-to-stack/other")
    assert mapped == {"tileId": "b", "world": [1005.0, 20.0, 4.0]}
    assert client.status("GET", f"{stack}/z/1/world-coordinates/15,20/mapped-to-stack/other") == 404
    spec = tile("loose", x=7)
    assert client.ok("PUT", "/owner/o/local-to-world-coordinates/1,2", spec) == [8.0, 2.0, 1.0]
    local = client.ok("PUT", "/owner/o/world-to-local-coordinates/8,2?meshCellSize=16", spec)
    np.testing.assert_allclose(local, [1, 2, 1], atol=1e-9)
    assert client.status("PUT", "/owner/o/world-to-local-coordinates/800,2", spec) == 422
    assert client.status("PUT", "/owner/o/world-to-local-coordinates/8,2", [spec]) == 400


def test_unknown_stacks_answer_as_java_does(client):
    path = "/owner/owner/project/project/stack/none"
    assert "error" in client.ok("PUT", f"{path}/z/1/local-to-world-coordinates", [{"tileId": "t", "local": [0, 0]}])[0]
    assert "error" in client.ok("PUT", f"{path}/z/1/world-to-local-coordinates", [{"world": [0, 0]}])[0][0]
    assert client.ok("PUT", f"{path}/z/1/tileIdsForCoordinates", [{"world": [0, 0]}]) == [[{"world": [0.0, 0.0]}]]
    assert client.status("GET", f"{path}/z/1/world-to-local-coordinates/1,1") == 400
    assert client.status("GET", f"{path}/tile/t/local-to-world-coordinates/1,1") == 404


def leaf(name, numbers):
    return {"type": "leaf", "className": f"mpicbg.trakem2.transform.{name}", "dataString": numbers}


def with_transforms(spec, *specs):
    return {**spec, "transforms": {"type": "list", "specList": list(specs)}}


def test_a_tile_that_cannot_be_understood_spoils_no_other(client, tile):
    path = client.create("s")
    shared = {"id": "shared", **leaf("AffineModel2D", "1 0 0 1 0 0")}
    client.put(
        path, with_transforms(tile("a"), {"type": "ref", "refId": "shared"}), tile("b", x=50), transforms=[shared]
    )
    broken = {"id": "shared", **leaf("AffineModel2D", "1 0 0 nan 0 0")}
    client.put(path, tile("c", z=2), transforms=[broken])
    both, only_a = client.ok("PUT", f"{path}/z/1/world-to-local-coordinates", [{"world": [60, 5]}, {"world": [5, 5]}])
    assert both == [{"tileId": "b", "visible": True, "local": [10.0, 5.0, 1.0]}]
    assert "found in tile id(s) [a] cannot be inverted; tile a: leaf transform 'shared'" in only_a[0]["error"]
    assert client.status("GET", f"{path}/z/1/world-to-local-coordinates/5,5") == 422


def test_places_that_are_not_finite_are_errors(client, tile):
    path = client.create("s")
    spec = with_transforms(tile("horizon"), leaf("HomographyModel2D", "1 0 0 0 1 0 0.02 0 1"))
    client.put(path, spec)
    items = [{"tileId": "horizon", "local": [-50, 5]}, {"tileId": "horizon", "local": [0, 5]}]
    lost, found = client.ok("PUT", f"{path}/z/1/local-to-world-coordinates", items)
    assert lost.pop("error") == "tile horizon: its transforms take (-50.0, 5.0) to no finite place"
    assert (lost, found["world"]) == (items[0], [0.0, 5.0, 1.0])
    assert client.status("GET", f"{path}/tile/horizon/local-to-world-coordinates/-50,5") == 422
    assert client.status("PUT", "/owner/o/local-to-world-coordinates/-50,5", spec) == 422


def test_pixels_that_the_box_misses_are_found(client, strict_client, tile):
    """Boxes are cut towards 0, so that at negative coordinates they lack the first row and column."""
    path = client.create("s")
    client.put(path, tile("a", x=-10.75, y=-20.5), tile("b", x=-60, y=-60), with_transforms(tile("bare", z=2)))
    question = f"{path}/z/1/world-to-local-coordinates"
    found = client.ok("GET", f"{question}/-10.75,-20.5")
    assert [(one["tileId"], one["local"], "visible" in one) for one in found] == [
        ("a", [0.0, 0.0, 1.0], False),
        ("b", [49.25, 39.5, 1.0], True),
    ]
    assert [one["tileId"] for one in strict_client.ok("GET", f"{question}/-10.75,-20.5")] == ["b"]
    # a point beside the mesh is not in a tile, whether the grown box holds it or not
    assert client.status("GET", f"{question}/-10.76,40") == 400
    assert client.status("GET", f"{path}/z/2/world-to-local-coordinates/-0.5,5") == 400
    assert client.status("GET", f"{path}/z/2/world-to-local-coordinates/0,5") == 200


def test_batches_agree_with_a_search_of_every_tile(client, tile):
    """Against the definition: every tile whose box holds the point, asked one by one."""
    random = np.random.default_rng(3)
    path = client.create("s")
    corners = random.uniform(-300, 300, (30, 2)).round(2)
    specs = [tile(f"t{index:02d}", x=x, y=y) for index, (x, y) in enumerate(corners)]
    client.put(path, *specs)
    points = random.uniform(-400, 400, (300, 2)).round(2)
    found = client.ok("PUT", f"{path}/z/1/world-to-local-coordinates", [{"world": point} for point in points.tolist()])
    for point, answer in zip(points, found, strict=True):
        local = point - corners
        inside = np.flatnonzero(((local >= 0) & (local <= (99, 79))).all(axis=1))
        assert [one["tileId"] for one in answer if "local" in one] == [f"t{index:02d}" for index in inside]
        if len(inside):
            np.testing.assert_allclose([one["local"][:2] for one in answer], local[inside], atol=1e-9)
            assert [one.get("visible", False) for one in answer] == [False] * (len(inside) - 1) + [True]
