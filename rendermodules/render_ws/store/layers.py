"""Layers: the tiles of one z, shared by clones until one of them is written to.

A layer belongs to every stack that has it in ``stack_layer``. Before a write the stack gets a
copy of its own unless nobody else has the layer. Layers that no stack has any more are removed
a few at a time by later writes, so that deleting a large stack takes no longer than a small one.
"""

import sqlite3
from collections.abc import Iterable

import orjson

SWEPT_TILES = 20_000
"""Most tiles of deleted layers that one write removes on its way."""

_TILE_COLUMNS = "tile_id, section_id, group_id, min_x, min_y, max_x, max_y, refs, channels, codec, spec"


def writable_layer(connection: sqlite3.Connection, stack_key: int, z: float) -> int:
    """Return the id of the layer of ``z``, made or copied so that this stack alone has it."""
    row = connection.execute(
        "SELECT layer_id FROM stack_layer WHERE stack_key = ? AND z = ?", (stack_key, z)
    ).fetchone()
    if row is None:
        layer_id = _new_layer(connection)
        connection.execute("INSERT INTO stack_layer VALUES (?, ?, ?)", (stack_key, z, layer_id))
        return layer_id
    shared: int = row[0]
    (users,) = connection.execute("SELECT COUNT(*) FROM stack_layer WHERE layer_id = ?", (shared,)).fetchone()
    if users == 1:
        return shared
    layer_id = _new_layer(connection)
    connection.execute(
        f"INSERT INTO tile (layer_id, {_TILE_COLUMNS}) SELECT ?, {_TILE_COLUMNS} FROM tile WHERE layer_id = ?",
        (layer_id, shared),
    )
    connection.execute("UPDATE stack_layer SET layer_id = ? WHERE stack_key = ? AND z = ?", (layer_id, stack_key, z))
    return layer_id


def empty_layer(connection: sqlite3.Connection, stack_key: int, z: float) -> int:
    """Return the id of a layer of ``z`` without tiles; the one that was there is released."""
    release_layers(connection, stack_key, [z])
    layer_id = _new_layer(connection)
    connection.execute("INSERT INTO stack_layer VALUES (?, ?, ?)", (stack_key, z, layer_id))
    return layer_id


def release_layers(connection: sqlite3.Connection, stack_key: int, z_values: Iterable[float] | None = None) -> None:
    """Take the layers of ``z_values`` (all: None) from the stack; those that nobody else has become garbage."""
    condition = "stack_key = ?" if z_values is None else "stack_key = ? AND z = ?"
    arguments: list[tuple[float, ...]] = [(stack_key,)] if z_values is None else [(stack_key, z) for z in z_values]
    for argument in arguments:
        connection.execute(
            f"""INSERT OR IGNORE INTO garbage_layer SELECT layer_id FROM stack_layer AS mine WHERE {condition}
            AND NOT EXISTS (SELECT 1 FROM stack_layer AS other
                WHERE other.layer_id = mine.layer_id AND (other.stack_key, other.z) != (mine.stack_key, mine.z))""",
            argument,
        )
        connection.execute(f"DELETE FROM stack_layer WHERE {condition}", argument)


def sweep_layers(connection: sqlite3.Connection, tiles: int | None = SWEPT_TILES) -> None:
    """Remove layers that no stack has, up to about ``tiles`` tiles (all: None)."""
    for (layer_id,) in connection.execute("SELECT layer_id FROM garbage_layer").fetchall():
        if tiles is not None and tiles <= 0:
            return
        removed = connection.execute(
            """DELETE FROM tile WHERE layer_id = ?1 AND tile_id IN
            (SELECT tile_id FROM tile WHERE layer_id = ?1 LIMIT ?2)""",
            (layer_id, -1 if tiles is None else tiles),
        ).rowcount
        if tiles is not None:
            tiles -= removed
        if connection.execute("SELECT 1 FROM tile WHERE layer_id = ? LIMIT 1", (layer_id,)).fetchone() is None:
            connection.execute("DELETE FROM layer_section WHERE layer_id = ?", (layer_id,))
            connection.execute("DELETE FROM layer WHERE layer_id = ?", (layer_id,))
            connection.execute("DELETE FROM garbage_layer WHERE layer_id = ?", (layer_id,))


def summarize_layer(connection: sqlite3.Connection, stack_key: int, layer_id: int) -> None:
    """Bring the summary of a layer up to date with its tiles; a layer without tiles leaves the stack."""
    row = connection.execute(
        """SELECT COUNT(*), MIN(min_x), MIN(min_y), MAX(max_x), MAX(max_y),
        MIN(CAST(max_x - min_x AS INTEGER)), MAX(CAST(max_x - min_x AS INTEGER)),
        MIN(CAST(max_y - min_y AS INTEGER)), MAX(CAST(max_y - min_y AS INTEGER)),
        group_concat(DISTINCT channels) FROM tile WHERE layer_id = ?""",
        (layer_id,),
    ).fetchone()
    connection.execute("DELETE FROM layer_section WHERE layer_id = ?", (layer_id,))
    if row[0] == 0:
        connection.execute("DELETE FROM stack_layer WHERE stack_key = ? AND layer_id = ?", (stack_key, layer_id))
        connection.execute("DELETE FROM layer WHERE layer_id = ?", (layer_id,))
        return
    # the distinct lists of names, joined by commas, are the inside of a JSON list of lists
    names = sorted({name for names in orjson.loads(f"[{row[9] or ''}]") for name in names})
    connection.execute(
        """UPDATE layer SET tile_count = ?, min_x = ?, min_y = ?, max_x = ?, max_y = ?, min_width = ?, max_width = ?,
        min_height = ?, max_height = ?, channels = ? WHERE layer_id = ?""",
        (*row[:9], orjson.dumps(names).decode() if names else None, layer_id),
    )
    connection.execute(
        """INSERT INTO layer_section
        SELECT layer_id, section_id, COUNT(*), MIN(min_x), MIN(min_y), MAX(max_x), MAX(max_y)
        FROM tile WHERE layer_id = ? AND section_id IS NOT NULL GROUP BY section_id""",
        (layer_id,),
    )


def _new_layer(connection: sqlite3.Connection) -> int:
    (layer_id,) = connection.execute("INSERT INTO layer (tile_count) VALUES (0) RETURNING layer_id").fetchone()
    return int(layer_id)
