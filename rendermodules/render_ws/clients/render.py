"""One box drawn from files of tile specs or render parameters; needs no service."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from rendermodules.io.files import write_bytes_whole
from rendermodules.io.image_formats import Image
from rendermodules.io.images import image_bytes, read_image
from rendermodules.io.mipmaps import extension_of
from rendermodules.render_ws.clients.arguments import (
    Client,
    Option,
    Takes,
    UsageError,
    flag,
    number,
    text,
    unused,
    whole,
)
from rendermodules.render_ws.clients.drawing import document_at, parameters_at, renderer
from rendermodules.render_ws.rendering import RenderingError
from rendermodules.render_ws.rendering.command import file_bytes
from rendermodules.render_ws.rendering.output import argb, gray

logger = logging.getLogger(__name__)

# option to member of render parameters; what is absent stays as the file or the default has it
_MEMBERS = {
    "x": "x",
    "y": "y",
    "width": "width",
    "height": "height",
    "scale": "scale",
    "meshCellSize": "meshCellSize",
    "res": "meshCellSize",
    "minMeshCellSize": "minMeshCellSize",
    "min_res": "minMeshCellSize",
    "minIntensity": "minIntensity",
    "maxIntensity": "maxIntensity",
    "quality": "quality",
    "channels": "channels",
    "background_color": "backgroundRGBColor",
    "gray": "convertToGray",
    "skip_interpolation": "skipInterpolation",
    "binary_mask": "binaryMask",
    "exclude_mask": "excludeMask",
    "do_filter": "doFilter",
    "fill_with_noise": "fillWithNoise",
    "in": "in",
    "out": "out",
}


def _run(options: Any) -> None:
    parameters = _parameters(options)
    if not parameters.get("out"):
        raise UsageError("--out is missing: where the image goes")
    out = Path(parameters["out"])
    extension_of(out.suffix)
    canvas = renderer().render(parameters)
    quality = float(parameters.get("quality") or 0.85)
    if parameters.get("in"):
        image = _over(argb(canvas), read_image(parameters["in"]))
        content = image_bytes(out, image[:, :, 0] if parameters.get("convertToGray") else image, quality)
    elif parameters.get("convertToGray"):
        content = image_bytes(out, gray(canvas), quality)
    else:
        content = file_bytes(canvas, "argb", out.suffix.lower(), quality)
    write_bytes_whole(out, content)
    logger.info("drew %d tiles into %s", len(parameters["tileSpecs"]), out)


def _parameters(options: Any) -> dict[str, Any]:
    """Return render parameters: those of the file, with what the command line says over them."""
    parameters = parameters_at(options.parameters_url) if options.parameters_url else {}
    for name, member in _MEMBERS.items():
        value = getattr(options, name)
        # a flag that is not there leaves what the file says
        if value is not None and value is not False:
            parameters[member] = value
    if options.tile_spec_url:
        parameters["tileSpecs"] = document_at(options.tile_spec_url)
    if not isinstance(parameters.get("tileSpecs"), list):
        raise RenderingError("there are no tiles to draw: give --tile_spec_url or --parameters_url")
    return parameters


def _over(image: Image, background: Image) -> Image:
    """Return an image of colours and opacity over another, as colours."""
    if background.shape[:2] != image.shape[:2]:
        raise RenderingError(f"--in has {background.shape[:2]} rows and columns, the result {image.shape[:2]}")
    if background.ndim == 2:
        background = np.repeat(background[:, :, None], 3, axis=2)
    opacity = image[:, :, 3:] / np.float32(255)
    mixed: Image = np.rint(image[:, :, :3] * opacity + background * (1 - opacity)).astype(np.uint8)
    return mixed


def _a_colour(word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise ValueError("a whole number or 0xRRGGBB") from None


CLIENT = Client(
    "Draws a box from files of tile specs or of render parameters, without a service.",
    _run,
    (
        text("tile_spec_url", "path or URL of a JSON list of tile specs without references"),
        text("parameters_url", "path or URL of render parameters; what else is given here stands over them"),
        text("in", "image to draw over"),
        text("out", "image to write: .png, .jpg or .tif"),
        number("x", "left border in world pixels"),
        number("y", "upper border in world pixels"),
        whole("width", "width in world pixels (256 if nothing says otherwise)"),
        whole("height", "height in world pixels (256 if nothing says otherwise)"),
        number("scale", "image pixels per world pixel"),
        number("meshCellSize", "side of the mesh cells in tile pixels"),
        number("res", "old name of --meshCellSize"),
        number("minMeshCellSize", "smallest side of a mesh cell in pixels of the result"),
        number("min_res", "old name of --minMeshCellSize"),
        number("minIntensity", "intensity shown black, instead of those of the tiles"),
        number("maxIntensity", "intensity shown white, instead of those of the tiles"),
        flag("gray", "write a gray image"),
        number("quality", "of JPEG, 0 to 1"),
        flag("skip_interpolation", "take the nearest pixel"),
        flag("binary_mask", "masks hide or show, nothing between"),
        flag("exclude_mask", "ignore masks"),
        flag("do_filter", "filter the tiles"),
        Option("background_color", "what is seen where no tile is, 0xRRGGBB", _a_colour),
        flag("fill_with_noise", "show noise where no tile is"),
        text("channels", "channel, or NAME__WEIGHT__NAME__WEIGHT ..."),
        unused("threads"),
        unused("area_offset", Takes.PERHAPS_TRUTH),
        unused("addWarpFieldDebugOverlay", Takes.PERHAPS_TRUTH),
    ),
)
