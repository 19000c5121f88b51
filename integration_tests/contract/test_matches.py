"""Match collections."""

import pytest
import renderapi


def pair(p, q, *points):
    sides = [[[float(point[k][axis]) for point in points] for axis in (0, 1)] for k in (0, 1)]
    names = {"pGroupId": p[0], "pId": p[1], "qGroupId": q[0], "qId": q[1]}
    return {**names, "matches": {"p": sides[0], "q": sides[1], "w": [1.0] * len(points)}}


A, B, C, D = ("1.0", "a"), ("1.0", "b"), ("2.0", "c"), ("10.0", "d")
POINT = ((1, 2), (3, 4))


def names(pairs):
    return [(one["pGroupId"], one["pId"], one["qGroupId"], one["qId"]) for one in pairs]


@pytest.fixture
def filled(service, render):
    data = [pair(A, B, POINT), pair(C, A, POINT), pair(C, D, POINT), pair(B, C, POINT)]
    renderapi.pointmatch.import_matches(service.collection_name(), data, render=render)
    return service


@pytest.mark.routes(
    "PUT M/matches",
    "GET /matchCollectionOwners",
    "GET /owner/{owner}/matchCollections",
    "GET M/groupIds",
    "GET M/pGroupIds",
    "GET M/qGroupIds",
)
def test_collections(filled, render):
    name = filled.collection_name()
    assert "contract" in renderapi.pointmatch.get_matchcollection_owners(render=render)
    mine = [
        one for one in renderapi.pointmatch.get_matchcollections(render=render) if one["collectionId"]["name"] == name
    ]
    assert [one["pairCount"] for one in mine] == [4]
    assert renderapi.pointmatch.get_match_groupIds(name, render=render) == ["1.0", "10.0", "2.0"]
    assert sorted(renderapi.pointmatch.get_match_groupIds_from_only(name, render=render)) == ["1.0", "10.0"]
    assert sorted(renderapi.pointmatch.get_match_groupIds_to_only(name, render=render)) == ["1.0", "2.0"]


@pytest.mark.routes(
    "GET M/group/{groupId}/matchesOutsideGroup",
    "GET M/group/{groupId}/matchesWithinGroup",
    "GET M/group/{pGroupId}/matchesWith/{qGroupId}",
    "GET M/pGroup/{pGroupId}/matches",
    "GET M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}/id/{qId}",
    "GET M/group/{groupId}/id/{id}",
)
def test_questions_of_render_python(filled, render):
    name = filled.collection_name()
    api = renderapi.pointmatch
    assert names(api.get_matches_within_group(name, "1.0", render=render)) == [(*A, *B)]
    assert names(api.get_matches_outside_group(name, "2.0", render=render)) == [(*A, *C), (*B, *C), (*D, *C)]
    assert names(api.get_matches_from_group_to_group(name, "2.0", "10.0", render=render)) == [(*D, *C)]
    (one,) = api.get_matches_from_tile_to_tile(name, *C, *A, render=render)
    assert (names([one]), one["matches"]["p"]) == ([(*A, *C)], [[3.0], [4.0]])
    assert names(api.get_matches_with_group(name, "1.0", render=render)) == [(*A, *B), (*A, *C), (*B, *C)]
    assert names(api.get_matches_involving_tile(name, *A, render=render)) == [(*A, *B), (*A, *C)]
    with pytest.raises(renderapi.errors.RenderError):
        api.get_matches_within_group(filled.collection_name("none"), "1.0", render=render)


@pytest.mark.routes("DELETE M/group/{pGroupId}/matchesWith/{qGroupId}", "DELETE M", "PUT M/matches")
def test_replacing_and_deleting(filled, render):
    name = filled.collection_name()
    api = renderapi.pointmatch
    api.import_matches(name, [pair(A, B, POINT, POINT)], render=render)
    (one,) = api.get_matches_within_group(name, "1.0", render=render)
    assert one["matchCount"] == 2
    api.delete_point_matches_between_groups(name, "2.0", "1.0", render=render)
    assert names(api.get_matches_outside_group(name, "2.0", render=render)) == [(*D, *C)]
    api.delete_collection(name, render=render)
    with pytest.raises(renderapi.errors.RenderError):
        api.delete_collection(name, render=render)


@pytest.mark.routes(
    "PUT M/collectionId",
    "GET M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}",
    "GET M/pGroup/{pGroupId}/matchCounts",
    "PUT M/pGroup/{pGroupId}/matchCounts",
    "GET M/multiConsensusGroupIds",
    "GET M/multiConsensusPGroupIds",
    "DELETE M/group/{groupId}/id/{id}",
    "DELETE M/group/{groupId}/matchesOutsideGroup",
    "DELETE M/pGroup/{pGroupId}/matches",
    "DELETE M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}/id/{qId}",
)
def test_other_questions(filled):
    sets = {**pair(C, ("3.0", "e"), POINT), "consensusSetData": {"index": 0, "originalPId": "c", "originalQId": "e"}}
    filled.ok("PUT", f"{filled.collection()}/matches", [sets])
    new = {"owner": "contract", "name": filled.collection_name("n")}
    filled.ok("PUT", f"{filled.collection()}/collectionId", new)
    path = filled.collection("n")
    filled.fails("GET", f"{filled.collection()}/groupIds")
    assert names(filled.ok("GET", f"{path}/group/1.0/id/a/matchesWith/2.0")) == [(*A, *C)]
    filled.ok("PUT", f"{path}/pGroup/1.0/matchCounts")
    assert all("matches" not in one for one in filled.ok("GET", f"{path}/pGroup/1.0/matchCounts"))
    assert sorted(filled.ok("GET", f"{path}/multiConsensusGroupIds")) == ["2.0", "3.0"]
    assert filled.ok("GET", f"{path}/multiConsensusPGroupIds") == ["2.0"]
    filled.ok("DELETE", f"{path}/group/2.0/id/c/matchesWith/1.0/id/a")
    filled.ok("DELETE", f"{path}/group/1.0/id/b")
    filled.ok("DELETE", f"{path}/pGroup/10.0/matches")
    assert names(filled.ok("GET", f"{path}/group/2.0/matchesOutsideGroup")) == [("2.0", "c", "3.0", "e")]
    filled.ok("DELETE", f"{path}/group/3.0/matchesOutsideGroup")
    assert filled.ok("GET", f"{path}/group/2.0/matchesOutsideGroup") == []


@pytest.mark.routes("GET S/z/{z}/clusteredTileBoundsForCollection/{matchCollection}", "POST S/pairResidualCalculation")
def test_matches_of_a_stack(service, tile):
    service.put(*(tile(id, x=90 * i) for i, id in enumerate("abcd")))
    data = [pair(A, B, ((95, 5), (5, 5)), ((95, 50), (5, 54))), pair(B, ("1.0", "c"), POINT)]
    service.ok("PUT", f"{service.collection()}/matches", data)
    clusters = service.ok("GET", f"{service.stack()}/z/1/clusteredTileBoundsForCollection/{service.collection_name()}")
    assert [sorted(box["tileId"] for box in cluster) for cluster in clusters] == [["a", "b", "c"]]
    asked = {
        "pTileId": "a", "qTileId": "b", "includeDetails": True,
        "matchRenderStackId": {"owner": "contract", "project": service.project, "stack": "s"},
        "matchCollectionId": {"owner": "contract", "name": service.collection_name()},
    }  # fmt: skip
    residual = service.ok("POST", f"{service.stack()}/pairResidualCalculation", asked)
    assert residual["distanceList"] == pytest.approx([0.0, 4.0])
    assert (residual["maxDistance"], residual["meanDistance"]) == pytest.approx((4.0, 2.0))


@pytest.mark.routes(
    "POST /owner/{owner}/matchTrial",
    "GET /owner/{owner}/matchTrial/{trialId}",
    "DELETE /owner/{owner}/matchTrial/{trialId}",
)
def test_trials(service, drawn):
    service.put(drawn("a"), drawn("b", x=90))
    parameters = {
        "siftFeatureParameters": {"fdSize": 4, "minScale": 0.5, "maxScale": 1.0, "steps": 3},
        "matchDerivationParameters": {"matchModelType": "TRANSLATION", "matchMaxEpsilon": 5.0},
    }
    urls = [f"{service.base}{service.stack()}/tile/{name}/render-parameters" for name in "ab"]
    trials = "/owner/contract/matchTrial"
    body = {"featureAndMatchParameters": parameters, "pRenderParametersUrl": urls[0], "qRenderParametersUrl": urls[1]}
    trial = service.ok("POST", trials, body)
    assert trial["matches"] == []  # a gradient has no features
    assert trial["stats"]["consensusSetSizes"] == [0]
    path = f"{trials}/{trial['id']}"
    assert service.ok("GET", path)["parameters"]["featureAndMatchParameters"]["siftFeatureParameters"]["fdSize"] == 4
    service.ok("DELETE", path)
    service.fails("GET", path)
    service.fails("POST", trials, {})
