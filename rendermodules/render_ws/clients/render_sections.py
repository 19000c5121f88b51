"""Images of whole layers, one file each."""

import logging
from pathlib import Path
from typing import Any

from rendermodules.io.files import write_bytes_whole
from rendermodules.io.image_formats import tiff_bytes
from rendermodules.io.images import image_bytes
from rendermodules.io.section_paths import padded_section_name, section_image_path
from rendermodules.render_ws.clients.arguments import (
    Client,
    Option,
    Rest,
    Takes,
    UsageError,
    a_number,
    flag,
    image_format,
    number,
    switch,
    text,
    unused,
)
from rendermodules.render_ws.clients.drawing import (
    FILTER_LIST_OPTION,
    INTENSITY_OPTIONS,
    NOISE_OPTION,
    box_parameters,
    gray_image,
    renderer,
)
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, RemoteStack, stack_of, z_text
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger(__name__)

_UNITS = {"nm": 1.0, "um": 1e3, "µm": 1e3, "micron": 1e3, "mm": 1e6, "cm": 1e7, "inch": 2.54e7}
_TIFF = ("tif", "tiff")

Box = tuple[float, float, int, int]


def _run(options: Any) -> None:
    if options.renderTileLabels:
        raise UsageError("--renderTileLabels has no stand-in")
    stack = stack_of(options)
    box = _given_box(options, stack)
    pixel_size = _pixel_size(options, stack)
    drawer = renderer()
    query = {
        "filter": options.doFilter,
        "filterListName": options.filterListName,
        "fillWithNoise": options.fillWithNoise,
        "minIntensity": options.minIntensity,
        "maxIntensity": options.maxIntensity,
        "channels": options.channels,
    }
    for index, z in enumerate(options.zValues, start=1):
        parameters = box_parameters(stack, z, box or _layer_box(stack, z), options.scale, **query)
        image = gray_image(drawer, parameters)
        file = _file(options, z)
        if options.resolutionUnit and file.suffix[1:] in _TIFF:
            content = tiff_bytes(image, pixel_size=pixel_size, unit=options.resolutionUnit)
        else:
            content = image_bytes(file, image)
        write_bytes_whole(file, content)
        logger.info("%d of %d: z %s: %s", index, len(options.zValues), z, file)


def _given_box(options: Any, stack: RemoteStack) -> Box | None:
    """Return the box that is the same for all layers, None when each has its own."""
    if options.bounds is not None:
        min_x, max_x, min_y, max_y = options.bounds
        return min_x, min_y, int(max_x - min_x), int(max_y - min_y)
    return _box_of_bounds(stack.get("bounds")) if options.useStackBounds else None


def _layer_box(stack: RemoteStack, z: float) -> Box:
    return _box_of_bounds(stack.get("z", z_text(z), "bounds"))


def _box_of_bounds(bounds: dict[str, float]) -> Box:
    width, height = (int(bounds[f"max{axis}"] - bounds[f"min{axis}"] + 0.5) for axis in "XY")
    return bounds["minX"], bounds["minY"], width, height


def _pixel_size(options: Any, stack: RemoteStack) -> tuple[float, float] | None:
    """Return width and height of a pixel of the result in the unit that was asked for."""
    if options.resolutionUnit is None:
        return None
    if options.resolutionUnit not in _UNITS:
        raise ServiceError(f"--resolutionUnit is one of {', '.join(_UNITS)}, not {options.resolutionUnit}")
    version = stack.metadata()["currentVersion"]
    nanometres = [version.get(f"stackResolution{axis}") for axis in "XY"]
    if not all(nanometres):
        raise ServiceError(f"{stack} has no resolution, which --resolutionUnit needs")
    unit = _UNITS[options.resolutionUnit] * options.scale
    return nanometres[0] / unit, nanometres[1] / unit


def _file(options: Any, z: float) -> Path:
    ending = options.format
    file = section_image_path(options.rootDirectory, options.project, options.stack, options.scale, z, ending)
    folder = file.parent
    if options.customOutputFolder is not None:
        folder = Path(options.rootDirectory, options.customOutputFolder, options.customSubFolder or "")
    return folder / (padded_section_name(z, ending) if options.padFileNamesWithZeros else file.name)


def _bounds(word: str) -> tuple[float, float, float, float]:
    try:
        min_x, max_x, min_y, max_y = map(float, word.split(","))
    except ValueError:
        raise ValueError("minX,maxX,minY,maxY") from None
    if max_x <= min_x or max_y <= min_y:
        raise ValueError("minX,maxX,minY,maxY with the smaller ones first")
    return min_x, max_x, min_y, max_y


CLIENT = Client(
    "Draws layers into gray images, ROOT/PROJECT/STACK/sections_at_SCALE/THOUSANDS/HUNDREDS/Z.FORMAT.",
    _run,
    (
        *STACK_OPTIONS,
        text("rootDirectory", "folder for the images", required=True),
        number("scale", "image pixels per world pixel", 0.02),
        image_format("png"),
        switch("doFilter", "filter the tiles", True),
        FILTER_LIST_OPTION,
        NOISE_OPTION,
        text("channels", "channel, or NAME__WEIGHT__NAME__WEIGHT ..."),
        *INTENSITY_OPTIONS,
        Option("bounds", "minX,maxX,minY,maxY in world pixels; by default what each layer has", _bounds),
        flag("useStackBounds", "draw the box of the whole stack for each layer"),
        text("customOutputFolder", "folder below ROOT, for all images together"),
        text("customSubFolder", "folder below customOutputFolder"),
        flag("padFileNamesWithZeros", "names like 00123.png, which sort as text"),
        text("resolutionUnit", f"write the size of pixels into TIFF files, in {', '.join(_UNITS)}"),
        flag("renderTileLabels", "has no stand-in"),
        unused("imageType"),
        unused("convertToGray", Takes.PERHAPS_TRUTH),
    ),
    Rest("zValues", "z of the layers", a_number),
)
