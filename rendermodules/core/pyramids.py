"""Image pyramids: an image at half, a quarter, an eighth ... of its size.

Level L has ``width >> L`` columns and ``height >> L`` rows, as Render has it: an odd last row or column is dropped at
every step. Each level is made from the one before.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.compiler import start_compiler
from rendermodules.core.resampling import halved

Image = NDArray[Any]

REDUCTIONS = ("mean", "minimum", "maximum", "median", "nearest", "bilinear", "hamming", "bicubic", "lanczos")
"""Ways to make one pixel of four or more; ``mean`` is Render's own, ``minimum`` is for masks."""

_RADIUS = {"bilinear": 1, "hamming": 1, "bicubic": 2, "lanczos": 3}


def level_size(width: int, height: int, level: int) -> tuple[int, int]:
    """Return width and height of a level; 0 where the image is too small to have it."""
    return width >> level, height >> level


def deepest_level(width: int, height: int) -> int:
    """Return the last level that has pixels."""
    return max(min(width, height).bit_length() - 1, 0)


def reduced(image: Image, method: str = "mean") -> Image:
    """Return an image of half the size.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8, uint16 or float32.
    method : str, default: "mean"
        ``mean``, the average rounded down; ``minimum``, ``maximum``, ``median`` (the average of the middle two, rounded
        down) and ``nearest`` (the upper left) of 2 x 2 pixels; or a filter of Pillow by name, on 4 x 4 (``bilinear``,
        ``hamming``), 8 x 8 (``bicubic``) or 12 x 12 (``lanczos``) pixels.

    Returns
    -------
    array of the same type
        A new array; without pixels if a side of ``image`` is 1.

    Raises
    ------
    ValueError
        There is no such method.
    """
    if method == "mean":
        return _mean(image)
    if method in _RADIUS:
        return _filtered(image, method)
    if method not in _OF_FOUR:
        raise ValueError(f"no reduction {method}: there are {', '.join(REDUCTIONS)}")
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    upper, lower = image[: 2 * rows : 2], image[1 : 2 * rows : 2]
    quarters = (part[:, start : 2 * columns : 2] for part in (upper, lower) for start in (0, 1))
    return _OF_FOUR[method](*quarters)


def pyramid(image: Image, levels: int, method: str = "mean") -> Iterator[Image]:
    """Yield the levels 1 to ``levels`` of an image, fewer if it gets too small; one is held at a time."""
    for _ in range(min(levels, deepest_level(image.shape[1], image.shape[0]))):
        image = reduced(image, method)
        yield image


def _mean(image: Image) -> Image:
    if image.ndim == 2 and image.dtype in (np.uint8, np.uint16):
        # pyramids are made of many images
        start_compiler()
        from rendermodules.core.halving_kernels import mean_halved

        return mean_halved(image)
    return halved(image)


def _minimum(a: Image, b: Image, c: Image, d: Image) -> Image:
    return np.minimum(np.minimum(a, b), np.minimum(c, d))


def _maximum(a: Image, b: Image, c: Image, d: Image) -> Image:
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def _median(a: Image, b: Image, c: Image, d: Image) -> Image:
    # the middle two of four: the greater of the lesser and the lesser of the greater
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    if np.issubdtype(a.dtype, np.floating):
        return (low + high) / 2
    # without a carry that would not fit into the type
    return (low & high) + ((low ^ high) >> 1)


def _nearest(a: Image, b: Image, c: Image, d: Image) -> Image:
    return a.copy()


_OF_FOUR: dict[str, Callable[[Image, Image, Image, Image], Image]] = {
    "minimum": _minimum,
    "maximum": _maximum,
    "median": _median,
    "nearest": _nearest,
}


def _filtered(image: Image, method: str) -> Image:
    """Return every second value of a filtered image along both axes; border pixels are taken to go on outside."""
    import cv2

    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    if not rows or not columns:
        return np.empty((rows, columns, *image.shape[2:]), dtype=image.dtype)
    # pixel i lies between 2i and 2i + 1: as many taps on either side
    distances = np.arange(-2 * _RADIUS[method], 2 * _RADIUS[method]) + 0.5
    taps = np.array([_weight(method, distance / 2) for distance in distances])
    taps /= taps.sum()
    anchor = len(taps) // 2 - 1
    image = image[: 2 * rows, : 2 * columns]
    wide = cv2.filter2D(image, cv2.CV_32F, taps[np.newaxis], anchor=(anchor, 0), borderType=cv2.BORDER_REPLICATE)[
        :, ::2
    ]
    values = cv2.filter2D(
        np.ascontiguousarray(wide), cv2.CV_32F, taps[:, np.newaxis], anchor=(0, anchor), borderType=cv2.BORDER_REPLICATE
    )[::2]
    if np.issubdtype(image.dtype, np.floating):
        return values.astype(image.dtype)
    return np.clip(np.rint(values), 0, np.iinfo(image.dtype).max).astype(image.dtype)


def _weight(method: str, distance: float) -> float:
    """Return the weight of a filter at a distance in pixels of the smaller image."""
    x = abs(distance)
    if method == "bilinear":
        return 1 - x
    if method == "hamming":
        return math.sin(math.pi * x) / (math.pi * x) * (0.54 + 0.46 * math.cos(math.pi * x))
    if method == "lanczos":
        return math.sin(math.pi * x) / (math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x / 3)
    # Keys' cubic with a = -1/2
    return 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
