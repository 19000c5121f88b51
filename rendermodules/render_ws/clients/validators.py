"""Validators of tiles, by their Java names: which tiles of a layer are not to be kept, and why."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.core.tile_validation import MAX_WARP, BoxLimits, warp_of_tile
from rendermodules.core.transforms import tile_bounds
from rendermodules.render_ws.clients.arguments import Option, text
from rendermodules.render_ws.errors import InvalidRequest, ServiceError
from rendermodules.render_ws.validation import require_valid_tile

logger = logging.getLogger(__name__)

_PACKAGE = "org.janelia.alignment.spec.validator"
_TEM = f"{_PACKAGE}.TemTileSpecValidator"
_WARPED = f"{_PACKAGE}.WarpedTileSpecValidator"

VALIDATOR_OPTIONS: tuple[Option, ...] = (
    text("validatorClass", f"what tiles must satisfy: {_TEM} or {_WARPED}"),
    text("validatorData", f"limits in pixels, such as {BoxLimits()}"),
)

Shared = Mapping[str, TransformSpec]
Validator = Callable[[TileSpec, Shared], str | None]
"""Returns what is wrong with a tile, None if nothing is."""


def validator_of(options: Any) -> Validator | None:
    """Return the validator that `VALIDATOR_OPTIONS` name, None without one.

    Raises
    ------
    ServiceError
        There is no such validator, or its data cannot be understood.
    """
    name = options.validatorClass
    if name is None:
        return None
    if name not in (_TEM, _WARPED):
        raise ServiceError(f"there is no validator {name}: there are {_TEM} and {_WARPED}")
    try:
        limits = BoxLimits.parsed(options.validatorData)
    except ValueError as error:
        raise ServiceError(f"--validatorData: {error}") from error

    def problem(tile: TileSpec, shared: Shared) -> str | None:
        return basic_problem(tile, shared) or _place_problem(tile, shared, limits, name == _WARPED)

    return problem


def basic_problem(tile: TileSpec, shared: Shared) -> str | None:
    """Return why a tile cannot be drawn: it lacks z, an image cannot be read, a transform cannot be understood."""
    if tile.get("z") is None:
        return "has no z"
    try:
        require_valid_tile(tile, None, shared)
    except InvalidRequest as error:
        return str(error)
    return None


def _place_problem(tile: TileSpec, shared: Shared, limits: BoxLimits, is_warped: bool) -> str | None:
    try:
        problem = limits.problem(tile_bounds(tile, shared))
        if problem is None and is_warped and (warp := warp_of_tile(tile, shared)) > MAX_WARP:
            problem = f"is warped by {warp:.0f} pixels, more than {MAX_WARP:.0f}"
    except ValueError as error:
        return str(error)
    return problem


def invalid_tiles(tiles: Sequence[TileSpec], shared: Shared, validator: Validator) -> dict[str, str]:
    """Return what is wrong with those tiles that are not valid, by id; each is logged."""
    problems = {tile["tileId"]: problem for tile in tiles if (problem := validator(tile, shared)) is not None}
    for tile_id, problem in problems.items():
        logger.warning("invalid tile %s: %s", tile_id, problem)
    return problems


def valid_tiles(tiles: Sequence[TileSpec], shared: Shared, validator: Validator | None) -> list[TileSpec]:
    """Return the tiles that are valid; all of them without a validator."""
    problems = {} if validator is None else invalid_tiles(tiles, shared, validator)
    return [tile for tile in tiles if tile["tileId"] not in problems]
