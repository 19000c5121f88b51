"""Images of single tiles, one file each."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rendermodules.core.problems import listed
from rendermodules.io.images import write_image
from rendermodules.io.paths import java_number
from rendermodules.render_ws.clients.arguments import (
    Client,
    Rest,
    a_number,
    flag,
    image_format,
    many,
    number,
    switch,
    text,
)
from rendermodules.render_ws.clients.drawing import (
    FILTER_LIST_OPTION,
    INTENSITY_OPTIONS,
    NOISE_OPTION,
    gray_image,
    renderer,
)
from rendermodules.render_ws.clients.render_groups import GROUP_OPTIONS, of_this_group
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, stack_of

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    stack = stack_of(options)
    wanted = set(options.tileId)
    missing = set(wanted)
    scale = f"tiles_at_{java_number(options.scale)}"
    folder = Path(options.rootDirectory, options.project, options.stack, scale)
    query = {
        "scale": options.scale,
        "filter": options.doFilter,
        "filterListName": options.filterListName,
        "fillWithNoise": options.fillWithNoise,
        "excludeMask": options.excludeMask,
        "excludeAllTransforms": options.excludeAllTransforms or None,
        "minIntensity": options.minIntensity,
        "maxIntensity": options.maxIntensity,
        "channels": options.channels,
    }
    drawer = renderer()
    zs = stack.z_values(options)
    for index, z in enumerate(zs, start=1):
        ids = [box["tileId"] for box in stack.tile_bounds(z) if not wanted or box["tileId"] in wanted]
        missing.difference_update(ids)
        ids = of_this_group(ids, options)
        for tile_id in ids:
            parameters = stack.get("tile", tile_id, "render-parameters", **query)
            # ids may hold any character
            name = f"{quote(tile_id, safe=' ,;+=@#')}.{options.format}"
            write_image(folder / java_number(z) / name, gray_image(drawer, parameters))
        logger.info("%d of %d: z %s: %d tiles below %s", index, len(zs), z, len(ids), folder)
    if missing:
        logger.warning("these layers have no tile %s", listed(sorted(missing)))


CLIENT = Client(
    "Draws tiles into gray images, ROOT/PROJECT/STACK/tiles_at_SCALE/Z/TILE.FORMAT.",
    _run,
    (
        *STACK_OPTIONS,
        *Z_OPTIONS,
        text("rootDirectory", "folder for the images", required=True),
        number("scale", "image pixels per world pixel", 1.0),
        image_format("png"),
        many("tileId", "these tiles only"),
        switch("doFilter", "filter the tiles", False),
        FILTER_LIST_OPTION,
        NOISE_OPTION,
        flag("excludeMask", "ignore masks"),
        flag("excludeAllTransforms", "draw tiles as they were taken"),
        text("channels", "channel, or NAME__WEIGHT__NAME__WEIGHT ..."),
        *INTENSITY_OPTIONS,
        *GROUP_OPTIONS,
    ),
    Rest("z", "z of the layers, as --z", a_number, required=False),
)
