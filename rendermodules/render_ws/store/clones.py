"""Clones: stacks that share the layers and transforms of another until one of them is written to."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from rendermodules.render_ws.errors import IllegalState
from rendermodules.render_ws.models import StackId, StackVersion
from rendermodules.render_ws.store import transforms
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.stacks import Stack, find_stack, get_stack, get_z_values, insert_stack
from rendermodules.render_ws.store.tiles import get_places, get_rows_with_ids, put_tiles
from rendermodules.render_ws.timestamps import now


class CloneOptions(NamedTuple):
    """What a clone takes over.

    Attributes
    ----------
    z_values : sequence of float or None
        The layers; None means all of them.
    with_transforms : bool
        Whether shared transforms come along.
    strict : bool
        Refuse what Java Render refuses: a tile or transform that is in both stacks, and a whole
        clone into a stack that has tiles. Otherwise what is cloned replaces what was there.
    """

    z_values: Sequence[float] | None = None
    with_transforms: bool = True
    strict: bool = False


def clone_stack(
    database: Database, source_id: StackId, target_id: StackId, version: StackVersion, options: CloneOptions
) -> None:
    """Copy a stack; nothing is duplicated before one of the two changes. Call it in a write transaction.

    The target begins at version 0 and is LOADING, also when it existed.

    Raises
    ------
    NotFound
        There is no such source.
    IllegalState
        The target exists and is not LOADING, or ``strict`` refuses.
    """
    connection = database.connection
    source = get_stack(connection, source_id)
    target = find_stack(connection, target_id)
    if target is not None and target.state != "LOADING":
        raise IllegalState(f"Tiles cannot be cloned to stack {target_id.stack} because it is {target.state}.")
    z_values = get_z_values(connection, source)
    if options.z_values is not None:
        wanted = set(options.z_values)
        z_values = [z for z in z_values if z in wanted]
    if target is None:
        _share(connection, source, target_id, version, z_values, options.with_transforms)
        return
    if options.strict:
        _require_disjoint(connection, source, target, options)
    _restart(connection, target, version)
    if options.with_transforms:
        specs = transforms.get_transforms(database, source.transform_set)
        transforms.put_transforms(database, target.key, target.transform_set, specs)
    for z in z_values:
        _merge_layer(database, source, get_stack(connection, target_id), z, options.strict)


def _share(
    connection: sqlite3.Connection,
    source: Stack,
    target_id: StackId,
    version: StackVersion,
    z_values: Sequence[float],
    with_transforms: bool,
) -> None:
    transform_set = source.transform_set if with_transforms else transforms.new_set(connection)
    insert_stack(connection, target_id, version, transform_set)
    target = get_stack(connection, target_id)
    connection.executemany(
        "INSERT INTO stack_layer SELECT ?, z, layer_id FROM stack_layer WHERE stack_key = ? AND z = ?",
        [(target.key, source.key, z) for z in z_values],
    )


def _restart(connection: sqlite3.Connection, target: Stack, version: StackVersion) -> None:
    connection.execute(
        """UPDATE stack SET version_number = 0, version = ?, modified = ?, revision = revision + 1, stats = NULL,
        section_data = NULL, hierarchical_data = NULL WHERE stack_key = ?""",
        (msgspec.json.encode(version).decode(), now(), target.key),
    )


def _require_disjoint(connection: sqlite3.Connection, source: Stack, target: Stack, options: CloneOptions) -> None:
    if options.z_values is None and get_z_values(connection, target):
        raise IllegalState(f"{target.id} holds tiles already")
    query = """SELECT transform_id FROM transform WHERE set_id = ?
        INTERSECT SELECT transform_id FROM transform WHERE set_id = ?"""
    both = connection.execute(query, (source.transform_set, target.transform_set)).fetchone()
    if options.with_transforms and both is not None:
        raise IllegalState(f"the transform {both[0]} is in both {source.id} and {target.id}")


def _merge_layer(database: Database, source: Stack, target: Stack, z: float, strict: bool) -> None:
    connection = database.connection
    (layer_id,) = connection.execute(
        "SELECT layer_id FROM stack_layer WHERE stack_key = ? AND z = ?", (source.key, z)
    ).fetchone()
    ids = [id for (id,) in connection.execute("SELECT tile_id FROM tile WHERE layer_id = ?", (layer_id,))]
    places = get_places(connection, target, ids)
    if strict and places:
        raise IllegalState(f"the tile {places[0][1]} is in both {source.id} and {target.id}")
    occupied = connection.execute("SELECT 1 FROM stack_layer WHERE stack_key = ? AND z = ?", (target.key, z)).fetchone()
    if places or occupied:
        put_tiles(database, target, [(z, row) for row in get_rows_with_ids(database, source, ids)], {})
    else:
        connection.execute("INSERT INTO stack_layer VALUES (?, ?, ?)", (target.key, z, layer_id))
