"""Images drawn span by span, compiled: what ``spans`` does, to the last bit, twenty times as quickly.

Importing this module loads the compiler and, at the first call, the compiled code, which takes about half a second.
"""

import math
from typing import Any

import numpy as np
from numba import njit, types, uint64
from numba.extending import overload
from numpy.typing import NDArray

from rendermodules.core.rasterising.spans import FURTHEST, LARGEST_POSITION, LARGEST_STEP, ONE, WEIGHT_BITS

Array = NDArray[Any]

_DROPPED_BITS = 32 - WEIGHT_BITS
_WEIGHT_MASK = (1 << WEIGHT_BITS) - 1
_HALF = 1 << (2 * WEIGHT_BITS - 1)
_TO_WEIGHT = 2.0**-WEIGHT_BITS


def _mixed(image: Array, a: Any, b: Any, c: Any, d: Any, x_weight: int, y_weight: int) -> Any:
    """Return four pixels of ``image``, upper left and right, lower left and right, weighed as ``spans.sampled``."""


@overload(_mixed, inline="always")
def _mixed_of(image, a, b, c, d, x_weight, y_weight):  # type: ignore[no-untyped-def]
    if isinstance(image.dtype, types.Integer):

        def whole(image, a, b, c, d, x_weight, y_weight):  # type: ignore[no-untyped-def]
            left, low = np.int64(a), np.int64(c)
            upper = (left << WEIGHT_BITS) + x_weight * (np.int64(b) - left)
            lower = (low << WEIGHT_BITS) + x_weight * (np.int64(d) - low)
            return ((upper << WEIGHT_BITS) + y_weight * (lower - upper) + _HALF) >> (2 * WEIGHT_BITS)

        return whole

    def real(image, a, b, c, d, x_weight, y_weight):  # type: ignore[no-untyped-def]
        left, low = np.float64(a), np.float64(c)
        upper = left + x_weight * _TO_WEIGHT * (np.float64(b) - left)
        lower = low + x_weight * _TO_WEIGHT * (np.float64(d) - low)
        return upper + y_weight * _TO_WEIGHT * (lower - upper)

    return real


def _over(canvas: Array, value: Any, own: int, below: Any, rest: int, total: int) -> Any:
    """Return a value laid over another, as ``spans.laid_over``."""


@overload(_over, inline="always")
def _over_of(canvas, value, own, below, rest, total):  # type: ignore[no-untyped-def]
    if isinstance(canvas.dtype, types.Integer):

        def whole(canvas, value, own, below, rest, total):  # type: ignore[no-untyped-def]
            return (value * own + np.int64(below) * rest + total // 2) // total

        return whole

    def real(canvas, value, own, below, rest, total):  # type: ignore[no-untyped-def]
        return (value * own + np.float64(below) * rest) / total

    return real


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _fixed(value: float, largest: float) -> Any:
    return np.int64(math.floor(min(max(value * ONE, -largest), largest)))


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _is_near(triangle: Array) -> bool:
    near = True
    for k in range(3):
        near = near and abs(triangle[k, 0]) <= FURTHEST and abs(triangle[k, 1]) <= FURTHEST
    return near


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _from_top(triangle: Array) -> Any:
    """Return the corners of a triangle from the smallest to the largest y, as pairs of numbers."""
    a, b, c = (
        (triangle[0, 0], triangle[0, 1]),
        (triangle[1, 0], triangle[1, 1]),
        (triangle[2, 0], triangle[2, 1]),
    )
    if b[1] < a[1]:
        a, b = b, a
    if c[1] < b[1]:
        b, c = c, b
    if b[1] < a[1]:
        a, b = b, a
    return a, b, c


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _inner(image: Array, x: int, y: int) -> Any:
    """Return the value at a position that has four pixels around it."""
    column, row, one = uint64(x >> 32), uint64(y >> 32), uint64(1)
    return _mixed(
        image,
        image[row, column],
        image[row, column + one],
        image[row + one, column],
        image[row + one, column + one],
        (x >> _DROPPED_BITS) & _WEIGHT_MASK,
        (y >> _DROPPED_BITS) & _WEIGHT_MASK,
    )


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _anywhere(image: Array, x: int, y: int, nearest: bool) -> Any:
    """Return the value at any position; beyond the border that of the border."""
    last_row, last_column = image.shape[0] - 1, image.shape[1] - 1
    x, y = min(max(x, 0), last_column * ONE), min(max(y, 0), last_row * ONE)
    if nearest:
        x, y = (x + ONE // 2) >> 32 << 32, (y + ONE // 2) >> 32 << 32
    column, row = x >> 32, y >> 32
    next_column, next_row = min(column + 1, last_column), min(row + 1, last_row)
    return _mixed(
        image,
        image[row, column],
        image[row, next_column],
        image[next_row, column],
        image[next_row, next_column],
        (x >> _DROPPED_BITS) & _WEIGHT_MASK,
        (y >> _DROPPED_BITS) & _WEIGHT_MASK,
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_opaque(
    image: Array, row: Array, start: int, end: int, x: int, y: int, dx: int, dy: int, easy: bool, nearest: bool
) -> None:
    if easy:
        for column in range(start, end):
            row[column] = _inner(image, x, y)
            x += dx
            y += dy
        return
    for column in range(start, end):
        row[column] = _anywhere(image, x, y, nearest)
        x += dx
        y += dy


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_masked(
    image: Array,
    mask: Array,
    row: Array,
    mask_row: Array,
    start: int,
    end: int,
    x: int,
    y: int,
    dx: int,
    dy: int,
    easy: bool,
    nearest: bool,
    binary: bool,
) -> None:
    for column in range(start, end):
        alpha = _inner(mask, x, y) if easy else _anywhere(mask, x, y, nearest)
        if alpha:
            value = _inner(image, x, y) if easy else _anywhere(image, x, y, nearest)
            if alpha == 255 or binary:
                row[column] = value
                mask_row[column] = 255
            else:
                rest = np.int64(mask_row[column]) * (255 - alpha)
                own = alpha * 255
                total = own + rest
                row[column] = _over(row, value, own, row[column], rest, total)
                mask_row[column] = (total + 127) // 255
        x += dx
        y += dy


@njit(nogil=True, cache=True, error_model="numpy")
def draw_spans(
    corners: Array,
    inverses: Array,
    image: Array,
    mask: Array,
    canvas: Array,
    canvas_mask: Array,
    first_row: int,
    last_row: int,
    nearest: bool,
    binary: bool,
) -> None:
    """Draw an image onto some rows of a canvas; parameters and result are those of ``spans.draw_spans``."""
    width = canvas.shape[1]
    x_end, y_end = (image.shape[1] - 1) * ONE, (image.shape[0] - 1) * ONE
    for t in range(len(corners)):
        # most triangles of a large image lie in other rows
        y0, y1, y2 = corners[t, 0, 1], corners[t, 1, 1], corners[t, 2, 1]
        if max(y0, y1, y2) < first_row or min(y0, y1, y2) > last_row:
            continue
        inverse = inverses[t]
        if not _is_near(corners[t]) or not math.isfinite(inverse.sum()):
            continue
        top, middle, bottom = _from_top(corners[t])
        begin = int(math.ceil(min(max(top[1], first_row), last_row)))
        finish = int(math.ceil(min(max(bottom[1], first_row), last_row)))
        if begin >= finish:
            continue
        dx, dy = _fixed(inverse[0, 0], LARGEST_STEP), _fixed(inverse[1, 0], LARGEST_STEP)
        long_slope = (bottom[0] - top[0]) / (bottom[1] - top[1])
        upper_slope = (middle[0] - top[0]) / (middle[1] - top[1])
        lower_slope = (bottom[0] - middle[0]) / (bottom[1] - middle[1])
        for row in range(begin, finish):
            left = top[0] + (row - top[1]) * long_slope
            if row < middle[1]:
                right = top[0] + (row - top[1]) * upper_slope
            else:
                right = middle[0] + (row - middle[1]) * lower_slope
            if right < left:
                left, right = right, left
            start = int(math.ceil(min(max(left, 0.0), width)))
            end = int(math.ceil(min(max(right, 0.0), width)))
            if end <= start:
                continue
            x = _fixed(start * inverse[0, 0] + row * inverse[0, 1] + inverse[0, 2], LARGEST_POSITION)
            y = _fixed(start * inverse[1, 0] + row * inverse[1, 1] + inverse[1, 2], LARGEST_POSITION)
            last_x, last_y = x + (end - start - 1) * dx, y + (end - start - 1) * dy
            easy = (
                not nearest
                and min(x, last_x) >= 0
                and max(x, last_x) < x_end
                and min(y, last_y) >= 0
                and max(y, last_y) < y_end
            )
            if mask.size:
                _draw_masked(
                    image, mask, canvas[row], canvas_mask[row], start, end, x, y, dx, dy, easy, nearest, binary
                )
                continue
            _draw_opaque(image, canvas[row], start, end, x, y, dx, dy, easy, nearest)
            if canvas_mask.size:
                canvas_mask[row, start:end] = 255
