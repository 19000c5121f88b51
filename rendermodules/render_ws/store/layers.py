"""Layers: the tiles of one z, shared by clones until one of them is written to.

A layer belongs to every stack that has it in ``stack_layer``. Before a write the stack gets a
copy of its own unless nobody else has the layer. Layers that no stack has any more are removed
a few at a time by later writes, so that deleting a large stack takes no longer than a small one.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

import orjson

from rendermodules.render_ws.tile_specs import TileRow

SWEPT_TILES = 20_000
"""Most tiles of deleted layers that one write removes on its way."""

_LOWEST = ("min_x", "min_y", "min_width", "min_height")
_HIGHEST = ("max_x", "max_y", "max_width", "max_height")
_SUMMARY_COLUMNS = ", ".join(("tile_count", *_LOWEST, *_HIGHEST, "channels"))
_SECTION_COLUMNS = "section_id, tile_count, min_x, min_y, max_x, max_y"
_TILE_COLUMNS = "tile_id, section_id, group_id, min_x, min_y, max_x, max_y, refs, channels, codec, spec"


def writable_layer(connection: sqlite3.Connection, stack_key: int, z: float) -> int:
    """Return the id of the layer of ``z``, made or copied so that this stack alone has it."""
    row = connection.execute(
        "SELECT layer_id FROM stack_layer WHERE stack_key = ? AND z = ?", (stack_key, z)
    ).fetchone()
    if row is None:
        (layer_id,) = connection.execute("INSERT INTO layer (tile_count) VALUES (0) RETURNING layer_id").fetchone()
        connection.execute("INSERT INTO stack_layer VALUES (?, ?, ?)", (stack_key, z, layer_id))
        return int(layer_id)
    shared: int = row[0]
    (users,) = connection.execute("SELECT COUNT(*) FROM stack_layer WHERE layer_id = ?", (shared,)).fetchone()
    if users == 1:
        return shared
    (layer_id,) = connection.execute(
        f"INSERT INTO layer ({_SUMMARY_COLUMNS}) SELECT {_SUMMARY_COLUMNS} FROM layer WHERE layer_id = ? "
        "RETURNING layer_id",
        (shared,),
    ).fetchone()
    for table, columns in (("tile", _TILE_COLUMNS), ("layer_section", _SECTION_COLUMNS)):
        connection.execute(
            f"INSERT INTO {table} (layer_id, {columns}) SELECT ?, {columns} FROM {table} WHERE layer_id = ?",
            (layer_id, shared),
        )
    connection.execute("UPDATE stack_layer SET layer_id = ? WHERE stack_key = ? AND z = ?", (layer_id, stack_key, z))
    return int(layer_id)


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
    connection.execute(
        """UPDATE layer SET tile_count = ?, min_x = ?, min_y = ?, max_x = ?, max_y = ?, min_width = ?, max_width = ?,
        min_height = ?, max_height = ?, channels = ? WHERE layer_id = ?""",
        # the distinct lists of names, joined by commas, are the inside of a JSON list of lists
        (*row[:9], _channel_list(f"[{row[9] or ''}]"), layer_id),
    )
    connection.execute(
        """INSERT INTO layer_section
        SELECT layer_id, section_id, COUNT(*), MIN(min_x), MIN(min_y), MAX(max_x), MAX(max_y)
        FROM tile WHERE layer_id = ? AND section_id IS NOT NULL GROUP BY section_id""",
        (layer_id,),
    )


def extend_summary(connection: sqlite3.Connection, layer_id: int, rows: Sequence[TileRow]) -> None:
    """Bring the summary of a layer up to date with tiles that were added to it; none of them replaced another."""
    import numpy as np

    boxes = np.array(list(zip(*rows, strict=True))[3:7]).T
    sizes = boxes[:, 2:] - boxes[:, :2]
    low, high = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    lowest = ", ".join(f"{name} = MIN(IFNULL({name}, excluded.{name}), excluded.{name})" for name in _LOWEST)
    highest = ", ".join(f"{name} = MAX(IFNULL({name}, excluded.{name}), excluded.{name})" for name in _HIGHEST)
    (channels,) = connection.execute("SELECT channels FROM layer WHERE layer_id = ?", (layer_id,)).fetchone()
    lists = {row.channels for row in rows if row.channels is not None} | ({channels} if channels else set())
    whole = "CAST(? AS INTEGER), CAST(? AS INTEGER)"
    connection.execute(
        f"""INSERT INTO layer (layer_id, {_SUMMARY_COLUMNS}) VALUES (?, ?, ?, ?, {whole}, ?, ?, {whole}, ?)
        ON CONFLICT DO UPDATE SET tile_count = tile_count + excluded.tile_count, channels = excluded.channels,
        {lowest}, {highest}""",
        (
            *(layer_id, len(rows)),
            *(*low, *sizes.min(axis=0).tolist(), *high, *sizes.max(axis=0).tolist()),
            _channel_list(f"[{','.join(lists)}]"),
        ),
    )
    members: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.section_id is not None:
            members[row.section_id].append(index)
    connection.executemany(
        f"""INSERT INTO layer_section (layer_id, {_SECTION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET tile_count = tile_count + excluded.tile_count,
        min_x = MIN(min_x, excluded.min_x), min_y = MIN(min_y, excluded.min_y),
        max_x = MAX(max_x, excluded.max_x), max_y = MAX(max_y, excluded.max_y)""",
        [
            (layer_id, section, len(own), *boxes[own, :2].min(axis=0).tolist(), *boxes[own, 2:].max(axis=0).tolist())
            for section, own in members.items()
        ],
    )


def _channel_list(lists: str) -> str | None:
    """Return the JSON list of the names in a JSON list of lists, None without any."""
    names = sorted({name for names in orjson.loads(lists) for name in names})
    return orjson.dumps(names).decode() if names else None
