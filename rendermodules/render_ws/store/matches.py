"""Match collections: pairs of canvases with corresponding points.

A pair is kept in one order, the smaller (group, id) as p; requests may name the two in any order.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from rendermodules.render_ws.collection_pause import paused_collection
from rendermodules.render_ws.errors import InvalidRequest, NotFound
from rendermodules.render_ws.models import CanvasMatches, CollectionId

if TYPE_CHECKING:
    from rendermodules.render_ws.store.match_points import PointArrays

SWEPT_PAIRS = 5_000
"""Most pairs of deleted collections that one write removes on its way."""


class Canvas(NamedTuple):
    """One side of a pair."""

    group: str
    id: str


class Pair(NamedTuple):
    """One pair as it comes out of the store.

    Attributes
    ----------
    p, q : Canvas
    match_count : int
    consensus : str or None
        JSON of consensusSetData.
    points : bytes or None
        See `match_points`; None when they were not asked for or never given.
    """

    p: Canvas
    q: Canvas
    match_count: int
    consensus: str | None
    points: bytes | None


class PairSelection(NamedTuple):
    """Which pairs of a collection are meant: those of which one of some conditions holds.

    Attributes
    ----------
    names : tuple of str
        The arguments ``?1`` to ``?4`` of the conditions, at most four.
    conditions : tuple of str
        SQL. Each is looked up by an index; one condition with OR would read the whole collection.
    """

    names: tuple[str, ...]
    conditions: tuple[str, ...]

    @property
    def where(self) -> str:
        """The SQL of all conditions in the collection ``?5``."""
        if len(self.conditions) == 1:
            return f"collection_id = ?5 AND {self.conditions[0]}"
        selects = [f"SELECT rowid FROM match_pair WHERE collection_id = ?5 AND {one}" for one in self.conditions]
        return f"match_pair.rowid IN ({' UNION ALL '.join(selects)})"


def within_group(group: str) -> PairSelection:
    """Select the pairs of which both sides are in ``group``."""
    return PairSelection((group,), ("p_group = ?1 AND q_group = ?1",))


def outside_group(group: str) -> PairSelection:
    """Select the pairs of which one side is in ``group``."""
    return PairSelection((group,), ("p_group = ?1 AND q_group != ?1", "q_group = ?1 AND p_group != ?1"))


def p_group(group: str) -> PairSelection:
    """Select the pairs of which p is in ``group``."""
    return PairSelection((group,), ("p_group = ?1",))


def between_groups(first: str, second: str) -> PairSelection:
    """Select the pairs from one group to the other."""
    return PairSelection(tuple(sorted((first, second), key=java_order)), ("p_group = ?1 AND q_group = ?2",))


def involving(canvas: Canvas) -> PairSelection:
    """Select the pairs of one canvas."""
    return PairSelection(canvas, ("p_group = ?1 AND p_id = ?2", "q_group = ?1 AND q_id = ?2"))


def between_canvas_and_group(canvas: Canvas, group: str) -> PairSelection:
    """Select the pairs of one canvas with those of a group."""
    return PairSelection(
        (*canvas, group),
        ("p_group = ?1 AND p_id = ?2 AND q_group = ?3", "q_group = ?1 AND q_id = ?2 AND p_group = ?3"),
    )


def between_canvases(first: Canvas, second: Canvas) -> PairSelection:
    """Select the one pair of two canvases."""
    p, q = sorted((first, second), key=_canvas_order)
    return PairSelection((*p, *q), ("p_group = ?1 AND p_id = ?2 AND q_group = ?3 AND q_id = ?4",))


def java_order(text: str) -> bytes:
    """Return a key that sorts as Java's String.compareTo: by UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


def get_collection_owners(connection: sqlite3.Connection) -> list[str]:
    """Return the owners of all match collections, sorted."""
    query = "SELECT DISTINCT owner FROM match_collection WHERE owner IS NOT NULL ORDER BY owner"
    return [owner for (owner,) in connection.execute(query)]


def get_collections(connection: sqlite3.Connection, owner: str) -> list[tuple[CollectionId, int]]:
    """Return (id, number of pairs) of an owner's collections, sorted by name."""
    rows = connection.execute("SELECT name, pair_count FROM match_collection WHERE owner = ? ORDER BY name", (owner,))
    return [(CollectionId(owner, name), count) for name, count in rows]


def get_collection_key(connection: sqlite3.Connection, collection_id: CollectionId) -> int:
    """Return the key of a collection.

    Raises
    ------
    NotFound
    """
    key = _find_collection(connection, collection_id)
    if key is None:
        raise NotFound(f"{collection_id} does not exist")
    return key


def rename_collection(connection: sqlite3.Connection, collection_id: CollectionId, to: CollectionId) -> None:
    """Give a collection another name.

    Raises
    ------
    NotFound
        There is no such collection.
    InvalidRequest
        The new name is taken.
    """
    key = get_collection_key(connection, collection_id)
    if _find_collection(connection, to) is not None:
        raise InvalidRequest(f"match collection with owner '{to.owner}', and name '{to.name}' already exists")
    connection.execute("UPDATE match_collection SET owner = ?, name = ? WHERE collection_id = ?", (*to, key))


def delete_collection(connection: sqlite3.Connection, collection_id: CollectionId) -> None:
    """Remove a collection; its pairs go a few at a time, by this write and later ones.

    Raises
    ------
    NotFound
    """
    key = get_collection_key(connection, collection_id)
    connection.execute("UPDATE match_collection SET owner = NULL WHERE collection_id = ?", (key,))
    sweep_pairs(connection)


def sweep_pairs(connection: sqlite3.Connection, pairs: int = SWEPT_PAIRS) -> None:
    """Remove up to ``pairs`` pairs of deleted collections; a negative number removes all."""
    for (key,) in connection.execute("SELECT collection_id FROM match_collection WHERE owner IS NULL").fetchall():
        connection.execute(
            """DELETE FROM match_pair WHERE rowid IN
            (SELECT rowid FROM match_pair WHERE collection_id = ? LIMIT ?)""",
            (key, pairs),
        )
        if not connection.execute("SELECT 1 FROM match_pair WHERE collection_id = ? LIMIT 1", (key,)).fetchone():
            connection.execute("DELETE FROM match_collection WHERE collection_id = ?", (key,))


def get_group_ids(connection: sqlite3.Connection, keys: Sequence[int], sides: str) -> list[str]:
    """Return the distinct group ids of collections, sorted.

    Parameters
    ----------
    keys : sequence of int
    sides : str
        "p", "q" or "pq".
    """
    names: set[str] = set()
    for key in keys:
        for side in sides:
            # steps from one group to the next in the index instead of reading every pair
            rows = connection.execute(
                f"""WITH RECURSIVE step (id) AS (
                    SELECT MIN({side}_group) FROM match_pair WHERE collection_id = ?1
                    UNION ALL
                    SELECT (SELECT MIN({side}_group) FROM match_pair WHERE collection_id = ?1 AND {side}_group > id)
                    FROM step WHERE id IS NOT NULL)
                SELECT name FROM step JOIN match_name ON name_id = id""",
                (key,),
            )
            names.update(name for (name,) in rows)
    return sorted(names)


def get_consensus_group_ids(connection: sqlite3.Connection, keys: Sequence[int], sides: str) -> list[str]:
    """Return the distinct group ids of pairs that are one of several consensus sets, sorted; see `get_group_ids`."""
    names: set[str] = set()
    for key in keys:
        for side in sides:
            rows = connection.execute(
                f"""SELECT DISTINCT name FROM match_pair JOIN match_name ON name_id = {side}_group
                WHERE collection_id = ? AND consensus IS NOT NULL""",
                (key,),
            )
            names.update(name for (name,) in rows)
    return sorted(names)


def get_pairs(
    connection: sqlite3.Connection, key: int, selection: PairSelection, with_points: bool = True
) -> list[Pair]:
    """Return the pairs of a selection, sorted by group of p, group of q, id of p, id of q."""
    rows = _pair_rows(connection, key, selection, with_points)
    rows.sort(key=itemgetter(0, 1, 2, 3))
    return [
        Pair(Canvas(p_group, p_id), Canvas(q_group, q_id), *others) for p_group, q_group, p_id, q_id, *others in rows
    ]


def get_point_arrays(
    connection: sqlite3.Connection, key: int, selection: PairSelection
) -> "list[tuple[Canvas, Canvas, PointArrays]]":
    """Return p, q and their points as arrays for the pairs of a selection that have points, in any order."""
    from rendermodules.render_ws.store.match_points import unpacked_points

    with paused_collection():
        return [
            (Canvas(p_group, p_id), Canvas(q_group, q_id), unpacked_points(points))
            for p_group, q_group, p_id, q_id, _, _, points in _pair_rows(connection, key, selection, with_points=True)
            if points is not None
        ]


def put_pairs(connection: sqlite3.Connection, collection_id: CollectionId, matches: Sequence[CanvasMatches]) -> None:
    """Add or replace pairs; a collection that does not exist is made. Call it in a write transaction.

    Raises
    ------
    InvalidRequest
        A pair lacks an id, or its points are no rows of finite numbers.
    """
    pairs = {(pair.p, pair.q): pair for pair in map(_normalized, matches)}
    if not pairs:
        return
    key = _find_collection(connection, collection_id)
    if key is None:
        (key,) = connection.execute(
            "INSERT INTO match_collection (owner, name, pair_count) VALUES (?, ?, 0) RETURNING collection_id",
            collection_id,
        ).fetchone()
    ids = _interned(connection, {name for pair in pairs.values() for name in (*pair.p, *pair.q)})
    keys = [(key, ids[pair.p.group], ids[pair.q.group], ids[pair.p.id], ids[pair.q.id]) for pair in pairs.values()]
    replaced = connection.executemany(
        "DELETE FROM match_pair WHERE collection_id = ? AND p_group = ? AND q_group = ? AND p_id = ? AND q_id = ?",
        keys,
    ).rowcount
    connection.executemany(
        "INSERT INTO match_pair VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*pair_key, *pair[2:]) for pair_key, pair in zip(keys, pairs.values(), strict=True)],
    )
    _count(connection, key, len(pairs) - replaced)
    sweep_pairs(connection)


def delete_pairs(connection: sqlite3.Connection, key: int, selection: PairSelection) -> None:
    """Remove the pairs of a selection; call it in a write transaction."""
    ids = _name_ids(connection, selection.names)
    if len(ids) == len(set(selection.names)):
        removed = connection.execute(
            f"DELETE FROM match_pair WHERE {selection.where}",
            _arguments(selection, ids, key),
        ).rowcount
        _count(connection, key, -removed)


def _pair_rows(
    connection: sqlite3.Connection, key: int, selection: PairSelection, with_points: bool
) -> list[tuple[Any, ...]]:
    ids = _name_ids(connection, selection.names)
    if len(ids) < len(set(selection.names)):
        return []
    return connection.execute(
        f"""SELECT pg.name, qg.name, p.name, q.name, match_count, consensus, {"points" if with_points else "NULL"}
        FROM match_pair CROSS JOIN match_name AS pg ON pg.name_id = p_group
        CROSS JOIN match_name AS qg ON qg.name_id = q_group CROSS JOIN match_name AS p ON p.name_id = p_id
        CROSS JOIN match_name AS q ON q.name_id = q_id WHERE {selection.where}""",
        _arguments(selection, ids, key),
    ).fetchall()


def _find_collection(connection: sqlite3.Connection, collection_id: CollectionId) -> int | None:
    row = connection.execute(
        "SELECT collection_id FROM match_collection WHERE owner = ? AND name = ?", collection_id
    ).fetchone()
    return None if row is None else row[0]


def _count(connection: sqlite3.Connection, key: int, change: int) -> None:
    connection.execute("UPDATE match_collection SET pair_count = pair_count + ? WHERE collection_id = ?", (change, key))


def _arguments(selection: PairSelection, ids: dict[str, int], key: int) -> list[int | None]:
    # at most four names, and the collection as ?5
    names: list[int | None] = [ids[name] for name in selection.names]
    return [*names, *[None] * (4 - len(names)), key]


def _name_ids(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    rows = connection.execute(
        "SELECT name, name_id FROM json_each(?) AS wanted CROSS JOIN match_name ON name = wanted.value",
        (orjson.dumps(list(names)).decode(),),
    )
    return dict(rows.fetchall())


def _interned(connection: sqlite3.Connection, names: set[str]) -> dict[str, int]:
    connection.execute(
        "INSERT OR IGNORE INTO match_name (name) SELECT value FROM json_each(?)",
        (orjson.dumps(sorted(names)).decode(),),
    )
    return _name_ids(connection, names)


def _canvas_order(canvas: Canvas) -> tuple[bytes, bytes]:
    return java_order(canvas.group), java_order(canvas.id)


def _normalized(matches: CanvasMatches) -> Pair:
    from rendermodules.render_ws.store.match_points import packed_points, swapped_points

    if None in (matches.pGroupId, matches.pId, matches.qGroupId, matches.qId):
        raise InvalidRequest("CanvasMatches are missing required pGroupId, qGroupId, pId, and/or qId values")
    p = Canvas(matches.pGroupId or "", matches.pId or "")
    q = Canvas(matches.qGroupId or "", matches.qId or "")
    if any("\0" in name for name in (*p, *q)):
        raise InvalidRequest(f"the pair of {p} and {q} has an id that holds a null character")
    points, consensus = matches.matches, matches.consensusSetData
    if _canvas_order(q) < _canvas_order(p):
        p, q = q, p
        # what is said about consensus sets stays as it was sent, as in Java Render
        points = None if points is None else swapped_points(points)
    return Pair(
        p,
        q,
        0 if points is None else len(points.w),
        None if consensus is None else orjson.dumps(consensus).decode(),
        None if points is None else packed_points(points),
    )
