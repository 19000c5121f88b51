"""Tiles removed from a stack."""

import logging
from typing import Any

import numpy as np

from rendermodules.core.layout import in_box, obscured
from rendermodules.core.problems import listed
from rendermodules.io.tilespecs import read_tile_ids
from rendermodules.render_ws.clients.arguments import Client, UsageError, many, number, text
from rendermodules.render_ws.clients.placed_tiles import SIDES, placed_tiles_of
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, RemoteStack, stack_of

logger = logging.getLogger(__name__)

_KEEP = tuple(f"keep{side[0].upper()}{side[1:]}" for side in SIDES)


def _run(options: Any) -> None:
    stack = stack_of(options)
    tile_ids = {*options.tileId}
    if options.tileIdJson is not None:
        tile_ids.update(read_tile_ids(options.tileIdJson))
    if options.hiddenTilesWithZ is not None:
        tiles = placed_tiles_of(stack, [options.hiddenTilesWithZ])
        tile_ids.update(np.array(tiles.ids, dtype=object)[obscured(tiles)])
    tile_ids |= _outside_box(stack, options)
    missing = tile_ids - stack.tile_ids()
    if missing:
        logger.warning("%s has no tile %s", stack, listed(sorted(missing)))
        tile_ids -= missing
    if not tile_ids:
        logger.info("there is nothing to remove from %s", stack)
        return
    stack.open()
    stack.delete_tiles(sorted(tile_ids))
    logger.info("removed %d tiles from %s", len(tile_ids), stack)


def _outside_box(stack: RemoteStack, options: Any) -> set[str]:
    """Return the tiles of a layer that do not meet the box to keep."""
    box = [getattr(options, name) for name in _KEEP]
    if options.keepZ is None and box == [None] * 4:
        return set()
    if options.keepZ is None or None in box:
        raise UsageError(f"--keepZ, {', '.join(f'--{name}' for name in _KEEP)} belong together")
    tiles = placed_tiles_of(stack, [options.keepZ])
    return {tile_id for tile_id, kept in zip(tiles.ids, in_box(tiles, box), strict=True) if not kept}


CLIENT = Client(
    "Removes tiles from a stack, which is left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        many("tileId", "tiles to remove"),
        text("tileIdJson", "JSON list of tiles to remove"),
        number("hiddenTilesWithZ", "remove the tiles of this layer that others cover"),
        number("keepZ", "remove the tiles of this layer that do not meet a box"),
        *(number(name, "limit of the box, in world pixels") for name in _KEEP),
    ),
)
