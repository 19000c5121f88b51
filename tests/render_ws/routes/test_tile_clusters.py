import pytest

M = "/owner/owner/matchCollection/m"


def pair(p, q, points_p, points_q, group="1.0"):
    sides = {
        "p": [list(axis) for axis in zip(*points_p, strict=True)],
        "q": [list(axis) for axis in zip(*points_q, strict=True)],
    }
    return {"pGroupId": group, "pId": p, "qGroupId": group, "qId": q, "matches": {**sides, "w": [1] * len(points_p)}}


@pytest.fixture
def stack(client, tile):
    path = client.create("s")
    client.put(path, *(tile(id, x=90 * i) for i, id in enumerate("abcdef")), tile("z2", z=2))
    point = [(1, 1)]
    pairs = [pair("a", "b", [(95, 5)], [(5, 8)]), pair("b", "c", point, point), pair("e", "f", point, point)]
    client.ok("PUT", f"{M}/matches", [*pairs, pair("z2", "x", point, point, "2.0")])
    return path


def test_clusters_are_what_matches_hold_together(client, stack):
    found = client.ok("GET", f"{stack}/z/1/clusteredTileBoundsForCollection/m")
    assert [[box["tileId"] for box in cluster] for cluster in found] == [["a", "b", "c"], ["e", "f"]]
    assert client.ok("GET", f"{stack}/z/2/clusteredTileBoundsForCollection/m?matchOwner=owner") == []
    assert client.status("GET", f"{stack}/z/1/clusteredTileBoundsForCollection/none") == 404


def test_residuals_are_distances_in_the_world(client, stack, tile):
    ids = {
        "matchRenderStackId": {"owner": "owner", "project": "project", "stack": "s"},
        "matchCollectionId": {"owner": "owner", "name": "m"},
    }
    asked = {"pTileId": "a", "qTileId": "b", **ids}
    found = client.ok("POST", f"{stack}/pairResidualCalculation", {**asked, "includeDetails": True})
    assert found["distanceList"] == [3.0]
    # in the order that was asked for, whichever way the pair is kept
    back = client.ok("POST", f"{stack}/pairResidualCalculation", {**asked, "pTileId": "b", "qTileId": "a"})
    assert (back["rootMeanSquareError"], "distanceList" in back) == (3.0, False)
    for wrong, status in (
        ({"pTileId": "none"}, 404),
        ({"qTileId": "f"}, 404),
        ({"matchCollectionId": {"owner": "owner"}}, 400),
        ({"matchRenderStackId": {"owner": "owner", "project": "project", "stack": "none"}}, 404),
    ):
        assert client.status("POST", f"{stack}/pairResidualCalculation", {**asked, **wrong}) == status
