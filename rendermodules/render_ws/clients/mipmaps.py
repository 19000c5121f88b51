"""Image pyramids of the tiles of a stack, as files."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rendermodules.core.mipmap_levels import full_scale_levels
from rendermodules.core.sections import Section
from rendermodules.io.images import ImageSource
from rendermodules.io.mipmaps import MipmapWriting, RenderLayout, extension_of, write_mipmaps
from rendermodules.render_ws.clients.arguments import Client, UsageError, flag, image_format, text, whole
from rendermodules.render_ws.clients.render_groups import GROUP_OPTIONS, of_this_group
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, RemoteStack, stack_of
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    if not 1 <= options.minLevel <= options.maxLevel:
        raise UsageError("--minLevel is at least 1 and at most --maxLevel")
    root = str(Path(options.rootDirectory).absolute())
    levels = range(options.minLevel, options.maxLevel + 1)
    writing = MipmapWriting(RenderLayout(root, options.format), levels, redo=options.forceGeneration)
    stack = stack_of(options)
    zs = stack.z_values(options)
    finished: set[ImageSource] = set()
    for index, z in enumerate(zs, start=1):
        sources = of_this_group(sorted(set(_sources(stack.section(z))), key=str), options)
        written = _write(sources, writing, finished)
        logger.info("%d of %d: z %s: %d images, %d levels written", index, len(zs), z, len(sources), written)
    _tell_stack(stack, root, options)


def _sources(section: Section) -> Iterator[ImageSource]:
    """Yield the images and masks of a layer."""
    for tile, level in full_scale_levels(section, None):
        for role in ("image", "mask"):
            source = ImageSource.of_level(level, role)
            if source is None or source.url.startswith("mask:"):
                continue
            if source.slice_number is not None:
                raise ServiceError(f"tile {tile['tileId']}: the rule for mipmaps has no names for slices of a file")
            yield source


def _write(sources: Sequence[ImageSource], writing: MipmapWriting, finished: set[ImageSource]) -> int:
    """Write what is missing and return how many files that were; images that many tiles share are done once."""
    written = 0
    for source in sources:
        if source not in finished:
            written += len(write_mipmaps(source, writing).written)
            finished.add(source)
    return written


def _tell_stack(stack: RemoteStack, root: str, options: Any) -> None:
    """Set the rule by which the service finds the levels."""
    rule = {"rootPath": root, "numberOfLevels": options.maxLevel, "extension": extension_of(options.format)}
    stack.send("PUT", "mipmapPathBuilder", body=rule)
    logger.info("%s has mipmaps below %s", stack, root)


CLIENT = Client(
    "Writes image pyramids of the tiles, ROOT/LEVEL/PATH/OF/THE/IMAGE.FORMAT, and tells the stack where they are.",
    _run,
    (
        *STACK_OPTIONS,
        *Z_OPTIONS,
        text("rootDirectory", "folder for the levels", required=True),
        whole("minLevel", "first level; 1 has half of the size", 1),
        whole("maxLevel", "last level", 6),
        image_format("tif"),
        flag("forceGeneration", "write files again that are there and newer than the image"),
        *GROUP_OPTIONS,
    ),
)
