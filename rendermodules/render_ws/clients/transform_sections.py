"""One more transform for all tiles of layers."""

import logging
from typing import Any

from rendermodules.core.sections import PLACEMENTS, Section, TransformSpec, with_transform_placed
from rendermodules.core.transform_changes import with_last_concatenated
from rendermodules.core.transforms import parsed_transform
from rendermodules.render_ws.clients.arguments import Client, Rest, UsageError, a_number, choice, flag, text
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of
from rendermodules.render_ws.clients.validators import VALIDATOR_OPTIONS, valid_tiles, validator_of

logger = logging.getLogger(__name__)

_METHODS = {
    "APPEND": "append",
    "INSERT_AS_FIRST": "prepend",
    "INSERT_BEFORE_LAST": "insert_before_last",
    "REPLACE_LAST": "replace_last",
    "PRE_CONCATENATE_LAST": None,
}


def _run(options: Any) -> None:
    method = _method(options)
    transform = {
        "type": "leaf",
        "id": options.transformId,
        "className": options.transformClass,
        "dataString": options.transformData.replace(",", " "),
    }
    parsed_transform(transform)
    validator = validator_of(options)
    source = stack_of(options)
    target = source.sibling(options.targetStack, options.targetProject)
    target.open(source)
    for index, z in enumerate(options.zValues, start=1):
        section = _transformed(source.section(z), transform, _METHODS[method])
        tiles = valid_tiles(section.tiles, section.transforms, validator)
        target.put(tiles, section.transforms)
        logger.info("%d of %d: z %s: %d tiles into %s", index, len(options.zValues), z, len(tiles), target)


def _method(options: Any) -> str:
    method = options.transformApplicationMethod
    if options.replaceLast:
        if method not in (None, "REPLACE_LAST"):
            raise UsageError(f"--replaceLast contradicts --transformApplicationMethod {method}")
        logger.warning("--replaceLast is an old name of --transformApplicationMethod REPLACE_LAST")
        return "REPLACE_LAST"
    return method or "APPEND"


def _transformed(section: Section, transform: TransformSpec, placement: str | None) -> Section:
    if placement in PLACEMENTS:
        return with_transform_placed(section, transform, placement)
    own = {name: value for name, value in transform.items() if name != "id"}
    tiles = [with_last_concatenated(tile, own, section.transforms) for tile in section.tiles]
    return Section(section.z, tiles, section.transforms)


CLIENT = Client(
    "Gives all tiles of layers one more transform, which they share, and writes them into a stack, left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        text("transformId", "id of the transform, which the tiles refer to", required=True),
        text("transformClass", "Java class of the transform", required=True),
        text("transformData", "its numbers, with commas between", required=True),
        text("targetProject", "project of the stack that is written; by default as the one that is read"),
        text("targetStack", "stack that is written; by default the one that is read"),
        choice("transformApplicationMethod", "where the transform goes", _METHODS),
        flag("replaceLast", "old name of --transformApplicationMethod REPLACE_LAST"),
        *VALIDATOR_OPTIONS,
    ),
    Rest("zValues", "z of the layers", a_number),
)
