"""Reading and writing match collections: the one place that does it for all modules.

A collection belongs to an owner, not to a project, and that need not be the owner of the stack. Render keeps each pair
in one order, by section and tile id as strings, so that "1000.0" comes before "999.0": p is not always below q.
Writing a pair replaces all of its points.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from renderapi.render import Render, format_baseurl

from rendermodules.core.pointmatches import CanvasMatches, PointMatches, canvas_matches, parsed_matches
from rendermodules.core.solve.match_table import MatchTable, match_table_of_documents
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.stacks import REPLACED, STAGED, check_answer, json_answer

_POINTS_PER_REQUEST = 500_000


class MatchCollection(NamedTuple):
    """A collection of point matches.

    Attributes
    ----------
    render : Render
        Connection.
    name : str
    owner : str
    """

    render: Render
    name: str
    owner: str

    def __str__(self) -> str:
        return f"match collection {self.name} of {self.owner}"


def match_collection(render: Render, name: str, owner: str | None = None) -> MatchCollection:
    """Return a collection, which need not exist; it is that of the connection's owner unless another is named."""
    return MatchCollection(render, name, owner or render.DEFAULT_OWNER)


def collection_names(render: Render, owner: str | None = None) -> dict[str, int]:
    """Return the names of an owner's collections and how many pairs each has."""
    owner = owner or render.DEFAULT_OWNER
    found = _json(render, f"{_base(render)}/owner/{quote(owner, safe='')}/matchCollections", f"collections of {owner}")
    return {one["collectionId"]["name"]: one["pairCount"] for one in found}


def exists(collection: MatchCollection) -> bool:
    """Return whether there is such a collection."""
    return collection.name in collection_names(collection.render, collection.owner)


def check_exists(collection: MatchCollection) -> int:
    """Return how many pairs a collection has.

    Raises
    ------
    RenderModuleError
        There is no such collection; the message names those that are like it.
    """
    names = collection_names(collection.render, collection.owner)
    if collection.name in names:
        return names[collection.name]
    near = difflib.get_close_matches(collection.name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(names)[:20]) or 'none'}"
    raise RenderModuleError(f"{collection} does not exist; {hint}")


def group_ids(collection: MatchCollection, sides: str = "pq") -> list[str]:
    """Return the ids of the groups (sections) of a collection, in Render's order.

    Parameters
    ----------
    collection : MatchCollection
    sides : {"pq", "p", "q"}
        Of all pairs, or only those that come first or second in a pair.
    """
    route = {"pq": "groupIds", "p": "pGroupIds", "q": "qGroupIds"}[sides]
    groups: list[str] = _json(collection.render, f"{_url(collection)}/{route}", f"groups of {collection}")
    return groups


def matches_with_p_group(collection: MatchCollection, group: str) -> list[PointMatches]:
    """Return the matches of pairs whose p is in a group, which is all of a collection for all groups."""
    return _matches(collection, f"pGroup/{_quoted(group)}/matches/")


def matches_within_group(collection: MatchCollection, group: str) -> list[PointMatches]:
    """Return the matches of pairs of which both tiles are in a group."""
    return _matches(collection, f"group/{_quoted(group)}/matchesWithinGroup")


def matches_outside_group(collection: MatchCollection, group: str) -> list[PointMatches]:
    """Return the matches of pairs of which one tile is in a group and the other is not."""
    return _matches(collection, f"group/{_quoted(group)}/matchesOutsideGroup")


def matches_between_groups(collection: MatchCollection, first: str, second: str) -> list[PointMatches]:
    """Return the matches of two groups with each other, whichever way round; within a group if they are the same."""
    return _matches(collection, f"group/{_quoted(first)}/matchesWith/{_quoted(second)}")


def match_table_of_groups(collection: MatchCollection, first: str, second: str | None) -> MatchTable:
    """Return the matches of two groups with each other, or all whose p is in the first, in few large arrays."""
    if second is None:
        path = f"pGroup/{_quoted(first)}/matches/"
    elif second == first:
        path = f"group/{_quoted(first)}/matchesWithinGroup"
    else:
        path = f"group/{_quoted(first)}/matchesWith/{_quoted(second)}"
    return match_table_of_documents(_documents(collection, path))


def all_matches(collection: MatchCollection) -> Iterator[PointMatches]:
    """Give all matches of a collection; those of one group are in memory at a time."""
    for group in group_ids(collection, "p"):
        yield from matches_with_p_group(collection, group)


class PairCount(NamedTuple):
    """How many matches a pair has."""

    p_group_id: str
    p_id: str
    q_group_id: str
    q_id: str
    match_count: int


def pair_counts(collection: MatchCollection, groups: Iterable[str] | None = None) -> list[PairCount]:
    """Return how many matches each pair has whose p is in one of some groups, or in any."""
    counts = []
    for group in group_ids(collection, "p") if groups is None else groups:
        url = f"{_url(collection)}/pGroup/{_quoted(group)}/matchCounts"
        for one in _json(collection.render, url, f"counts of {collection}"):
            counts.append(PairCount(*(one[key] for key in ("pGroupId", "pId", "qGroupId", "qId", "matchCount"))))
    return counts


def write_matches(collection: MatchCollection, matches: Sequence[PointMatches]) -> int:
    """Write matches, in requests of at most half a million points; return how many pairs it were.

    Pairs that the collection has already get the new points instead of theirs. A collection that does not exist is
    made; no matches make none.
    """
    batch: list[dict[str, Any]] = []
    points = 0
    for one in matches:
        if batch and points + len(one) > _POINTS_PER_REQUEST:
            _put(collection, batch)
            batch, points = [], 0
        batch.append(canvas_matches(one))
        points += len(one)
    if batch:
        _put(collection, batch)
    return len(matches)


def delete_pair(collection: MatchCollection, p_canvas: tuple[str, str], q_canvas: tuple[str, str]) -> None:
    """Remove the matches of two tiles, each given as (group id, id), if there are any."""
    (p_group, p_id), (q_group, q_id) = ((_quoted(group), _quoted(name)) for group, name in (p_canvas, q_canvas))
    _delete(collection, f"/group/{p_group}/id/{p_id}/matchesWith/{q_group}/id/{q_id}")


def delete_between_groups(collection: MatchCollection, first: str, second: str) -> None:
    """Remove all matches of two groups with each other, or within one."""
    _delete(collection, f"/group/{_quoted(first)}/matchesWith/{_quoted(second)}")


def delete_outside_group(collection: MatchCollection, group: str) -> None:
    """Remove all matches of pairs of which one tile is in a group and the other is not."""
    _delete(collection, f"/group/{_quoted(group)}/matchesOutsideGroup")


def delete_collection(collection: MatchCollection) -> None:
    """Remove a collection; one that does not exist is no error."""
    _delete(collection, "")


def rename_collection(collection: MatchCollection, name: str) -> None:
    """Give a collection another name that is free."""
    response = collection.render.session.put(
        f"{_url(collection)}/collectionId",
        data=orjson.dumps({"owner": collection.owner, "name": name}),
        headers={"Content-Type": "application/json"},
    )
    check_answer(response, f"{collection} to {name}", doing="renaming")


def staged_copy(collection: MatchCollection) -> MatchCollection:
    """Return the collection into which what shall take the place of another is written first."""
    return collection._replace(name=f"{collection.name}{STAGED}")


def put_in_place(collection: MatchCollection) -> None:
    """Let the staged copy of a collection take its place; the collection itself is set aside, see `delete_replaced`.

    Each step is done only if it has not been done yet: a run that was killed in here is completed by the same call.
    """
    present = collection_names(collection.render, collection.owner)
    if f"{collection.name}{STAGED}" not in present:
        return
    if collection.name in present:
        rename_collection(collection, f"{collection.name}{REPLACED}")
    rename_collection(staged_copy(collection), collection.name)


def is_half_replaced(collection: MatchCollection) -> bool:
    """Return whether a run was killed in or after `put_in_place`, before the collection set aside was deleted."""
    return f"{collection.name}{REPLACED}" in collection_names(collection.render, collection.owner)


def delete_replaced(collection: MatchCollection) -> None:
    """Remove the collection that `put_in_place` has set aside."""
    delete_collection(collection._replace(name=f"{collection.name}{REPLACED}"))


def _base(render: Render) -> str:
    base: str = format_baseurl(render.DEFAULT_HOST, render.DEFAULT_PORT)
    return base


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _url(collection: MatchCollection) -> str:
    owner, name = _quoted(collection.owner), _quoted(collection.name)
    return f"{_base(collection.render)}/owner/{owner}/matchCollection/{name}"


def _json(render: Render, url: str, what: str) -> Any:
    return json_answer(render.session.get(url), f"the {what}")


def _matches(collection: MatchCollection, path: str) -> list[PointMatches]:
    return [parsed_matches(one) for one in _documents(collection, path)]


def _documents(collection: MatchCollection, path: str) -> list[CanvasMatches]:
    documents = _json(collection.render, f"{_url(collection)}/{path}", f"matches of {collection}")
    # Render keeps pairs that came without points
    return [one for one in documents if one.get("matches") is not None]


def _put(collection: MatchCollection, documents: list[dict[str, Any]]) -> None:
    response = collection.render.session.put(
        f"{_url(collection)}/matches", data=orjson.dumps(documents), headers={"Content-Type": "application/json"}
    )
    check_answer(response, f"{len(documents)} pairs into {collection}", doing="writing")


def _delete(collection: MatchCollection, path: str) -> None:
    response = collection.render.session.delete(_url(collection) + path)
    if response.status_code != 404:
        check_answer(response, f"matches of {collection}", doing="removing")
