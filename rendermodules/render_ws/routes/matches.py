"""Point matches (Java: MatchService)."""

from typing import Any

import orjson

from rendermodules.render_ws.answers import CREATED, OK, Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.collection_pause import paused_collection
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import CanvasMatches, decoded
from rendermodules.render_ws.routing import M, Routes
from rendermodules.render_ws.store import matches
from rendermodules.render_ws.store.matches import Canvas, Pair, PairSelection

routes = Routes()


@routes.get("/matchCollectionOwners")
def collection_owners(call: Call) -> Answer:
    """Answer the owners of all match collections."""
    with call.database.reading() as connection:
        return json_answer(matches.get_collection_owners(connection))


@routes.get("/owner/{owner}/matchCollections")
def collections(call: Call) -> Answer:
    """Answer an owner's match collections with their numbers of pairs."""
    with call.database.reading() as connection:
        found = matches.get_collections(connection, call.path["owner"])
    return json_answer([{"collectionId": id._asdict(), "pairCount": count} for id, count in found])


@routes.put(f"{M}/collectionId")
def rename(call: Call) -> Answer:
    """Give the collection another owner or name."""
    source = call.collection_id
    body = decoded(call.body, dict | None)
    if body is None:
        raise InvalidRequest("toCollectionId value must be specified")
    target = call.valid_collection_id(body.get("owner"), body.get("name"))
    with call.database.writing() as connection:
        matches.rename_collection(connection, source, target)
    return OK


@routes.get(f"{M}/groupIds")
def group_ids(call: Call) -> Answer:
    """Answer the groups that occur in the collection."""
    return _group_ids(call, "pq")


@routes.get(f"{M}/pGroupIds")
def p_group_ids(call: Call) -> Answer:
    """Answer the groups that occur as p."""
    return _group_ids(call, "p")


@routes.get(f"{M}/qGroupIds")
def q_group_ids(call: Call) -> Answer:
    """Answer the groups that occur as q."""
    return _group_ids(call, "q")


@routes.get(f"{M}/multiConsensusGroupIds")
def multi_consensus_group_ids(call: Call) -> Answer:
    """Answer the groups of pairs with several consensus sets."""
    with call.database.reading() as connection:
        return json_answer(matches.get_consensus_group_ids(connection, _keys(call), "pq"))


@routes.get(f"{M}/multiConsensusPGroupIds")
def multi_consensus_p_group_ids(call: Call) -> Answer:
    """Answer the groups that are p of pairs with several consensus sets."""
    with call.database.reading() as connection:
        return json_answer(matches.get_consensus_group_ids(connection, _keys(call), "p"))


@routes.get(f"{M}/pGroup/{{groupId}}/matches")
def p_group_matches(call: Call) -> Answer:
    """Answer the pairs whose p is in a group."""
    return _answer(call, matches.p_group(call.path["groupId"]))


@routes.get(f"{M}/pGroup/{{groupId}}/matchCounts")
def p_group_match_counts(call: Call) -> Answer:
    """Answer the pairs whose p is in a group, without their points."""
    return _answer(call, matches.p_group(call.path["groupId"]), with_points=False)


@routes.put(f"{M}/pGroup/{{groupId}}/matchCounts", consumes=None)
def update_match_counts(call: Call) -> Answer:
    """Bring the counts of a group up to date; here they always are."""
    with call.database.reading() as connection:
        key = matches.get_collection_key(connection, call.collection_id)
        pairs = matches.get_pairs(connection, key, matches.p_group(call.path["groupId"]), with_points=False)
    if not pairs:
        raise InvalidRequest(f"{call.collection_id} has no pairs whose p is in group {call.path['groupId']}")
    return CREATED


@routes.get(f"{M}/group/{{groupId}}/matchesWithinGroup")
def matches_within_group(call: Call) -> Answer:
    """Answer the pairs of which both sides are in a group."""
    return _answer(call, matches.within_group(call.path["groupId"]))


@routes.get(f"{M}/group/{{groupId}}/matchesOutsideGroup")
def matches_outside_group(call: Call) -> Answer:
    """Answer the pairs of which one side is in a group."""
    return _answer(call, matches.outside_group(call.path["groupId"]))


@routes.get(f"{M}/group/{{groupId}}/matchesWith/{{qGroupId}}")
def matches_between_groups(call: Call) -> Answer:
    """Answer the pairs from one group to another."""
    return _answer(call, matches.between_groups(call.path["groupId"], call.path["qGroupId"]))


@routes.get(f"{M}/group/{{groupId}}/id/{{id}}/matchesWith/{{qGroupId}}")
def matches_between_canvas_and_group(call: Call) -> Answer:
    """Answer the pairs of one canvas with those of a group."""
    return _answer(call, matches.between_canvas_and_group(_canvas(call), call.path["qGroupId"]))


@routes.get(f"{M}/group/{{groupId}}/id/{{id}}/matchesWith/{{qGroupId}}/id/{{qId}}")
def matches_between_canvases(call: Call) -> Answer:
    """Answer the pair of two canvases, as a list of one or none."""
    other = Canvas(call.path["qGroupId"], call.path["qId"])
    return _answer(call, matches.between_canvases(_canvas(call), other), with_points=True)


@routes.get(f"{M}/group/{{groupId}}/id/{{id}}")
def matches_involving(call: Call) -> Answer:
    """Answer the pairs of one canvas."""
    return _answer(call, matches.involving(_canvas(call)), with_points=True)


@routes.put(f"{M}/matches")
def put_matches(call: Call) -> Answer:
    """Keep pairs; those that exist are replaced."""
    collection_id = call.collection_id
    with paused_collection():
        pairs = decoded(call.body, list[CanvasMatches] | None)
        if pairs is None:
            raise InvalidRequest("no matches provided")
        with call.database.writing() as connection:
            matches.put_pairs(connection, collection_id, pairs)
    return CREATED


@routes.delete(M)
def delete_collection(call: Call) -> Answer:
    """Remove the collection."""
    collection_id = call.collection_id
    with call.database.writing() as connection:
        matches.delete_collection(connection, collection_id)
    return OK


@routes.delete(f"{M}/pGroup/{{groupId}}/matches")
def delete_p_group(call: Call) -> Answer:
    """Remove the pairs whose p is in a group."""
    return _deleted(call, matches.p_group(call.path["groupId"]))


@routes.delete(f"{M}/group/{{groupId}}/matchesOutsideGroup")
def delete_outside_group(call: Call) -> Answer:
    """Remove the pairs of which one side is in a group."""
    return _deleted(call, matches.outside_group(call.path["groupId"]))


@routes.delete(f"{M}/group/{{groupId}}/matchesWith/{{qGroupId}}")
def delete_between_groups(call: Call) -> Answer:
    """Remove the pairs from one group to another."""
    return _deleted(call, matches.between_groups(call.path["groupId"], call.path["qGroupId"]))


@routes.delete(f"{M}/group/{{groupId}}/id/{{id}}")
def delete_involving(call: Call) -> Answer:
    """Remove the pairs of one canvas."""
    return _deleted(call, matches.involving(_canvas(call)))


@routes.delete(f"{M}/group/{{groupId}}/id/{{id}}/matchesWith/{{qGroupId}}/id/{{qId}}")
def delete_between_canvases(call: Call) -> Answer:
    """Remove the pair of two canvases."""
    return _deleted(call, matches.between_canvases(_canvas(call), Canvas(call.path["qGroupId"], call.path["qId"])))


def _canvas(call: Call) -> Canvas:
    return Canvas(call.path["groupId"], call.path["id"])


def _keys(call: Call) -> list[int]:
    """Return the keys of the collection and of those to merge with it, each once."""
    connection = call.database.connection
    names = dict.fromkeys([call.collection_id.name, *call.texts("mergeCollection")])
    owner = call.collection_id.owner
    ids = [call.valid_collection_id(owner, name) for name in names]
    return list(dict.fromkeys(matches.get_collection_key(connection, id) for id in ids))


def _group_ids(call: Call, sides: str) -> Answer:
    with call.database.reading() as connection:
        # Java Render does not look at collections to merge here
        keys = _keys(call)[:1] if call.strict else _keys(call)
        return json_answer(matches.get_group_ids(connection, keys, sides))


def _answer(call: Call, selection: PairSelection, with_points: bool | None = None) -> Answer:
    if with_points is None:
        with_points = not call.flag("excludeMatchDetails")
    with call.database.reading() as connection:
        keys = _keys(call)
        found = [matches.get_pairs(connection, key, selection, with_points) for key in keys]
    return json_answer(_merged(found) if len(found) > 1 else [_document(pair) for pair in found[0]])


def _deleted(call: Call, selection: PairSelection) -> Answer:
    collection_id = call.collection_id
    with call.database.writing() as connection:
        matches.delete_pairs(connection, matches.get_collection_key(connection, collection_id), selection)
    return OK


def _document(pair: Pair) -> dict[str, Any]:
    document: dict[str, Any] = {
        "pGroupId": pair.p.group,
        "pId": pair.p.id,
        "qGroupId": pair.q.group,
        "qId": pair.q.id,
    }
    if pair.consensus is not None:
        document["consensusSetData"] = orjson.Fragment(pair.consensus)
    if pair.points is not None:
        from rendermodules.render_ws.store.match_points import unpacked_points

        document["matches"] = unpacked_points(pair.points)._asdict()
    document["matchCount"] = pair.match_count
    return document


def _merged(found: list[list[Pair]]) -> list[dict[str, Any]]:
    """Return the pairs of several collections; the points of a pair that is in more than one are joined."""
    documents: dict[tuple[Canvas, Canvas], dict[str, Any]] = {}
    for pair in (pair for pairs in found for pair in pairs):
        document = _document(pair)
        first = documents.setdefault((pair.p, pair.q), document)
        if first is not document:
            first["matchCount"] += pair.match_count
            if "matches" in document and "matches" in first:
                first["matches"] = _joined(first["matches"], document["matches"])
            elif "matches" in document:
                first["matches"] = document["matches"]
    order = sorted(documents, key=lambda key: (key[0].group, key[1].group, key[0].id, key[1].id))
    return [documents[key] for key in order]


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    from rendermodules.render_ws.store.match_points import PointArrays, merged_points

    return merged_points(PointArrays(**first), PointArrays(**second))._asdict()
