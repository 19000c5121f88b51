"""Stacks: names, versions, states, and what each state permits."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from rendermodules.render_ws.errors import IllegalState, InvalidRequest, NotFound
from rendermodules.render_ws.models import (
    STATES,
    SectionData,
    StackBounds,
    StackId,
    StackStats,
    StackVersion,
)
from rendermodules.render_ws.store import layers, transforms
from rendermodules.render_ws.timestamps import now, timestamp_text

TRANSITIONS = {
    "LOADING": ("LOADING", "COMPLETE"),
    "COMPLETE": STATES,
    "READ_ONLY": ("READ_ONLY", "COMPLETE", "OFFLINE"),
    "OFFLINE": ("OFFLINE", "COMPLETE"),
}
"""States that a stack may enter from each state."""

_COLUMNS = """stack_key, owner, project, name, state, version_number, version, modified, revision, stats,
    hierarchical_data, transform_set"""


@dataclass(frozen=True)
class Stack:
    """One row of the table of stacks.

    Attributes
    ----------
    key : int
        What layers refer to; stays when the stack is renamed.
    id : StackId
    state : str
        One of `STATES`.
    version : StackVersion
    modified : int
        Milliseconds since 1970 of the last change of state or version.
    revision : int
        Raised by every change, of tiles too.
    stats, hierarchical_data : bytes or None
        JSON.
    transform_set : int
        Where its shared transforms are.
    """

    key: int
    id: StackId
    state: str
    version_number: int
    version: StackVersion
    modified: int
    revision: int
    stats: bytes | None
    hierarchical_data: bytes | None
    transform_set: int

    def metadata(self) -> dict[str, Any]:
        """Return the stack as Render's StackMetaData, ready for orjson."""
        document = {
            "stackId": self.id._asdict(),
            "state": self.state,
            "lastModifiedTimestamp": timestamp_text(self.modified),
            "currentVersionNumber": self.version_number,
            "currentVersion": orjson.Fragment(msgspec.json.encode(self.version)),
        }
        if self.stats is not None:
            document["stats"] = orjson.Fragment(self.stats)
        if self.hierarchical_data is not None:
            document["hierarchicalData"] = orjson.Fragment(self.hierarchical_data)
        return document

    def require_modifiable(self) -> None:
        """Raise `IllegalState` for a READ_ONLY stack."""
        if self.state == "READ_ONLY":
            raise IllegalState(f"Data for stack {self.id.stack} cannot be modified because it is READ_ONLY.")

    def require_online(self) -> None:
        """Raise `NotFound` for an OFFLINE stack, whose tiles were dropped."""
        if self.state == "OFFLINE":
            raise NotFound(f"{self.id} does not exist")


def find_stack(connection: sqlite3.Connection, stack_id: StackId) -> Stack | None:
    """Return the stack of this name, or None."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM stack WHERE owner = ? AND project = ? AND name = ?", stack_id
    ).fetchone()
    return None if row is None else _stack(row)


def get_stack(connection: sqlite3.Connection, stack_id: StackId) -> Stack:
    """Return the stack of this name.

    Raises
    ------
    NotFound
    """
    stack = find_stack(connection, stack_id)
    if stack is None:
        raise NotFound(f"{stack_id} does not exist")
    return stack


def get_owners(connection: sqlite3.Connection) -> list[str]:
    """Return the owners of all stacks, sorted."""
    return [owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM stack ORDER BY owner")]


def get_projects(connection: sqlite3.Connection, owner: str) -> list[str]:
    """Return the projects of an owner, sorted."""
    query = "SELECT DISTINCT project FROM stack WHERE owner = ? ORDER BY project"
    return [project for (project,) in connection.execute(query, (owner,))]


def get_stacks(connection: sqlite3.Connection, owner: str, project: str | None = None) -> list[Stack]:
    """Return the stacks of an owner (and project): by project, then latest cycle and change first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM stack WHERE owner = ?1 AND (?2 IS NULL OR project = ?2)", (owner, project)
    )
    return sorted(map(_stack, rows), key=_catalogue_order)


def create_stack(connection: sqlite3.Connection, stack_id: StackId, version: StackVersion) -> None:
    """Make a stack, or give an existing one a new version; either is then LOADING.

    Raises
    ------
    IllegalState
        It exists and is READ_ONLY.
    """
    stack = find_stack(connection, stack_id)
    if stack is None:
        insert_stack(connection, stack_id, version, transforms.new_set(connection))
        return
    stack.require_modifiable()
    connection.execute(
        """UPDATE stack SET state = 'LOADING', version_number = version_number + 1, version = ?, modified = ?,
        revision = revision + 1, stats = NULL, hierarchical_data = NULL WHERE stack_key = ?""",
        (msgspec.json.encode(version).decode(), now(), stack.key),
    )


def insert_stack(connection: sqlite3.Connection, stack_id: StackId, version: StackVersion, transform_set: int) -> None:
    """Make a stack that does not exist yet, LOADING and without tiles."""
    connection.execute(
        """INSERT INTO stack (owner, project, name, state, version_number, version, modified, revision, transform_set)
        VALUES (?, ?, ?, 'LOADING', 0, ?, ?, 0, ?)""",
        (*stack_id, msgspec.json.encode(version).decode(), now(), transform_set),
    )


def delete_stack(connection: sqlite3.Connection, stack_id: StackId) -> None:
    """Remove a stack and its tiles; nothing happens when there is none.

    Raises
    ------
    IllegalState
        It is READ_ONLY.
    """
    stack = find_stack(connection, stack_id)
    if stack is None:
        return
    stack.require_modifiable()
    layers.release_layers(connection, stack.key)
    connection.execute("DELETE FROM stack WHERE stack_key = ?", (stack.key,))
    transforms.drop_unused_set(connection, stack.transform_set)
    layers.sweep_layers(connection)


def rename_stack(connection: sqlite3.Connection, stack_id: StackId, to: StackId) -> None:
    """Give a stack another name.

    Raises
    ------
    NotFound
        There is no such stack.
    InvalidRequest
        It is READ_ONLY or OFFLINE, or the new name is taken.
    """
    stack = get_stack(connection, stack_id)
    if stack.state in ("READ_ONLY", "OFFLINE"):
        raise InvalidRequest(f"{stack_id} cannot be modified because it is {stack.state}.")
    if find_stack(connection, to) is not None:
        raise InvalidRequest(f"{to} already exists")
    connection.execute(
        """UPDATE stack SET owner = ?, project = ?, name = ?, modified = ?, revision = revision + 1,
        hierarchical_data = NULL WHERE stack_key = ?""",
        (*to, now(), stack.key),
    )


def set_state(connection: sqlite3.Connection, stack_id: StackId, state: str) -> None:
    """Take a stack to another state.

    COMPLETE gathers statistics and section data, LOADING begins a new version without
    statistics, OFFLINE drops the tiles.

    Raises
    ------
    NotFound
        There is no such stack.
    InvalidRequest
        The stack cannot enter the state from its own.
    IllegalState
        COMPLETE for a stack without tiles.
    """
    stack = get_stack(connection, stack_id)
    if state not in TRANSITIONS[stack.state]:
        raise InvalidRequest(
            f"The {stack_id.stack} stack's state is currently {stack.state} and must first be transitioned to "
            f"COMPLETE before transitioning it to {state}."
        )
    if state == "COMPLETE" and stack.state != "READ_ONLY":
        _complete(connection, stack)
    elif state == "LOADING" and stack.state == "COMPLETE":
        connection.execute(
            """UPDATE stack SET state = 'LOADING', version_number = version_number + 1, stats = NULL, modified = ?,
            revision = revision + 1 WHERE stack_key = ?""",
            (now(), stack.key),
        )
    elif state != stack.state:
        connection.execute(
            "UPDATE stack SET state = ?, revision = revision + 1 WHERE stack_key = ?", (state, stack.key)
        )
    if state == "OFFLINE":
        _drop_data(connection, stack)


def raise_revision(connection: sqlite3.Connection, stack: Stack) -> None:
    """Note that the tiles of a stack have changed."""
    connection.execute("UPDATE stack SET revision = revision + 1 WHERE stack_key = ?", (stack.key,))


def set_version(connection: sqlite3.Connection, stack: Stack, version: StackVersion) -> None:
    """Replace what is said about the current version; number and time stay.

    Raises
    ------
    IllegalState
        The stack is READ_ONLY.
    """
    stack.require_modifiable()
    connection.execute(
        "UPDATE stack SET version = ?, revision = revision + 1 WHERE stack_key = ?",
        (msgspec.json.encode(version).decode(), stack.key),
    )


def set_hierarchical_data(connection: sqlite3.Connection, stack: Stack, data: bytes | None) -> None:
    """Replace the JSON about hierarchical alignment; None removes it."""
    stack.require_modifiable()
    connection.execute(
        "UPDATE stack SET hierarchical_data = ?, revision = revision + 1 WHERE stack_key = ?",
        (None if data is None else data.decode(), stack.key),
    )


def get_z_values(
    connection: sqlite3.Connection, stack: Stack, minimum: float | None = None, maximum: float | None = None
) -> list[float]:
    """Return the z of all layers in [minimum, maximum], sorted."""
    rows = connection.execute(
        "SELECT z FROM stack_layer WHERE stack_key = ? AND z >= ? AND z <= ? ORDER BY z",
        (stack.key, *_z_range(minimum, maximum)),
    )
    return [z for (z,) in rows]


def get_layer_bounds(connection: sqlite3.Connection, stack: Stack, z: float) -> StackBounds:
    """Return the box around the tiles of one layer, in world pixels.

    Raises
    ------
    InvalidRequest
        There are no tiles at z.
    """
    row = connection.execute(
        """SELECT min_x, min_y, z, max_x, max_y, z FROM stack_layer JOIN layer USING (layer_id)
        WHERE stack_key = ? AND z = ?""",
        (stack.key, z),
    ).fetchone()
    if row is None:
        raise no_tiles_at(stack.id, z)
    return StackBounds(*row)


def no_tiles_at(stack_id: StackId, z: float) -> InvalidRequest:
    """Return the error that says that a layer is empty."""
    return InvalidRequest(f"stack {stack_id.stack} does not contain any tiles with a z value of {z}")


def get_section_data(
    connection: sqlite3.Connection, stack: Stack, minimum: float | None = None, maximum: float | None = None
) -> list[SectionData]:
    """Return the sections of the layers in [minimum, maximum] as they are now, sorted by sectionId."""
    rows = connection.execute(
        """SELECT section_id, z, s.tile_count, s.min_x, s.max_x, s.min_y, s.max_y
        FROM stack_layer JOIN layer_section AS s USING (layer_id)
        WHERE stack_key = ? AND z >= ? AND z <= ? ORDER BY section_id, z""",
        (stack.key, *_z_range(minimum, maximum)),
    )
    return [SectionData(*row) for row in rows]


def get_completed_section_data(connection: sqlite3.Connection, stack: Stack) -> bytes | None:
    """Return the section data that the last completion gathered, as JSON; None before the first."""
    (text,) = connection.execute("SELECT section_data FROM stack WHERE stack_key = ?", (stack.key,)).fetchone()
    return None if text is None else str(text).encode()


def get_section_z(connection: sqlite3.Connection, stack: Stack, section_id: str) -> float:
    """Return the z of a section; when it is spread over several layers, of its tile with the lowest id.

    Raises
    ------
    NotFound
        No tile has this sectionId.
    """
    layers_of_section = connection.execute(
        """SELECT z, layer_id FROM layer_section CROSS JOIN stack_layer USING (layer_id)
        WHERE section_id = ? AND stack_key = ?""",
        (section_id, stack.key),
    ).fetchall()
    if not layers_of_section:
        raise NotFound(f"sectionId '{section_id}' does not exist in the {stack.id}")
    if len(layers_of_section) == 1:
        return float(layers_of_section[0][0])
    query = "SELECT MIN(tile_id) FROM tile WHERE layer_id = ? AND section_id = ?"
    first_ids = [(connection.execute(query, (layer_id, section_id)).fetchone(), z) for z, layer_id in layers_of_section]
    return float(min(first_ids)[1])


def _z_range(minimum: float | None, maximum: float | None) -> tuple[float, float]:
    return -float("inf") if minimum is None else minimum, float("inf") if maximum is None else maximum


def _stack(row: Sequence[Any]) -> Stack:
    key, owner, project, name, state, number, version, modified, revision, stats, hierarchical, transform_set = row
    return Stack(
        key,
        StackId(owner, project, name),
        state,
        number,
        msgspec.json.decode(version, type=StackVersion),
        modified,
        revision,
        None if stats is None else stats.encode(),
        None if hierarchical is None else hierarchical.encode(),
        transform_set,
    )


def _catalogue_order(stack: Stack) -> tuple[Any, ...]:
    def latest_first(number: int | None) -> float:
        return float("inf") if number is None else -number

    version = stack.version
    return (
        stack.id.project,
        latest_first(version.cycleNumber),
        latest_first(version.cycleStepNumber),
        -stack.modified,
        stack.id.stack,
    )


def _complete(connection: sqlite3.Connection, stack: Stack) -> None:
    row = connection.execute(
        """SELECT COUNT(*), SUM(z != CAST(z AS INTEGER)), SUM(tile_count), MIN(min_x), MIN(min_y), MIN(z),
        MAX(max_x), MAX(max_y), MAX(z), MIN(min_width), MAX(max_width), MIN(min_height), MAX(max_height)
        FROM stack_layer JOIN layer USING (layer_id) WHERE stack_key = ?""",
        (stack.key,),
    ).fetchone()
    if row[0] == 0:
        raise IllegalState("Stack data aggregation returned no results because the stack has no tiles.")
    channel_lists = connection.execute(
        """SELECT DISTINCT channels FROM stack_layer JOIN layer USING (layer_id)
        WHERE stack_key = ? AND channels IS NOT NULL""",
        (stack.key,),
    )
    stats = StackStats(
        stackBounds=StackBounds(*row[3:9]),
        sectionCount=row[0],
        nonIntegralSectionCount=row[1],
        tileCount=row[2],
        transformCount=transforms.count(connection, stack.transform_set),
        minTileWidth=row[9],
        maxTileWidth=row[10],
        minTileHeight=row[11],
        maxTileHeight=row[12],
        channelNames=sorted({name for (text,) in channel_lists for name in orjson.loads(text)}),
    )
    connection.execute(
        """UPDATE stack SET state = 'COMPLETE', stats = ?, section_data = ?, modified = ?, revision = revision + 1
        WHERE stack_key = ?""",
        (
            msgspec.json.encode(stats).decode(),
            msgspec.json.encode(get_section_data(connection, stack)).decode(),
            stack.modified if stack.state == "COMPLETE" else now(),
            stack.key,
        ),
    )


def _drop_data(connection: sqlite3.Connection, stack: Stack) -> None:
    layers.release_layers(connection, stack.key)
    connection.execute(
        "UPDATE stack SET section_data = NULL, transform_set = ? WHERE stack_key = ?",
        (transforms.new_set(connection), stack.key),
    )
    transforms.drop_unused_set(connection, stack.transform_set)
    layers.sweep_layers(connection)
