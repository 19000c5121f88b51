"""Lists of coordinates between tiles and the world, each tile's mesh made once for all its points."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import orjson

from rendermodules.core.transforms import TileMesh, tile_transform
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, Unprocessable
from rendermodules.render_ws.models import StackId, decoded
from rendermodules.render_ws.routes.render_data import shared_transforms
from rendermodules.render_ws.store import stacks, tiles
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.tile_specs import NOT_UNDERSTOOD


class Coordinates(msgspec.Struct, omit_defaults=True):
    """A point of a tile, of the world, or both; in pixels, ``world`` with z behind them."""

    tileId: str | None = None
    visible: bool | None = None
    local: list[float] | None = None
    world: list[float] | None = None
    error: str | None = None


class NoTileError(InvalidRequest):
    """No tile holds a point of the world."""


class NotInvertible(Unprocessable):
    """Tiles hold a point of the world, but none of their meshes does."""


Outcome = list[Coordinates] | NoTileError | NotInvertible


def worlds_of_locals(call: Call, items: Sequence[Coordinates | None]) -> list[Coordinates]:
    """Return items with ``world`` instead of ``local``, or with an ``error``; in the order given."""
    answers = [_local_problem(item) for item in items]
    by_tile: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if item is not None and answers[index] is None:
            by_tile[item.tileId or ""].append(index)
    specs = _resolved_specs(call, sorted(by_tile))
    for tile_id, indices in by_tile.items():
        points = [(items[index].local or [])[:2] for index in indices]  # type: ignore[union-attr]
        for index, answer in zip(indices, _worlds(call, tile_id, specs.get(tile_id), points), strict=True):
            answers[index] = answer if answer.error is None else _with_error(items[index], answer.error)
    return answers  # type: ignore[return-value]


def local_of_worlds(call: Call, items: Sequence[Coordinates | None], z: float | None) -> list[list[Coordinates]]:
    """Return, for each item, its coordinates in every tile that holds its ``world``, the topmost last.

    Parameters
    ----------
    items : sequence of Coordinates
        World coordinates x, y, and z when ``z`` is None.

    Returns
    -------
    list of list of Coordinates
        In the order of the items. An item that fails is answered by itself with an ``error``.
    """
    outcomes = local_outcomes(call, items, z)
    return [
        [_with_error(item, str(outcome))] if isinstance(outcome, Exception) else outcome
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def local_outcomes(call: Call, items: Sequence[Coordinates | None], z: float | None) -> list[Any]:
    """Return, for each item, its coordinates in every tile that holds it, or the exception that says why not."""
    outcomes: list[Any] = [_world_problem(item, z) for item in items]
    by_z: dict[float, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if outcomes[index] is None:
            by_z[_world(item)[2] if z is None else z].append(index)
    database = call.database
    with database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        for layer, indices in by_z.items():
            points = np.array([_world(items[index])[:2] for index in indices], dtype=float)
            found = _layer_outcomes(call, database, stack, layer, points)
            for index, outcome in zip(indices, found, strict=True):
                outcomes[index] = outcome
    return outcomes


def tile_ids_of_worlds(call: Call, items: Sequence[Coordinates | None], z: float | None) -> list[list[Coordinates]]:
    """Return, for each item, the tiles whose boxes hold its ``world``; the item alone when there are none.

    Raises
    ------
    InvalidRequest
        An item has no ``world``, or no z when ``z`` is None.
    """
    for item in items:
        problem = _world_problem(item, z)
        if problem is not None:
            raise problem
    answers: list[list[Coordinates]] = [[] for _ in items]
    by_z: dict[float, list[int]] = defaultdict(list)
    worlds = [_world(item) for item in items]
    for index, world in enumerate(worlds):
        by_z[world[2] if z is None else z].append(index)
    with call.database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        for layer, indices in by_z.items():
            points = np.array([worlds[index][:2] for index in indices], dtype=float)
            for tile_id, members in tiles.get_hits(connection, stack, layer, points) if stack else ():
                for member in members.tolist():
                    index = indices[member]
                    answers[index].append(Coordinates(tileId=tile_id, world=worlds[index]))
    return [answer or [Coordinates(world=world)] for answer, world in zip(answers, worlds, strict=True)]


def mapped_to_stack(call: Call, world: list[float], z: float, target_id: StackId) -> Coordinates:
    """Return where a point of one stack is in another: through the topmost tile that both have.

    Raises
    ------
    NoTileError, NotInvertible, NotFound
    """
    (outcome,) = local_outcomes(call, [Coordinates(world=world)], z)
    if isinstance(outcome, Exception):
        raise outcome
    visible: Coordinates = outcome[-1]
    database = call.database
    with database.reading() as connection:
        target = stacks.get_stack(connection, target_id)
        stored = tiles.get_tile(database, target, visible.tileId or "")
        spec = orjson.loads(stored.document)
        shared = shared_transforms(database, target, [stored])
    (x, y) = tile_transform(spec, shared).apply([visible.local or []][0][:2]).tolist()
    return Coordinates(tileId=visible.tileId, world=[x, y, spec["z"]])


def world_of_spec(body: bytes, point: tuple[float, float]) -> list[float]:
    """Return where a point of the tile spec in ``body`` is in the world: x, y, and z if the tile has one.

    Raises
    ------
    InvalidRequest
        Not a tile spec, or its transforms cannot be understood.
    """
    spec = _tile_spec(body)
    try:
        return [*tile_transform(spec).apply(point).tolist(), *_z_of(spec)]
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"the tile spec cannot be understood: {error}") from error


def local_of_spec(body: bytes, point: tuple[float, float], mesh_cell_size: float | None, strict: bool) -> list[float]:
    """Return where a point of the world is in the tile spec in ``body``: x, y, and z if the tile has one.

    Raises
    ------
    InvalidRequest
        Not a tile spec, or its transforms cannot be understood.
    NotInvertible
        The point is outside of the tile.
    """
    spec = _tile_spec(body)
    if mesh_cell_size is not None:
        spec["meshCellSize"] = mesh_cell_size
    try:
        x, y = TileMesh(spec).inverse([point], one_orientation=strict)[0].tolist()
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"the tile spec cannot be understood: {error}") from error
    if x != x:
        raise NotInvertible(f"Noninvertible location ( {point[0]}, {point[1]} )")
    return [x, y, *_z_of(spec)]


def _layer_outcomes(
    call: Call, database: Database, stack: Stack | None, z: float, points: np.ndarray[Any, Any]
) -> list[Any]:
    hits = tiles.get_hits(database.connection, stack, z, points) if stack is not None else []
    found: list[list[Coordinates]] = [[] for _ in points]
    candidates: list[list[str]] = [[] for _ in points]
    specs = _resolved_specs(call, [tile_id for tile_id, _ in hits])
    for tile_id, members in hits:
        locations = _locations(specs[tile_id], points[members], call.strict)
        for member, (x, y) in zip(members.tolist(), locations, strict=True):
            candidates[member].append(tile_id)
            if x == x:
                found[member].append(Coordinates(tileId=tile_id, local=[x, y, z]))
    outcomes: list[Any] = []
    for (x, y), answer, ids in zip(points.tolist(), found, candidates, strict=True):
        if answer:
            answer[-1].visible = True
            outcomes.append(answer)
        elif ids:
            outcomes.append(
                NotInvertible(f"world coordinate ({x}, {y}) found in tile id(s) [{', '.join(ids)}] cannot be inverted")
            )
        else:
            outcomes.append(
                NoTileError(
                    f"no tile specifications found in {call.stack_id} for world coordinates x={x}, y={y}, z={z}"
                )
            )
    return outcomes


def _locations(resolved: tuple[dict[str, Any], Any], points: np.ndarray[Any, Any], strict: bool) -> list[list[float]]:
    try:
        locations: list[list[float]] = TileMesh(*resolved).inverse(points, one_orientation=strict).tolist()
    except NOT_UNDERSTOOD as error:
        raise Unprocessable(str(error)) from error
    return locations


def _worlds(
    call: Call, tile_id: str, resolved: tuple[dict[str, Any], Any] | None, points: Sequence[Sequence[float]]
) -> list[Coordinates]:
    if resolved is None:
        return [Coordinates(error=str(tiles.no_tile(call.stack_id, tile_id)))] * len(points)
    spec, shared = resolved
    try:
        worlds = tile_transform(spec, shared).apply(points).tolist()
    except NOT_UNDERSTOOD as error:
        return [Coordinates(error=str(error))] * len(points)
    return [Coordinates(tileId=tile_id, world=[*world, *_z_of(spec)]) for world in worlds]


def _resolved_specs(call: Call, tile_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], Any]]:
    """Return tile spec and shared transforms of the tiles that exist, by id."""
    database = call.database
    with database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        if stack is None or not tile_ids:
            return {}
        found = tiles.get_tiles_with_ids(database, stack, tile_ids)
        shared = shared_transforms(database, stack, found)
    return {tile.tile_id: (orjson.loads(tile.document), shared) for tile in found}


def _local_problem(item: Coordinates | None) -> Coordinates | None:
    if item is None:
        return Coordinates(error="coordinates are missing")
    if item.tileId is None:
        return _with_error(item, "tileId is missing")
    if item.local is None:
        return _with_error(item, "local values are missing")
    if len(item.local) < 2:
        return _with_error(item, "local values must include both x and y")
    return None


def _world_problem(item: Coordinates | None, z: float | None) -> InvalidRequest | None:
    if item is None:
        return InvalidRequest("coordinates are missing")
    if item.world is None:
        return InvalidRequest("world values are missing")
    if len(item.world) < 2:
        return InvalidRequest("world values must include both x and y")
    if z is None and len(item.world) < 3:
        return InvalidRequest("world values must include x, y, and z")
    return None


def _world(item: Coordinates | None) -> list[float]:
    return [] if item is None or item.world is None else item.world


def _with_error(item: Coordinates | None, error: str) -> Coordinates:
    if item is None:
        return Coordinates(error=error)
    return Coordinates(item.tileId, item.visible, item.local, item.world, error)


def _tile_spec(body: bytes) -> dict[str, Any]:
    spec: dict[str, Any] | None = decoded(body, dict[str, Any] | None)
    if spec is None:
        raise InvalidRequest("no tile spec provided")
    return spec


def _z_of(spec: dict[str, Any]) -> list[float]:
    return [] if spec.get("z") is None else [float(spec["z"])]
