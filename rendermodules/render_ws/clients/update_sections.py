"""Sections moved to another z."""

import logging
from typing import Any

from rendermodules.render_ws.clients.arguments import Client, number, text
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    stack = stack_of(options)
    before = stack.get("section", options.sectionId, "z")
    stack.open()
    stack.send("PUT", "section", options.sectionId, "z", body=options.z)
    logger.info("section %s of %s is now at z %s, not %s", options.sectionId, stack, options.z, before)


CLIENT = Client(
    "Moves a section to another z; the stack is left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        text("sectionId", "id of the section", required=True),
        number("z", "its new z", required=True),
    ),
)
