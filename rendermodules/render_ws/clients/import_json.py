"""Files of tile specs into a stack."""

import logging
from typing import Any

from rendermodules.io.tilespecs import read_tilespecs, read_transforms
from rendermodules.render_ws.clients.arguments import Client, Rest, text
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of
from rendermodules.render_ws.clients.validators import VALIDATOR_OPTIONS, valid_tiles, validator_of
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    validator = validator_of(options)
    shared = read_transforms(options.transformFile) if options.transformFile else {}
    stack = stack_of(options)
    stack.open()
    written = 0
    for number, file in enumerate(options.tileFiles, start=1):
        section = read_tilespecs(file)
        transforms = {**shared, **section.transforms}
        tiles = valid_tiles(section.tiles, transforms, validator)
        stack.put(tiles, transforms)
        written += len(tiles)
        logger.info(
            "file %d of %d: %s: %d of %d tiles into %s",
            number,
            len(options.tileFiles),
            file,
            len(tiles),
            len(section.tiles),
            stack,
        )
    if options.tileFiles and not written:
        raise ServiceError("none of the tiles is valid; nothing was written")


CLIENT = Client(
    "Writes the tile specs of JSON files into a stack, which is left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        text("transformFile", "JSON list of the transforms that the tiles refer to; may be packed (.gz, .zip)"),
        *VALIDATOR_OPTIONS,
    ),
    Rest("tileFiles", "JSON lists of tile specs; may be packed (.gz, .zip)", required=False),
)
