"""Tiles moved to the z that files say."""

import logging
from collections import defaultdict
from typing import Any

from rendermodules.core.problems import InputError, listed
from rendermodules.io.json_files import read_json
from rendermodules.render_ws.clients.arguments import Client, Rest
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of, z_text
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    tiles_of_z: dict[float, list[str]] = defaultdict(list)
    for file in options.tileFiles:
        for tile_id, z in _read(file).items():
            tiles_of_z[z].append(tile_id)
    stack = stack_of(options)
    missing = {tile_id for tile_ids in tiles_of_z.values() for tile_id in tile_ids} - stack.tile_ids()
    if missing:
        raise ServiceError(f"{stack} lacks {len(missing)} of the tiles: {listed(sorted(missing))}")
    stack.open()
    for index, (z, tile_ids) in enumerate(sorted(tiles_of_z.items()), start=1):
        stack.send("PUT", "z", z_text(z), "tileIds", body=tile_ids)
        logger.info("%d of %d: z %s: %d tiles of %s", index, len(tiles_of_z), z, len(tile_ids), stack)


def _read(file: str) -> dict[str, float]:
    """Return the z of each tile of a file."""
    content = read_json(file)
    try:
        if isinstance(content, list):
            content = {entry["tileId"]: entry["z"] for entry in content}
        return {str(tile_id): float(z) for tile_id, z in content.items()}
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise InputError(f'{file}: neither {{"tile": z}} nor a list of {{"tileId", "z"}}: {error!r}') from None


CLIENT = Client(
    "Moves tiles to other z; the stack is left LOADING.",
    _run,
    STACK_OPTIONS,
    Rest("tileFiles", 'JSON objects of tile id to z, or lists of {"tileId", "z"} such as tile specs'),
)
