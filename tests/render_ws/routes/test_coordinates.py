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
