"""Triangles as spans of pixels, and images drawn span by span.

A span is the part of a row of the canvas that lies in a triangle. A pixel belongs to a triangle if its centre lies on
or right of the left edge, left of the right edge, on or below the upper and above the lower end. Two triangles that
share an edge compute it from the same numbers, so that each pixel of a mesh is drawn exactly once.

Positions in the image are whole numbers of 2^-32 pixels, and weights of whole-number images of 2^-22, so that this
implementation and the compiled one in ``span_kernels`` give the same result to the last bit. This one needs no
compiled code in memory, which costs more than a small box; it draws about 10 million pixels per second.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ONE = 1 << 32
"""One pixel of an image."""

FURTHEST = 1e9
"""How far away from a canvas the corner of a triangle may lie that is drawn, in pixels."""

# so large that no real position is cut, so small that no sum overflows
LARGEST_POSITION, LARGEST_STEP = 2.0**61, 2.0**46

WEIGHT_BITS = 22
_DROPPED_BITS = 32 - WEIGHT_BITS
_WEIGHT_MASK = (1 << WEIGHT_BITS) - 1
_HALF = 1 << (2 * WEIGHT_BITS - 1)
_PIXELS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Spans:
    """Parts of rows of a canvas, in order of their triangles.

    Attributes
    ----------
    triangle, row : (n,) int arrays
    start, end : (n,) int arrays
        First column, and the one behind the last; no span is empty.
    """

    triangle: Integers
    row: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, chosen: Any) -> "Spans":
        return Spans(self.triangle[chosen], self.row[chosen], self.start[chosen], self.end[chosen])


def triangle_spans(corners: Floats, first_row: int, last_row: int, width: int) -> Spans:
    """Return the spans of triangles within some rows of a canvas.

    Parameters
    ----------
    corners : (t, 3, 2) float array
        Triangles on the canvas, x, y; those that are not finite, or further away than ``FURTHEST``, are left out.
    first_row, last_row : int
        The rows, ``last_row`` not included.
    width : int
        Width of the canvas.
    """
    y = corners[:, :, 1]
    near = (np.abs(corners) <= FURTHEST).reshape(len(corners), 6).all(axis=1)
    low = np.ceil(np.clip(np.where(near, y.min(axis=1, initial=np.inf), last_row), first_row, last_row))
    high = np.ceil(np.clip(np.where(near, y.max(axis=1, initial=-np.inf), first_row), first_row, last_row))
    counts = np.maximum(high - low, 0).astype(np.int64)
    triangle = np.repeat(np.arange(len(corners)), counts)
    ends = np.cumsum(counts)
    row = np.arange(len(triangle)) - np.repeat(ends - counts - low.astype(np.int64), counts)
    left, right = _crossings(corners, triangle, row)
    start = np.ceil(np.clip(left, 0, width)).astype(np.int64)
    end = np.ceil(np.clip(right, 0, width)).astype(np.int64)
    return Spans(triangle, row, start, end)[end > start]


def _crossings(corners: Floats, triangle: Integers, row: Integers) -> tuple[Floats, Floats]:
    """Return where rows enter and leave their triangles; nowhere if they pass between two pixels."""
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    for k in range(3):
        first, second = corners[:, k], corners[:, (k + 1) % 3]
        swapped = (second[:, 1] < first[:, 1])[:, None]
        upper, lower = np.where(swapped, second, first), np.where(swapped, first, second)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
            crossing = upper[triangle, 0] + (row - upper[triangle, 1]) * slope[triangle]
        crossed = (upper[triangle, 1] <= row) & (row < lower[triangle, 1])
        left = np.where(crossed, np.minimum(left, crossing), left)
        right = np.where(crossed, np.maximum(right, crossing), right)
    return left, right


def draw_spans(
    corners: Floats,
    inverses: Floats,
    image: Array,
    mask: Array,
    canvas: Array,
    canvas_mask: Array,
    first_row: int,
    last_row: int,
    nearest: bool,
    binary: bool,
) -> None:
    """Draw an image onto some rows of a canvas.

    Parameters
    ----------
    corners : (t, 3, 2) float array
        Triangles on the canvas, x, y.
    inverses : (t, 2, 3) float array
        Affines from the canvas to the image; triangles whose affine is not finite are left out.
    image : (rows, columns) array
    mask : (rows, columns) uint8 array
        Of the image; without pixels if it has none, or the canvas has none.
    canvas : (height, width) array
        Written to; of the type of ``image``.
    canvas_mask : (height, width) uint8 array
        Written to; without pixels if the canvas has none.
    first_row, last_row : int
        The rows, ``last_row`` not included.
    nearest : bool
        Take the nearest pixel instead of interpolating between four.
    binary : bool
        Cover entirely where the mask is not 0.
    """
    usable = np.isfinite(inverses).reshape(len(inverses), 6).all(axis=1)
    corners, inverses = corners[usable], inverses[usable]
    spans = triangle_spans(corners, first_row, last_row, canvas.shape[1])
    lengths = spans.end - spans.start
    ends = np.cumsum(lengths)
    # where triangles lie over each other each must see what the one before has drawn
    folded = mask.size > 0 and _overlap(spans, canvas.shape[1])
    begin = 0
    while begin < len(spans):
        if folded:
            end = int(np.searchsorted(spans.triangle, spans.triangle[begin], side="right"))
        else:
            drawn = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, drawn + _PIXELS_AT_ONCE, side="right")))
        _draw_some(spans[begin:end], inverses, image, mask, canvas, canvas_mask, nearest, binary)
        begin = end


def _overlap(spans: Spans, width: int) -> bool:
    order = np.lexsort((spans.start, spans.row))
    start = spans.row[order] * width + spans.start[order]
    end = spans.row[order] * width + spans.end[order]
    return bool((end[:-1] > start[1:]).any())


def _draw_some(
    spans: Spans,
    inverses: Floats,
    image: Array,
    mask: Array,
    canvas: Array,
    canvas_mask: Array,
    nearest: bool,
    binary: bool,
) -> None:
    row, column, y, x = _positions(spans, inverses[spans.triangle])
    alpha = None
    if mask.size:
        alpha = sampled(mask, x, y, nearest)
        seen = np.flatnonzero(alpha)
        row, column, y, x, alpha = row[seen], column[seen], y[seen], x[seen], alpha[seen]
        if binary:
            alpha = None
    value = sampled(image, x, y, nearest)
    if alpha is None:
        canvas[row, column] = value
        if canvas_mask.size:
            canvas_mask[row, column] = 255
        return
    canvas[row, column], canvas_mask[row, column] = laid_over(
        value, alpha, canvas[row, column], canvas_mask[row, column]
    )


def _positions(spans: Spans, inverses: Floats) -> tuple[Integers, Integers, Integers, Integers]:
    """Return row and column of each pixel of the spans, and y and x of its position in the image in 2^-32 pixels."""
    lengths = spans.end - spans.start
    steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    positions = []
    for axis in (1, 0):
        across, down, offset = inverses[:, axis].T
        first = fixed(spans.start * across + spans.row * down + offset)
        positions.append(np.repeat(first, lengths) + steps * np.repeat(fixed(across, LARGEST_STEP), lengths))
    return np.repeat(spans.row, lengths), np.repeat(spans.start, lengths) + steps, positions[0], positions[1]


def fixed(values: Floats, largest: float = LARGEST_POSITION) -> Integers:
    """Return numbers of pixels as whole numbers of 2^-32 pixels, rounded down, none larger than ``largest``."""
    return np.floor(np.clip(values * ONE, -largest, largest)).astype(np.int64)


def sampled(image: Array, x: Integers, y: Integers, nearest: bool) -> Array:
    """Return the values of an image at positions in 2^-32 pixels; beyond the border those of the border.

    Whole-number images give int64, others float64.
    """
    x = np.clip(x, 0, (image.shape[1] - 1) * ONE)
    y = np.clip(y, 0, (image.shape[0] - 1) * ONE)
    exact = np.int64 if np.issubdtype(image.dtype, np.integer) else np.float64
    if nearest:
        return image[(y + ONE // 2) >> 32, (x + ONE // 2) >> 32].astype(exact)
    column, row = x >> 32, y >> 32
    next_column, next_row = np.minimum(column + 1, image.shape[1] - 1), np.minimum(row + 1, image.shape[0] - 1)
    x_weight, y_weight = (x >> _DROPPED_BITS) & _WEIGHT_MASK, (y >> _DROPPED_BITS) & _WEIGHT_MASK
    upper_left, upper_right = image[row, column].astype(exact), image[row, next_column].astype(exact)
    lower_left, lower_right = image[next_row, column].astype(exact), image[next_row, next_column].astype(exact)
    if exact is np.float64:
        upper = upper_left + x_weight * 2.0**-WEIGHT_BITS * (upper_right - upper_left)
        lower = lower_left + x_weight * 2.0**-WEIGHT_BITS * (lower_right - lower_left)
        return upper + y_weight * 2.0**-WEIGHT_BITS * (lower - upper)
    upper = (upper_left << WEIGHT_BITS) + x_weight * (upper_right - upper_left)
    lower = (lower_left << WEIGHT_BITS) + x_weight * (lower_right - lower_left)
    return ((upper << WEIGHT_BITS) + y_weight * (lower - upper) + _HALF) >> (2 * WEIGHT_BITS)


def laid_over(value: Array, alpha: Array, below: Array, alpha_below: Array) -> tuple[Array, Array]:
    """Return values and alphas of something laid over something else; alphas are 0 to 255, none of ``alpha`` is 0."""
    alpha = alpha.astype(np.int64)
    rest = alpha_below.astype(np.int64) * (255 - alpha)
    own = alpha * 255
    total = own + rest
    if np.issubdtype(below.dtype, np.floating):
        mixed = (value * own + below.astype(np.float64) * rest) / total
    else:
        mixed = (value * own + below.astype(np.int64) * rest + total // 2) // total
    return mixed.astype(below.dtype), ((total + 127) // 255).astype(np.uint8)
