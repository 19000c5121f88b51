"""Which tiles of a stack are not valid, and their removal."""

import logging
from typing import Any

from rendermodules.render_ws.clients.arguments import Client, Rest, a_number, flag
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of
from rendermodules.render_ws.clients.validators import VALIDATOR_OPTIONS, basic_problem, invalid_tiles, validator_of

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    validator = validator_of(options) or basic_problem
    stack = stack_of(options)
    total = 0
    for z in options.zValues:
        section = stack.section(z)
        invalid = invalid_tiles(section.tiles, section.transforms, validator)
        if invalid and options.removeInvalidTiles:
            stack.open()
            stack.delete_tiles(invalid)
        fate = "removed" if options.removeInvalidTiles else "invalid"
        logger.info("z %s: %d of %d tiles %s", z, len(invalid), len(section.tiles), fate)
        total += len(invalid)
    logger.info("%d invalid tiles in %d layers", total, len(options.zValues))


CLIENT = Client(
    "Reports the tiles of layers that are not valid, or removes them.",
    _run,
    (*STACK_OPTIONS, *VALIDATOR_OPTIONS, flag("removeInvalidTiles", "remove them; the stack is left LOADING")),
    Rest("zValues", "z of the layers", a_number),
)
