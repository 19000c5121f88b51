"""The Java renderer's way of drawing triangles, to the last bit, with what is odd about it.

These loops follow Render's ``PixelMapper`` and ImageJ's interpolation literally. They serve strict rendering; the
other modules of this package are quicker and free of these oddities:

* the last row and column of an image are 0, and cover what lies beneath them;
* where the canvas is 0 a soft mask darkens the value that it also makes transparent;
* pixels on an edge between two triangles are drawn twice, which shows under soft masks.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(nogil=True, cache=True, inline="always")
def _inside(x: float, y: float, corners: Array) -> bool:
    """Return whether a point is on the same side of all three edges."""
    x0, y0, x1, y1, x2, y2 = corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1], corners[2, 0], corners[2, 1]
    side_0 = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) < 0
    side_1 = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) < 0
    side_2 = (x0 - x2) * (y - y2) - (y0 - y2) * (x - x2) < 0
    return side_0 == side_1 and side_1 == side_2


@njit(nogil=True, cache=True, inline="always")
def _interpolated(image: Array, x: float, y: float, channel: int, rounds: bool) -> float:
    """Return ImageJ's bilinear interpolation: 0 from the last row and column on."""
    rows, columns = image.shape[0], image.shape[1]
    if not (x >= 0 and y >= 0 and x < columns - 1 and y < rows - 1):
        return 0.0
    column, row = int(x), int(y)
    x_fraction, y_fraction = x - column, y - row
    lower_left = float(image[row, column, channel])
    upper_left = float(image[row + 1, column, channel])
    upper = upper_left + x_fraction * (float(image[row + 1, column + 1, channel]) - upper_left)
    lower = lower_left + x_fraction * (float(image[row, column + 1, channel]) - lower_left)
    value = lower + y_fraction * (upper - lower)
    return float(math.floor(value + 0.5)) if rounds else value


@njit(nogil=True, cache=True, inline="always")
def _nearest(image: Array, x: float, y: float, channel: int) -> float:
    row = min(max(int(y + 0.5), 0), image.shape[0] - 1)
    column = min(max(int(x + 0.5), 0), image.shape[1] - 1)
    return float(image[row, column, channel])


@njit(nogil=True, cache=True, inline="always")
def _value(image: Array, x: float, y: float, channel: int, nearest: bool, rounds: bool) -> float:
    return _nearest(image, x, y, channel) if nearest else _interpolated(image, x, y, channel, rounds)


@njit(nogil=True, cache=True, inline="always")
def _is_empty(pixel: Array, dark_is_empty: bool) -> bool:
    return dark_is_empty and not pixel.any()


@njit(nogil=True, cache=True, inline="always")
def _blended(value: float, alpha: float, below: float, alpha_below: float, empty: bool, rounds: bool) -> float:
    """Return a value laid over another; alphas are 0 to 1."""
    if empty:
        result = value * alpha
    else:
        rest = alpha_below * (1.0 - alpha)
        total = alpha + rest
        result = 0.0 if total == 0 else (value * alpha + below * rest) / total
    # ImageJ takes values in single precision
    return float(math.floor(np.float32(result) + np.float32(0.5))) if rounds else result


@njit(nogil=True, cache=True)
def draw_triangles(
    corners: Array,
    inverses: Array,
    image: Array,
    mask: Array,
    canvas: Array,
    canvas_mask: Array,
    nearest: bool,
    binary: bool,
    dark_is_empty: bool,
    rounds: bool,
) -> None:
    """Draw an image onto a canvas, triangle by triangle.

    Parameters
    ----------
    corners : (t, 3, 2) float array
        Triangles on the canvas, x, y.
    inverses : (t, 2, 3) float array
        Affines from the canvas to the image; triangles whose affine is NaN are left out.
    image : (rows, columns, channels) array
        1 or 3 channels.
    mask : (rows, columns, 1) uint8 array
        Of the image; not used if the canvas has none.
    canvas : (height, width, channels) array
        Written to; of the type of ``image``.
    canvas_mask : (height, width) uint8 array
        Written to; without pixels if the canvas has none.
    nearest : bool
        Take the nearest pixel instead of interpolating.
    binary : bool
        Cover entirely where the mask is not 0.
    dark_is_empty : bool
        Take pixels of the canvas that are 0 for empty, whatever its mask says.
    rounds : bool
        The values of the image are whole numbers.
    """
    height, width, channels = canvas.shape
    masked = canvas_mask.size > 0
    for t in range(len(corners)):
        triangle, inverse = corners[t], inverses[t]
        if not math.isfinite(inverse.sum()):
            continue
        low_x = max(min(triangle[0, 0], triangle[1, 0], triangle[2, 0]), -1e9)
        low_y = max(min(triangle[0, 1], triangle[1, 1], triangle[2, 1]), -1e9)
        high_x = min(max(triangle[0, 0], triangle[1, 0], triangle[2, 0]), 1e9)
        high_y = min(max(triangle[0, 1], triangle[1, 1], triangle[2, 1]), 1e9)
        for row in range(max(0, int(low_y + 0.5)), min(height - 1, int(high_y + 0.5)) + 1):
            for column in range(max(0, int(low_x + 0.5)), min(width - 1, int(high_x + 0.5)) + 1):
                x, y = float(column), float(row)
                if not _inside(x, y, triangle):
                    continue
                source_x = x * inverse[0, 0] + y * inverse[0, 1] + inverse[0, 2]
                source_y = x * inverse[1, 0] + y * inverse[1, 1] + inverse[1, 2]
                if not masked:
                    for channel in range(channels):
                        canvas[row, column, channel] = _value(image, source_x, source_y, channel, nearest, rounds)
                    continue
                alpha = _value(mask, source_x, source_y, 0, nearest, True)
                if binary:
                    if alpha > 0:
                        for channel in range(channels):
                            canvas[row, column, channel] = _value(image, source_x, source_y, channel, nearest, rounds)
                        canvas_mask[row, column] = 255
                    continue
                alpha /= 255.0
                alpha_below = canvas_mask[row, column] / 255.0
                empty = _is_empty(canvas[row, column], dark_is_empty)
                for channel in range(channels):
                    value = _value(image, source_x, source_y, channel, nearest, rounds)
                    below = float(canvas[row, column, channel])
                    canvas[row, column, channel] = _blended(value, alpha, below, alpha_below, empty, rounds)
                covered = alpha if empty else alpha + alpha_below * (1.0 - alpha)
                # colour pixels go through whole numbers without rounding
                rounding = np.float32(0.5 if channels == 1 else 0.0)
                canvas_mask[row, column] = int(np.float32(255.0 * covered) + rounding)
