"""New transforms of single tiles, from a file."""

import logging
from collections.abc import Iterator
from typing import Any

from rendermodules.core.problems import InputError, listed
from rendermodules.core.sections import TransformSpec
from rendermodules.core.transform_changes import CHANGES, with_changed_tiles_only
from rendermodules.core.transforms import TransformError, parsed_transform
from rendermodules.io.json_files import read_json
from rendermodules.render_ws.clients.arguments import Client, choice, text
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, RemoteStack, stack_of
from rendermodules.render_ws.clients.validators import VALIDATOR_OPTIONS, valid_tiles, validator_of
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)

_IDS_AT_ONCE = 5_000


def _run(options: Any) -> None:
    transforms = _read_changes(options.transformFile)
    validator = validator_of(options)
    source = stack_of(options)
    zs = sorted(set(_zs_of_tiles(source, list(transforms))))
    target = source.sibling(options.targetStack, options.targetProject, options.targetOwner)
    target.open(source)
    for index, z in enumerate(zs, start=1):
        section = with_changed_tiles_only(source.section(z), transforms, CHANGES[options.changeMode])
        tiles = valid_tiles(section.tiles, section.transforms, validator)
        target.put(tiles, section.transforms)
        logger.info("%d of %d: z %s: %d tiles into %s", index, len(zs), z, len(tiles), target)


def _read_changes(file: str) -> dict[str, TransformSpec]:
    """Return the transforms of a file by tile id."""
    entries = read_json(file)
    transforms: dict[str, TransformSpec] = {}
    try:
        for entry in entries:
            tile_id, transform = entry["tileId"], entry["transform"]
            if transforms.setdefault(tile_id, transform) is not transform:
                raise InputError(f"{file}: tile {tile_id} comes twice")
            # what is shared only the stack knows
            if transform.get("type", "leaf") == "leaf":
                parsed_transform(transform)
    except TransformError as error:
        raise InputError(f"{file}: tile {tile_id}: {error}") from None
    except (AttributeError, TypeError, KeyError) as error:
        raise InputError(f'{file}: no list of {{"tileId": ..., "transform": ...}}: {error!r}') from None
    if not transforms:
        raise InputError(f"{file}: holds no transform")
    return transforms


def _zs_of_tiles(stack: RemoteStack, tile_ids: list[str]) -> Iterator[float]:
    """Yield the z of each tile; `ServiceError` when some are not in the stack."""
    missing = set(tile_ids)
    for begin in range(0, len(tile_ids), _IDS_AT_ONCE):
        for tile in stack.send("PUT", "tile-specs-with-ids", body=tile_ids[begin : begin + _IDS_AT_ONCE]):
            missing.discard(tile["tileId"])
            yield float(tile["z"])
    if missing:
        raise ServiceError(f"{stack} lacks {len(missing)} of the tiles: {listed(sorted(missing))}")


CLIENT = Client(
    "Gives single tiles new transforms and writes these tiles into another stack, which is left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        text("targetOwner", "owner of the stack that is written; by default as the one that is read"),
        text("targetProject", "project of the stack that is written; by default as the one that is read"),
        text("targetStack", "stack that is written", required=True),
        text("transformFile", 'JSON list of {"tileId": ..., "transform": ...}; may be packed', required=True),
        choice("changeMode", "what is done with the new transforms", CHANGES, "REPLACE_LAST"),
        *VALIDATOR_OPTIONS,
    ),
)
