"""From a canvas to the bytes of a file, in all formats that Render answers with."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.depths import luminance, shown
from rendermodules.io.image_formats import jpeg_bytes, png_bytes, tiff_bytes
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.parameters import RenderingError

Array = NDArray[Any]


def shown_pixels(canvas: Canvas) -> Array:
    """Return the image of a canvas in its range: uint8, (height, width) if it is gray, else (height, width, 3)."""
    width, height = canvas.size
    return shown(canvas.pixels[:height, :width], canvas.low, canvas.high)


def alpha(canvas: Canvas) -> Array | None:
    """Return how opaque the image of a canvas is, (height, width) uint8; None if entirely."""
    width, height = canvas.size
    return None if canvas.mask is None or _has_background(canvas) else canvas.mask[:height, :width]


def _has_background(canvas: Canvas) -> bool:
    return canvas.background is not None or canvas.fill_with_noise


def _behind(canvas: Canvas) -> Array:
    """Return what shines through, (height, width, 3) or something that broadcasts to it."""
    width, height = canvas.size
    if canvas.fill_with_noise:
        # noise that two images share would be matched as if it were tissue
        generator = np.random.default_rng(zlib.crc32(np.ascontiguousarray(canvas.pixels).data))
        return generator.integers(0, 256, (height, width, 1), dtype=np.uint8)
    colour = canvas.background or 0
    return np.array([colour >> 16 & 255, colour >> 8 & 255, colour & 255], np.uint8)


def composed(canvas: Canvas) -> Array:
    """Return the image of a canvas over its background, or over black: uint8, gray if all of it is."""
    image = shown_pixels(canvas)
    width, height = canvas.size
    if canvas.mask is None:
        return image
    mask = canvas.mask[:height, :width]
    behind = _behind(canvas)
    if image.ndim == 2 and (behind == behind[..., :1]).all():
        behind = behind[..., 0]
    elif image.ndim == 2:
        image = image[:, :, None]
    if image.ndim == 3:
        mask = mask[:, :, None]
    return (_share(image, mask) + _share(behind, 255 - mask)).astype(np.uint8)


def _share(values: Array, weights: Array) -> Array:
    """Return values times weights of 0 to 255, rounded; both parts of a mixture are, as in Java's graphics."""
    share: Array = (values.astype(np.uint16) * weights + np.uint16(127)) // 255
    return share


def argb(canvas: Canvas) -> Array:
    """Return the image of a canvas with colours and transparency: (height, width, 4) uint8, red, green, blue, alpha."""
    width, height = canvas.size
    image = composed(canvas) if _has_background(canvas) else shown_pixels(canvas)
    opacity = alpha(canvas)
    result = np.empty((height, width, 4), np.uint8)
    result[:, :, :3] = image if image.ndim == 3 else image[:, :, None]
    result[:, :, 3] = 255 if opacity is None else opacity
    if opacity is not None:
        # what cannot be seen is black, so that equal images are equal files
        result[opacity == 0] = 0
    return result


def gray(canvas: Canvas) -> Array:
    """Return the image of a canvas as 8-bit gray, over its background or black."""
    return luminance(composed(canvas))


def colours(canvas: Canvas) -> Array:
    """Return the image of a canvas as (height, width, 3) uint8, over its background or black."""
    image = composed(canvas)
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def deep(canvas: Canvas) -> Array:
    """Return the values of a canvas as 16-bit gray, whatever its range and transparency."""
    width, height = canvas.size
    image = luminance(canvas.pixels[:height, :width])
    return np.clip(image, 0, 65535).astype(np.uint16)


_FORMATS: dict[str, tuple[str, Callable[[Canvas, bool, float], bytes]]] = {
    "png": ("image/png", lambda canvas, to_gray, quality: png_bytes(argb(canvas))),
    "jpeg": (
        "image/jpeg",
        lambda canvas, to_gray, quality: jpeg_bytes(gray(canvas) if to_gray else colours(canvas), quality),
    ),
    "tiff": ("image/tiff", lambda canvas, to_gray, quality: tiff_bytes(colours(canvas))),
    "tiff16": ("image/tiff", lambda canvas, to_gray, quality: tiff_bytes(deep(canvas), byte_order=">")),
    "png16": ("image/png", lambda canvas, to_gray, quality: png_bytes(deep(canvas))),
    "raw": (
        "application/octet-stream",
        lambda canvas, to_gray, quality: np.ascontiguousarray(argb(canvas)[:, :, [3, 0, 1, 2]]).tobytes(),
    ),
    "raw16": ("application/octet-stream", lambda canvas, to_gray, quality: deep(canvas).astype(">u2").tobytes()),
}

DEEP_FORMATS = ("tiff16", "png16", "raw16")
"""Formats that hold the values of tiles instead of what is shown; draw their canvas with ``keep_values``."""


def encoded(canvas: Canvas, image_format: str, convert_to_gray: bool = False, quality: float = 0.85) -> bytes:
    """Return the bytes of a canvas as a file.

    Parameters
    ----------
    canvas : Canvas
    image_format : str
        ``png`` (red, green, blue, alpha), ``jpeg``, ``tiff`` (colours), ``png16``, ``tiff16`` (big endian), ``raw``
        (alpha, red, green, blue), ``raw16`` (big endian).
    convert_to_gray : bool, default: False
        Write gray JPEG; the other formats do not heed it, as in Render.
    quality : float, default: 0.85
        Of JPEG, 0 to 1.

    Raises
    ------
    RenderingError
        There is no such format.
    """
    if image_format not in _FORMATS:
        raise RenderingError(f"images are drawn as {', '.join(_FORMATS)}, not {image_format!r}")
    return _FORMATS[image_format][1](canvas, convert_to_gray, quality)


def media_type(image_format: str) -> str:
    """Return the media type of a format that ``encoded`` knows."""
    return _FORMATS[image_format][0]
