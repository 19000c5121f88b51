"""Render parameters to answers with images: drawing, outlines of too many tiles, and caching by clients."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from rendermodules.io.paths import allowed_below
from rendermodules.render_ws.answers import BINARY, Answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import Forbidden, InvalidRequest, TooLarge
from rendermodules.render_ws.settings import Settings
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.tile_specs import NOT_UNDERSTOOD

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rendermodules.render_ws.rendering import Canvas, Renderer

CONTENT_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "tiff16": "image/tiff",
    "png16": "image/png",
    "raw": BINARY,
    "raw16": BINARY,
}
"""Content type of each format, by its name in the routes."""

OUTLINE = (0, 255, 0, 255)
_LABEL_OFFSET = (20, 25)


def image_answer(call: Call, parameters: dict[str, Any], image_format: str, most_tiles: int | None = None) -> Answer:
    """Return an answer with the image that render parameters describe.

    Parameters
    ----------
    parameters : dict
        Tile specs may be JSON, as bytes.
    image_format : str
        One of `CONTENT_TYPES`.
    most_tiles : int, optional
        When there are more tiles, their outlines are drawn instead. A number of the query
        (``maxTileSpecsToRender``) outranks it; 0 and negative numbers draw any number of tiles.

    Raises
    ------
    InvalidRequest
        The parameters, a tile or its image cannot be understood.
    Forbidden
        An image lies where nothing may be read.
    TooLarge
        More tiles than this service draws.
    """
    from rendermodules.render_ws.rendering import DEEP_FORMATS

    asked = call.query_integer("maxTileSpecsToRender")
    most = most_tiles if asked is None else asked
    tiles = [plain_tile(tile) for tile in parameters.get("tileSpecs") or ()]
    if most is not None and 0 < most < len(tiles):
        return _outlines_answer({**parameters, "tileSpecs": tiles}, image_format, call.settings.limits.image_pixels)
    canvas = drawn_canvas(call, {**parameters, "tileSpecs": tiles}, keep_values=image_format in DEEP_FORMATS)
    with _refusals():
        return Answer(_encoded(canvas, image_format, parameters, call.strict), CONTENT_TYPES[image_format])


def drawn_canvas(call: Call, parameters: dict[str, Any], keep_values: bool = False) -> "Canvas":
    """Return what render parameters describe as pixels.

    Parameters
    ----------
    parameters : dict
        Tile specs may be JSON, as bytes.
    keep_values : bool
        Whether values of more than 8 bits are kept as they are.

    Raises
    ------
    InvalidRequest, Forbidden, TooLarge
        As `image_answer`.
    """
    tiles = [plain_tile(tile) for tile in parameters.get("tileSpecs") or ()]
    limit = call.settings.limits.rendered_tiles
    if len(tiles) > limit:
        raise TooLarge(f"{len(tiles)} tiles are in the image; the limit is {limit}")
    with _refusals():
        drawable = {**parameters, "tileSpecs": tiles, "channels": _channels(parameters.get("channels"))}
        return renderer_of(call.settings).render(drawable, keep_values=keep_values)


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise what drawing raises as the error of the request that it is."""
    from rendermodules.io.images import ImageError, RefusedImageError
    from rendermodules.render_ws.rendering import RenderingError

    try:
        yield
    except RefusedImageError as error:
        raise Forbidden(str(error)) from error
    except (RenderingError, ImageError) as error:
        raise InvalidRequest(str(error)) from error
    except NOT_UNDERSTOOD as error:
        # members of the wrong type, in parameters that a client has made itself
        logger.warning("render parameters cannot be drawn", exc_info=True)
        raise InvalidRequest(f"the render parameters cannot be drawn: {error}") from error


def caching_headers(call: Call, stack: Stack) -> dict[str, str]:
    """Return headers that tell clients how long an image of a stack is good.

    Until the stack changes; clients ask each time. In strict mode an hour, and the tag is the
    time of the last change of state, which changes of tiles do not touch, as in Java Render.
    """
    if call.strict:
        return {"ETag": f'"{stack.modified}"', "Cache-Control": "no-transform, max-age=3600"}
    return {"ETag": f'"{stack.key}.{stack.revision}"', "Cache-Control": "no-cache"}


def is_known(call: Call, headers: Mapping[str, str]) -> bool:
    """Return whether the client says that it has the image with this tag."""
    tags = call.headers.get("if-none-match", "").split(",")
    return headers["ETag"] in (tag.strip().removeprefix("W/") for tag in tags)


@lru_cache(maxsize=4)
def renderer_of(settings: Settings) -> "Renderer":
    """Return the renderer of a service, with the images that it keeps; shared by the threads of a process."""
    from rendermodules.io.image_cache import ImageCache
    from rendermodules.render_ws.rendering import Renderer

    allowed = None if settings.image_roots is None else allowed_below(settings.image_roots)
    images = ImageCache(settings.limits.image_cache_bytes, allowed, settings.limits.decoded_pixels)
    return Renderer(images, settings.strict, settings.render_threads, settings.limits.image_pixels)


def plain_tile(tile: Any) -> dict[str, Any]:
    """Return a tile spec that may be JSON, as bytes, as an object.

    Raises
    ------
    InvalidRequest
        It is something else.
    """
    if isinstance(tile, bytes):
        tile = orjson.loads(tile)
    if not isinstance(tile, dict):
        raise InvalidRequest("a tile spec must be an object")
    return tile


def _channels(expression: Any) -> Any:
    """Return a channel expression as it is drawn: the weight of a channel that is alone does not count."""
    parts = expression.split("__") if isinstance(expression, str) else []
    return parts[0] if len(parts) == 2 else expression


def _encoded(canvas: "Canvas", image_format: str, parameters: Mapping[str, Any], strict: bool) -> bytes:
    from rendermodules.render_ws.rendering import DEEP_FORMATS, encoded

    gray = bool(parameters.get("convertToGray"))
    quality = float(parameters.get("quality") or 0.85)
    if strict and image_format not in DEEP_FORMATS:
        return _java_encoded(canvas, image_format, gray, quality)
    return encoded(canvas, image_format, gray, quality)


def _java_encoded(canvas: "Canvas", image_format: str, gray: bool, quality: float) -> bytes:
    """Return a file with the rounding of Java's graphics.

    It multiplies colours by their opacity, rounds, and divides again when it is asked for them.
    TIFF files hold these colours as if they were opaque.
    """
    import numpy as np

    from rendermodules.core.depths import luminance
    from rendermodules.io.image_formats import jpeg_bytes, png_bytes, tiff_bytes
    from rendermodules.render_ws.rendering.output import argb

    image = argb(canvas)
    alpha = image[:, :, 3:].astype(np.uint32)
    multiplied = (image[:, :, :3] * alpha + 127) // 255
    image[:, :, :3] = np.minimum((multiplied * 255 + alpha // 2) // np.maximum(alpha, 1), 255)
    if image_format == "png":
        return png_bytes(image)
    if image_format == "raw":
        return image[:, :, [3, 0, 1, 2]].tobytes()
    if image_format == "tiff":
        return tiff_bytes(np.ascontiguousarray(image[:, :, :3]))
    on_black = ((image[:, :, :3] * alpha + 127) // 255).astype(np.uint8)
    return jpeg_bytes(luminance(on_black) if gray else on_black, quality)


def _outlines_answer(parameters: dict[str, Any], image_format: str, most_pixels: int) -> Answer:
    import numpy as np

    scale, width, height = parameters["scale"], parameters["width"], parameters["height"]
    size = int(width * scale), int(height * scale)
    if min(size) < 1 or size[0] * size[1] > most_pixels:
        raise InvalidRequest(f"{size[0]} x {size[1]} pixels cannot be drawn")
    image = np.zeros((size[1], size[0], 4), np.uint8)
    for tile in parameters["tileSpecs"]:
        left, right = ((tile[name] - parameters["x"]) * scale for name in ("minX", "maxX"))
        top, bottom = ((tile[name] - parameters["y"]) * scale for name in ("minY", "maxY"))
        _draw_outline(image, (int(left), int(top), int(right), int(bottom)), str(tile.get("tileId")))
    return Answer(_outlines_encoded(image, image_format), CONTENT_TYPES[image_format])


def _draw_outline(image: "NDArray[np.uint8]", box: tuple[int, int, int, int], label: str) -> None:
    import cv2

    left, top, right, bottom = box
    cv2.rectangle(image, (left, top), (right, bottom), OUTLINE)
    place = left + _LABEL_OFFSET[0], top + _LABEL_OFFSET[1]
    cv2.putText(image, label, place, cv2.FONT_HERSHEY_PLAIN, 0.8, OUTLINE)


def _outlines_encoded(image: "NDArray[np.uint8]", image_format: str) -> bytes:
    from rendermodules.io.image_formats import jpeg_bytes, png_bytes, tiff_bytes

    colours = image[:, :, :3]
    green = image[:, :, 1].astype("uint16")
    return {
        "png": lambda: png_bytes(image),
        "jpeg": lambda: jpeg_bytes(colours),
        "tiff": lambda: tiff_bytes(colours),
        "tiff16": lambda: tiff_bytes(green, byte_order=">"),
        "png16": lambda: png_bytes(green),
        "raw": lambda: image[:, :, [3, 0, 1, 2]].tobytes(),
        "raw16": lambda: green.astype(">u2").tobytes(),
    }[image_format]()
