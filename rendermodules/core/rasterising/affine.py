"""Images under one affine, drawn by OpenCV."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROWS_AT_ONCE = 128


@dataclass(frozen=True)
class Coverage:
    """Which pixels of a canvas lie in a convex outline.

    Attributes
    ----------
    first_row : int
    starts, ends : (n,) int arrays
        For ``first_row`` and the rows behind it the first column, and the one behind the last.
    """

    first_row: int
    starts: Integers
    ends: Integers

    def __getitem__(self, rows: slice) -> "Coverage":
        """Return the coverage of some rows of the canvas."""
        begin, end = (min(max(row - self.first_row, 0), len(self.starts)) for row in (rows.start, rows.stop))
        return Coverage(self.first_row + begin, self.starts[begin:end], self.ends[begin:end])

    def __len__(self) -> int:
        return len(self.starts)


def coverage(outline: Floats, width: int, height: int) -> Coverage:
    """Return which pixels of a canvas have their centre in a convex outline of (n, 2) corners in order.

    Pixels on a left or upper edge belong to it, those on a right or lower edge do not.
    """
    corners: list[list[float]] = outline.tolist()
    low, high = (math.ceil(min(max(end(y for _, y in corners), 0), height)) for end in (min, max))
    row = np.arange(low, high)
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    for first, second in zip(corners, [*corners[1:], corners[0]], strict=True):
        upper, lower = (first, second) if first[1] <= second[1] else (second, first)
        crossed = slice(*(min(max(math.ceil(end[1]) - low, 0), len(row)) for end in (upper, lower)))
        if crossed.start < crossed.stop:
            slope = (lower[0] - upper[0]) / (lower[1] - upper[1])
            crossing = upper[0] + (row[crossed] - upper[1]) * slope
            left[crossed] = np.minimum(left[crossed], crossing)
            right[crossed] = np.maximum(right[crossed], crossing)
    starts, ends = (np.ceil(np.minimum(np.maximum(side, 0), width)).astype(np.int64) for side in (left, right))
    return Coverage(low, starts, np.maximum(ends, starts))


def draw_affine(covered: Coverage, inverse: Floats, image: Array, canvas: Array, canvas_mask: Array) -> None:
    """Draw an image without mask onto a canvas.

    Parameters
    ----------
    covered : Coverage
        Where to draw.
    inverse : (2, 3) float array
        The affine from the canvas to the image.
    image : (rows, columns) uint8 array
        Beyond its border the values of the border are taken.
    canvas : (height, width) uint8 array
        Written to.
    canvas_mask : (height, width) uint8 array
        Set to 255 where the image is drawn; without pixels if the canvas has none.
    """
    # blocks are counted from the first row of the canvas, so that they, and with them OpenCV's rounding, do not hang on
    # how the canvas is cut into bands
    begin, end = covered.first_row, covered.first_row + len(covered)
    for top in range(begin - begin % _ROWS_AT_ONCE, end, _ROWS_AT_ONCE) if len(covered) else ():
        _draw_block(covered[max(top, begin) : min(top + _ROWS_AT_ONCE, end)], inverse, image, canvas)
    if canvas_mask.size:
        for row, (start, stop) in enumerate(zip(covered.starts, covered.ends, strict=True), begin):
            canvas_mask[row, start:stop] = 255


def _draw_block(covered: Coverage, inverse: Floats, image: Array, canvas: Array) -> None:
    """Draw a rectangle that all rows cover, and what is left and right of it pixel by pixel."""
    left, right = int(covered.starts.max()), int(covered.ends.min())
    first, last = int(covered.starts.min()), int(covered.ends.max())
    if left >= right:
        left = right = first
    part = slice(covered.first_row, covered.first_row + len(covered))
    _warp(image, inverse, canvas[part, left:right], left, part.start)
    for begin, end in ((first, left), (right, last)):
        if begin < end:
            warped = np.empty((len(covered), end - begin), np.uint8)
            _warp(image, inverse, warped, begin, part.start)
            columns = np.arange(begin, end)
            chosen = (columns >= covered.starts[:, None]) & (columns < covered.ends[:, None])
            np.copyto(canvas[part, begin:end], warped, where=chosen)


def _warp(image: Array, inverse: Floats, target: Array, left: int, top: int) -> None:
    if not target.size:
        return
    matrix = inverse.copy()
    matrix[:, 2] += inverse[:, :2] @ [left, top]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(image, matrix, target.shape[::-1], target, flags, cv2.BORDER_REPLICATE)
