"""The last transforms of all tiles of layers taken away."""

import logging
from typing import Any

from rendermodules.core.problems import listed
from rendermodules.core.sections import transform_list, with_transform_list
from rendermodules.render_ws.clients.arguments import Client, Rest, UsageError, a_number, flag, text, whole
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    count = options.numberOfTransforms
    if count < 1:
        raise UsageError("--numberOfTransforms is at least 1")
    source = stack_of(options)
    target = source.sibling(options.targetStack, options.targetProject)
    if target.path == source.path:
        raise UsageError("--targetStack must be another stack: a second run would take away more")
    target.open(source)
    for index, z in enumerate(options.zValues, start=1):
        section = source.section(z)
        short = [tile["tileId"] for tile in section.tiles if len(transform_list(tile)) < count]
        if short:
            raise ServiceError(f"{len(short)} tiles at z {z} have fewer than {count} transforms: {listed(short)}")
        tiles = [with_transform_list(tile, transform_list(tile)[:-count]) for tile in section.tiles]
        target.put(tiles, section.transforms)
        logger.info("%d of %d: z %s: %d tiles into %s", index, len(options.zValues), z, len(tiles), target)
    if options.completeTargetStack:
        target.set_state("COMPLETE")


CLIENT = Client(
    "Takes the last transforms of the tiles of layers away and writes the tiles into another stack.",
    _run,
    (
        *STACK_OPTIONS,
        text("targetProject", "project of the stack that is written; by default as the one that is read"),
        text("targetStack", "stack that is written", required=True),
        whole("numberOfTransforms", "how many transforms are taken away", 1),
        flag("completeTargetStack", "set the stack COMPLETE, which is left LOADING otherwise"),
    ),
    Rest("zValues", "z of the layers", a_number),
)
