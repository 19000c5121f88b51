"""Shared transforms: named specs that tiles of a stack refer to.

Each stack points to a set of them; clones share the set until one of them changes it.
"""

import sqlite3
from collections.abc import Mapping

from rendermodules.render_ws.errors import NotFound
from rendermodules.render_ws.store.database import Database


def new_set(connection: sqlite3.Connection) -> int:
    """Return the id of a new, empty set."""
    (set_id,) = connection.execute("INSERT INTO transform_set DEFAULT VALUES RETURNING set_id").fetchone()
    return int(set_id)


def drop_unused_set(connection: sqlite3.Connection, set_id: int) -> None:
    """Remove a set unless a stack still points to it."""
    if connection.execute("SELECT 1 FROM stack WHERE transform_set = ? LIMIT 1", (set_id,)).fetchone() is None:
        connection.execute("DELETE FROM transform WHERE set_id = ?", (set_id,))
        connection.execute("DELETE FROM transform_set WHERE set_id = ?", (set_id,))


def count(connection: sqlite3.Connection, set_id: int) -> int:
    """Return the number of shared transforms in a set."""
    (number,) = connection.execute("SELECT COUNT(*) FROM transform WHERE set_id = ?", (set_id,)).fetchone()
    return int(number)


def get_transforms(database: Database, set_id: int, ids: set[str] | None = None) -> dict[str, bytes]:
    """Return JSON specs by id: those of ``ids`` that exist, or all of the set."""
    connection = database.connection
    if ids is None:
        rows = connection.execute(
            "SELECT transform_id, codec, spec FROM transform WHERE set_id = ? ORDER BY transform_id", (set_id,)
        ).fetchall()
    else:
        query = "SELECT transform_id, codec, spec FROM transform WHERE set_id = ? AND transform_id = ?"
        found = (connection.execute(query, (set_id, id)).fetchone() for id in sorted(ids))
        rows = [row for row in found if row is not None]
    specs = database.compression.restored(row[1:] for row in rows)
    return dict(zip((row[0] for row in rows), specs, strict=True))


def get_transform(database: Database, set_id: int, transform_id: str, owner: str) -> bytes:
    """Return the JSON spec of one shared transform.

    Parameters
    ----------
    owner : str
        Whose transform it is, for the message.

    Raises
    ------
    NotFound
    """
    found = get_transforms(database, set_id, {transform_id})
    if not found:
        raise NotFound(f"transform spec with id '{transform_id}' does not exist in {owner}")
    return found[transform_id]


def put_transforms(database: Database, stack_key: int, set_id: int, specs: Mapping[str, bytes]) -> int:
    """Add or replace shared transforms of one stack; return the set that it points to afterwards.

    Call it in a write transaction.
    """
    if not specs:
        return set_id
    connection = database.connection
    stored = get_transforms(database, set_id, set(specs))
    changed = {id: spec for id, spec in specs.items() if stored.get(id) != spec}
    if not changed:
        return set_id
    (users,) = connection.execute("SELECT COUNT(*) FROM stack WHERE transform_set = ?", (set_id,)).fetchone()
    if users > 1:
        own = new_set(connection)
        connection.execute(
            "INSERT INTO transform SELECT ?, transform_id, codec, spec FROM transform WHERE set_id = ?", (own, set_id)
        )
        connection.execute("UPDATE stack SET transform_set = ? WHERE stack_key = ?", (own, stack_key))
        set_id = own
    connection.executemany(
        "INSERT OR REPLACE INTO transform VALUES (?, ?, ?, ?)",
        [
            (set_id, id, *coded)
            for id, coded in zip(changed, database.compression.compressed(changed.values()), strict=True)
        ],
    )
    return set_id
