"""Tiles of stacks: put, delete, move, and every way to ask for them."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from rendermodules.render_ws.errors import IllegalState, InvalidRequest, NotFound
from rendermodules.render_ws.models import StackId, TileBounds
from rendermodules.render_ws.store import layers, transforms
from rendermodules.render_ws.store.database import Database, translated_errors
from rendermodules.render_ws.store.stacks import Stack, raise_revision
from rendermodules.render_ws.tile_specs import FARTHEST, StoredTile, TileRow

Box = tuple[float, float, float, float]
"""minX, minY, maxX, maxY in world pixels."""


@dataclass(frozen=True)
class Selection:
    """Which tiles of a stack are meant; None leaves a question open.

    Attributes
    ----------
    z : float
        One layer.
    minimum_z, maximum_z : float
        Layers, ends included.
    box : Box
        Tiles whose bounding box overlaps or touches it.
    point : tuple of float
        Tiles whose bounding box holds x, y, edges included.
    group_id, section_id : str
    """

    z: float | None = None
    minimum_z: float | None = None
    maximum_z: float | None = None
    box: Box | None = None
    point: tuple[float, float] | None = None
    group_id: str | None = None
    section_id: str | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """Return SQL for a WHERE clause and its arguments."""
        clauses = [
            ("z = ?", self.z),
            ("z >= ?", self.minimum_z),
            ("z <= ?", self.maximum_z),
            ("group_id = ?", self.group_id),
            ("section_id = ?", self.section_id),
        ]
        used = [(clause, value) for clause, value in clauses if value is not None]
        if self.box is not None:
            min_x, min_y, max_x, max_y = self.box
            used += [("min_x <= ?", max_x), ("max_x >= ?", min_x), ("min_y <= ?", max_y), ("max_y >= ?", min_y)]
        if self.point is not None:
            x, y = self.point
            used += [("min_x <= ?", x), ("max_x >= ?", x), ("min_y <= ?", y), ("max_y >= ?", y)]
        return " AND ".join(clause for clause, _ in used) or "TRUE", [value for _, value in used]


def get_tile(database: Database, stack: Stack, tile_id: str) -> StoredTile:
    """Return one tile.

    Raises
    ------
    NotFound
    """
    row = database.connection.execute(
        """SELECT tile_id, refs, codec, spec FROM tile
        CROSS JOIN stack_layer ON stack_layer.layer_id = tile.layer_id AND stack_key = ? WHERE tile_id = ?""",
        (stack.key, tile_id),
    ).fetchone()
    if row is None:
        raise no_tile(stack.id, tile_id)
    return _restored(database, [row])[0]


def get_tile_document(database: Database, stack_id: StackId, tile_id: str) -> bytes:
    """Return the JSON of one tile; of a stack that is only named, since nothing else is asked as often.

    Raises
    ------
    NotFound
        There is no such tile, or no such stack.
    """
    with translated_errors(database.path):
        row = database.connection.execute(
            """SELECT codec, spec FROM stack CROSS JOIN tile
            CROSS JOIN stack_layer ON stack_layer.layer_id = tile.layer_id AND stack_layer.stack_key = stack.stack_key
            WHERE owner = ? AND project = ? AND name = ? AND tile_id = ?""",
            (*stack_id, tile_id),
        ).fetchone()
        if row is None:
            raise no_tile(stack_id, tile_id)
        return database.compression.restored([row])[0]


def no_tile(stack_id: StackId, tile_id: str) -> NotFound:
    """Return the error that says that a tile does not exist."""
    return NotFound(f"tile spec with id '{tile_id}' does not exist in the {stack_id.collection('tile')} collection")


def get_tiles_with_ids(database: Database, stack: Stack, tile_ids: Sequence[str]) -> list[StoredTile]:
    """Return the tiles of these ids that exist, sorted by id."""
    rows = database.connection.execute(
        """SELECT tile_id, refs, codec, spec FROM json_each(?) AS wanted
        CROSS JOIN tile ON tile.tile_id = wanted.value
        CROSS JOIN stack_layer ON stack_layer.layer_id = tile.layer_id AND stack_key = ?
        GROUP BY tile_id ORDER BY tile_id""",
        (orjson.dumps(tile_ids).decode(), stack.key),
    ).fetchall()
    return _restored(database, rows)


def get_tiles(database: Database, stack: Stack, selection: Selection) -> list[StoredTile]:
    """Return the tiles of a selection, sorted by id."""
    condition, arguments = selection.condition()
    rows = database.connection.execute(
        f"""SELECT tile_id, refs, codec, spec FROM stack_layer CROSS JOIN tile USING (layer_id)
        WHERE stack_key = ? AND {condition} ORDER BY tile_id""",
        (stack.key, *arguments),
    ).fetchall()
    return _restored(database, rows)


def count_tiles(connection: sqlite3.Connection, stack: Stack, selection: Selection) -> int:
    """Return the number of tiles of a selection."""
    condition, arguments = selection.condition()
    (number,) = connection.execute(
        f"SELECT COUNT(*) FROM stack_layer CROSS JOIN tile USING (layer_id) WHERE stack_key = ? AND {condition}",
        (stack.key, *arguments),
    ).fetchone()
    return int(number)


def most_tiles(connection: sqlite3.Connection, stack: Stack, selection: Selection) -> int:
    """Return the number of tiles in the layers of a selection, quickly."""
    low = selection.z if selection.minimum_z is None else selection.minimum_z
    high = selection.z if selection.maximum_z is None else selection.maximum_z
    (number,) = connection.execute(
        """SELECT SUM(tile_count) FROM stack_layer JOIN layer USING (layer_id)
        WHERE stack_key = ?1 AND (?2 IS NULL OR z >= ?2) AND (?3 IS NULL OR z <= ?3)""",
        (stack.key, low, high),
    ).fetchone()
    return int(number or 0)


def get_tile_bounds(connection: sqlite3.Connection, stack: Stack, selection: Selection) -> list[TileBounds]:
    """Return the boxes of the tiles of a selection, sorted by id."""
    condition, arguments = selection.condition()
    rows = connection.execute(
        f"""SELECT min_x, min_y, max_x, max_y, tile_id, section_id, z
        FROM stack_layer CROSS JOIN tile USING (layer_id)
        WHERE stack_key = ? AND {condition} ORDER BY tile_id""",
        (stack.key, *arguments),
    )
    return [
        TileBounds(minX=min_x, minY=min_y, maxX=max_x, maxY=max_y, tileId=tile_id, sectionId=section_id, z=z)
        for min_x, min_y, max_x, max_y, tile_id, section_id, z in rows
    ]


def get_tile_ids(
    connection: sqlite3.Connection, stack: Stack, selection: Selection, matches: Callable[[str], bool] | None = None
) -> list[str]:
    """Return the ids of the tiles of a selection, sorted; those of which ``matches`` is true."""
    condition, arguments = selection.condition()
    rows = connection.execute(
        f"""SELECT tile_id FROM stack_layer CROSS JOIN tile USING (layer_id)
        WHERE stack_key = ? AND {condition} ORDER BY tile_id""",
        (stack.key, *arguments),
    )
    return [tile_id for (tile_id,) in rows if matches is None or matches(tile_id)]


def put_tiles(database: Database, stack: Stack, rows: Sequence[tuple[float, TileRow]], specs: dict[str, bytes]) -> None:
    """Add or replace tiles and shared transforms of a stack; call it in a write transaction.

    A tile that exists at another z moves.

    Parameters
    ----------
    rows : sequence of (float, TileRow)
        z and tile; of two with one id the last counts.
    specs : dict of str to bytes
        JSON of shared transforms by id.

    Raises
    ------
    IllegalState
        The stack is not LOADING.
    """
    require_loading_to_put(stack)
    database.compression.learn([row.document for _, row in rows])
    transforms.put_transforms(database, stack.key, stack.transform_set, specs)
    latest = {row.tile_id: (z, row) for z, row in rows}
    by_z: dict[float, list[TileRow]] = defaultdict(list)
    for z, row in latest.values():
        by_z[z].append(row)
    places = get_places(database.connection, stack, latest)
    _remove(database.connection, stack, [(z, tile_id) for z, tile_id in places if latest[tile_id][0] != z])
    replacing = {z for z, tile_id in places if latest[tile_id][0] == z}
    for z in sorted(by_z):
        _put_layer(database, stack, z, by_z[z], z in replacing)
    raise_revision(database.connection, stack)
    layers.sweep_layers(database.connection)


def delete_tiles(connection: sqlite3.Connection, stack: Stack, selection: Selection) -> None:
    """Remove the tiles of a selection; call it in a write transaction."""
    if selection == Selection(z=selection.z):
        layers.release_layers(connection, stack.key, [] if selection.z is None else [selection.z])
    else:
        condition, arguments = selection.condition()
        rows = connection.execute(
            f"""SELECT z, tile_id FROM stack_layer CROSS JOIN tile USING (layer_id)
            WHERE stack_key = ? AND {condition}""",
            (stack.key, *arguments),
        ).fetchall()
        _remove(connection, stack, rows)
    raise_revision(connection, stack)
    layers.sweep_layers(connection)


def delete_tiles_with_ids(connection: sqlite3.Connection, stack: Stack, tile_ids: Sequence[str]) -> None:
    """Remove the tiles of these ids that exist; call it in a write transaction."""
    _remove(connection, stack, get_places(connection, stack, tile_ids))
    raise_revision(connection, stack)


def move_tiles(database: Database, stack: Stack, tile_ids: Sequence[str], z: float) -> None:
    """Give tiles another z, in their specs too; call it in a write transaction.

    Raises
    ------
    IllegalState
        The stack is not LOADING.
    """
    if stack.state != "LOADING":
        raise IllegalState(
            f"Z values can only be updated for stacks in the LOADING state, but this stack's state is {stack.state}."
        )
    if abs(z) > FARTHEST:
        raise InvalidRequest(f"z must not be beyond {FARTHEST:.0e}, but it is {z}")
    rows = get_rows_with_ids(database, stack, tile_ids)
    moved = [(z, row._replace(document=orjson.dumps({**orjson.loads(row.document), "z": z}))) for row in rows]
    if moved:
        put_tiles(database, stack, moved, {})


def get_rows_with_ids(database: Database, stack: Stack, tile_ids: Sequence[str]) -> list[TileRow]:
    """Return the tiles of these ids that exist with all that is kept about them."""
    rows = database.connection.execute(
        """SELECT tile_id, section_id, group_id, min_x, min_y, max_x, max_y, refs, channels, codec, spec
        FROM json_each(?) AS wanted CROSS JOIN tile ON tile.tile_id = wanted.value
        CROSS JOIN stack_layer ON stack_layer.layer_id = tile.layer_id AND stack_key = ?""",
        (orjson.dumps(tile_ids).decode(), stack.key),
    ).fetchall()
    documents = database.compression.restored([row[9:] for row in rows])
    return [TileRow._make((*row[:9], document)) for row, document in zip(rows, documents, strict=True)]


def get_places(connection: sqlite3.Connection, stack: Stack, tile_ids: Iterable[str]) -> list[tuple[float, str]]:
    """Return z and id of the tiles of these ids that exist."""
    return connection.execute(
        """SELECT z, tile_id FROM json_each(?) AS wanted CROSS JOIN tile ON tile.tile_id = wanted.value
        CROSS JOIN stack_layer ON stack_layer.layer_id = tile.layer_id AND stack_key = ?""",
        (orjson.dumps(list(tile_ids)).decode(), stack.key),
    ).fetchall()


def get_reference_lists(connection: sqlite3.Connection, stack: Stack, selection: Selection) -> list[str]:
    """Return the distinct lists (JSON) of ids of shared transforms that the tiles of a selection refer to."""
    condition, arguments = selection.condition()
    rows = connection.execute(
        f"""SELECT DISTINCT refs FROM stack_layer CROSS JOIN tile USING (layer_id)
        WHERE stack_key = ? AND refs IS NOT NULL AND {condition}""",
        (stack.key, *arguments),
    )
    return [refs for (refs,) in rows]


def require_loading_to_put(stack: Stack) -> None:
    """Raise `IllegalState` when tiles may not be put into the stack."""
    if stack.state != "LOADING":
        raise IllegalState(
            f"Resolved tiles can only be saved to stacks in the LOADING state, but this stack's state is {stack.state}."
        )


def require_loading_to_delete(stack: Stack) -> None:
    """Raise `InvalidRequest` when tiles of the stack may not be deleted."""
    if stack.state != "LOADING":
        raise InvalidRequest(f"stack state is {stack.state} but must be LOADING to delete data")


def _restored(database: Database, rows: Sequence[tuple[str, str | None, int, bytes]]) -> list[StoredTile]:
    documents = database.compression.restored([row[2:] for row in rows])
    return [StoredTile(row[0], row[1], document) for row, document in zip(rows, documents, strict=True)]


def _remove(connection: sqlite3.Connection, stack: Stack, places: Sequence[tuple[float, str]]) -> None:
    by_z: dict[float, list[str]] = defaultdict(list)
    for z, tile_id in places:
        by_z[z].append(tile_id)
    for z, tile_ids in by_z.items():
        layer_id = layers.writable_layer(connection, stack.key, z)
        connection.executemany(
            "DELETE FROM tile WHERE layer_id = ? AND tile_id = ?", [(layer_id, tile_id) for tile_id in tile_ids]
        )
        layers.summarize_layer(connection, stack.key, layer_id)


def _put_layer(database: Database, stack: Stack, z: float, rows: list[TileRow], replacing: bool) -> None:
    connection = database.connection
    layer_id = layers.writable_layer(connection, stack.key, z)
    # the order of the index, which then grows at its end
    ordered = sorted(rows, key=itemgetter(0))
    coded = database.compression.compressed(row.document for row in ordered)
    connection.executemany(
        "INSERT OR REPLACE INTO tile VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(layer_id, *row[:9], *code) for row, code in zip(ordered, coded, strict=True)],
    )
    if replacing:
        layers.summarize_layer(connection, stack.key, layer_id)
    else:
        layers.extend_summary(connection, layer_id, ordered)
