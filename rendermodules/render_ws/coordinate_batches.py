"""Lists of coordinates between tiles and the world, each tile's mesh made once for all its points."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from rendermodules.core.sections import transform_list
from rendermodules.core.transforms import TileMesh, tile_transform
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, Unprocessable
from rendermodules.render_ws.models import StackId, TileBounds, decoded
from rendermodules.render_ws.routes.render_data import shared_transforms
from rendermodules.render_ws.store import stacks, tiles
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection
from rendermodules.render_ws.tile_specs import NOT_UNDERSTOOD

# bounding boxes may miss up to a pixel of their tile
_MARGIN = 1.0

Floats = NDArray[np.float64]


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
    specs = _resolved_specs(call, call.stack_id, sorted(by_tile))
    for tile_id, indices in by_tile.items():
        points = [(items[index].local or [])[:2] for index in indices]  # type: ignore[union-attr]
        for index, answer in zip(indices, _worlds(call.stack_id, tile_id, specs.get(tile_id), points), strict=True):
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
    with call.database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        for layer, indices in by_z.items():
            points = np.array([_world(items[index])[:2] for index in indices], dtype=float)
            found = _layer_outcomes(call, stack, layer, points)
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
            for box, members in _boxes_holding(call, stack, layer, points, margin=0.0):
                for member in members.tolist():
                    index = indices[member]
                    answers[index].append(Coordinates(tileId=box.tileId, world=worlds[index]))
    return [answer or [Coordinates(world=world)] for answer, world in zip(answers, worlds, strict=True)]


def mapped_to_stack(call: Call, world: list[float], z: float, target_id: StackId) -> Coordinates:
    """Return where a point of one stack is in another: through the tile that is on top of it in the first.

    Raises
    ------
    NoTileError, NotInvertible
        No tile of the first stack leads to the point.
    NotFound
        The other stack does not exist or lacks the tile.
    Unprocessable
        The tile takes the point to no place in the other stack.
    """
    (outcome,) = local_outcomes(call, [Coordinates(world=world)], z)
    if isinstance(outcome, Exception):
        raise outcome
    visible: Coordinates = outcome[-1]
    tile_id, (x, y, _) = visible.tileId or "", visible.local or []
    with call.database.reading() as connection:
        stacks.get_stack(connection, target_id)
        specs = _resolved_specs(call, target_id, [tile_id])
    if tile_id not in specs:
        raise tiles.no_tile(target_id, tile_id)
    (answer,) = _worlds(target_id, tile_id, specs[tile_id], [(x, y)])
    if answer.error is not None:
        raise Unprocessable(answer.error)
    return answer


def world_of_spec(body: bytes, point: tuple[float, float]) -> list[float]:
    """Return where a point of the tile spec in ``body`` is in the world: x, y, and z if the tile has one.

    Raises
    ------
    InvalidRequest
        Not a tile spec, or its transforms cannot be understood.
    Unprocessable
        The point is taken to no finite place.
    """
    spec = _tile_spec(body)
    try:
        x, y = tile_transform(spec).apply(point).tolist()
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"the tile spec cannot be understood: {error}") from error
    if not _is_finite((x, y)):
        raise Unprocessable(_no_place(spec.get("tileId"), point))
    return [x, y, *_z_of(spec)]


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


def _layer_outcomes(call: Call, stack: Stack | None, z: float, points: Floats) -> list[Any]:
    hits = _boxes_holding(call, stack, z, points, margin=0.0 if call.strict else _MARGIN)
    found: list[list[Coordinates]] = [[] for _ in points]
    lost: list[list[str]] = [[] for _ in points]
    problems: dict[str, str] = {}
    specs = _resolved_specs(call, call.stack_id, [box.tileId for box, _ in hits])
    for box, members in hits:
        held = _is_held(box, points[members])
        if not transform_list(specs[box.tileId][0]):
            # such a tile has no mesh that ends where the tile does
            members, held = members[held], held[held]
        locations = _locations(specs[box.tileId], points[members], call.strict, problems)
        for member, (x, y), is_candidate in zip(members.tolist(), locations.tolist(), held.tolist(), strict=True):
            if x == x:
                found[member].append(Coordinates(tileId=box.tileId, local=[x, y, z]))
            elif is_candidate:
                lost[member].append(box.tileId)
    outcomes: list[Any] = []
    for (x, y), answer, tile_ids in zip(points.tolist(), found, lost, strict=True):
        if answer:
            answer[-1].visible = True
            outcomes.append(answer)
        elif tile_ids:
            reasons = "".join(f"; {problems[tile_id]}" for tile_id in tile_ids if tile_id in problems)
            place = f"world coordinate ({x}, {y}) found in tile id(s) [{', '.join(tile_ids)}]"
            outcomes.append(NotInvertible(f"{place} cannot be inverted{reasons}"))
        else:
            outcomes.append(
                NoTileError(
                    f"no tile specifications found in {call.stack_id} for world coordinates x={x}, y={y}, z={z}"
                )
            )
    return outcomes


def _boxes_holding(
    call: Call, stack: Stack | None, z: float, points: Floats, margin: float
) -> list[tuple[TileBounds, NDArray[np.intp]]]:
    """Return the boxes of a layer, grown by ``margin``, that hold some points, by tile id; and indices of the points.

    With n points and m boxes in about (n + m) log m steps.
    """
    from rendermodules.core.geometry import boxes_near

    if stack is None:
        return []
    # a box around all points leaves few tiles when there are few points
    low, high = (points.min(axis=0) - margin).tolist(), (points.max(axis=0) + margin).tolist()
    boxes = tiles.get_tile_bounds(call.database.connection, stack, Selection(z=z, box=(*low, *high)))
    edges = np.array([(box.minX, box.minY, box.maxX, box.maxY) for box in boxes]).reshape(-1, 4)
    holders, members = boxes_near(edges, np.hstack([points, points]), margin).T
    parts = np.split(members, np.searchsorted(holders, np.arange(1, len(boxes))))
    return [(box, part) for box, part in zip(boxes, parts, strict=True) if len(part)] if boxes else []


def _is_held(box: TileBounds, points: Floats) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (points >= (box.minX, box.minY)) & (points <= (box.maxX, box.maxY))
    return inside[:, 0] & inside[:, 1]


def _locations(resolved: tuple[dict[str, Any], Any], points: Floats, strict: bool, problems: dict[str, str]) -> Floats:
    """Return where points are in a tile, NaN where they are not; a tile that cannot be understood goes to problems."""
    try:
        return TileMesh(*resolved).inverse(points, one_orientation=strict)
    except NOT_UNDERSTOOD as error:
        problems[resolved[0]["tileId"]] = str(error)
        return np.full(points.shape, np.nan)


def _worlds(
    stack_id: StackId,
    tile_id: str,
    resolved: tuple[dict[str, Any], Any] | None,
    points: Sequence[Sequence[float]],
) -> list[Coordinates]:
    if resolved is None:
        return [Coordinates(error=str(tiles.no_tile(stack_id, tile_id)))] * len(points)
    spec, shared = resolved
    try:
        worlds = tile_transform(spec, shared).apply(points).tolist()
    except NOT_UNDERSTOOD as error:
        return [Coordinates(error=str(error))] * len(points)
    return [
        Coordinates(tileId=tile_id, world=[*world, *_z_of(spec)])
        if _is_finite(world)
        else Coordinates(error=_no_place(tile_id, point))
        for point, world in zip(points, worlds, strict=True)
    ]


def _is_finite(world: Sequence[float]) -> bool:
    return math.isfinite(world[0]) and math.isfinite(world[1])


def _no_place(tile_id: str | None, point: Sequence[float]) -> str:
    return f"tile {tile_id}: its transforms take ({point[0]}, {point[1]}) to no finite place"


def _resolved_specs(call: Call, stack_id: StackId, tile_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], Any]]:
    """Return tile spec and shared transforms of the tiles that exist, by id."""
    database = call.database
    with database.reading() as connection:
        stack = stacks.find_stack(connection, stack_id)
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
