"""The window of contrast limited histogram equalization moved pixel by pixel, compiled."""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def _clip(counts: Array, limit: int) -> None:
    """Spread what the cells of a histogram have above ``limit`` over all of them, until that settles."""
    before = -1
    while True:
        excess = 0
        for cell in range(len(counts)):
            if counts[cell] > limit:
                excess += counts[cell] - limit
                counts[cell] = limit
        each, rest = excess // len(counts), excess % len(counts)
        counts += each
        if rest:
            step = (len(counts) - 1) // rest
            counts[step // 2 :: step] += 1
        if excess == before:
            return
        before = excess


@njit(nogil=True, cache=True)
def _share(counts: Array, cell: int) -> float:
    """Return the share of the brightest that ``cell`` is given."""
    first = 0
    while first < len(counts) - 1 and counts[first] == 0:
        first += 1
    total = counts[first:].sum()
    if total == counts[first] or cell < first:
        return 0.0
    return float(counts[first + 1 : cell + 1].sum()) / float(total - counts[first])


@njit(nogil=True, cache=True)
def equalized_in_windows(gray: Array, cell_of: Array, radius: int, bins: int, slope: float) -> Array:
    """Return an 8-bit image equalized in the window around each pixel.

    Parameters
    ----------
    gray : (rows, columns) uint8 array
    cell_of : (256,) int array
        Cell of the histogram for each value.
    radius : int
        Half the size of the window, without the pixel in its middle.
    bins : int
        Cells of the histogram, less one.
    slope : float
        By how much contrast may be raised.
    """
    rows, columns = gray.shape
    result = np.empty_like(gray)
    counts = np.empty(bins + 1, np.int64)
    spread = np.empty(bins + 1, np.int64)
    for row in range(rows):
        top, bottom = max(row - radius, 0), min(row + radius + 1, rows)
        counts[:] = 0
        for y in range(top, bottom):
            for x in range(min(radius, columns)):
                counts[cell_of[gray[y, x]]] += 1
        for column in range(columns):
            if column + radius < columns:
                for y in range(top, bottom):
                    counts[cell_of[gray[y, column + radius]]] += 1
            if column - radius > 0:
                for y in range(top, bottom):
                    counts[cell_of[gray[y, column - radius - 1]]] -= 1
            width = min(column + radius + 1, columns) - max(column - radius, 0)
            spread[:] = counts
            _clip(spread, int(slope * (bottom - top) * width / bins + 0.5))
            result[row, column] = int(math.floor(_share(spread, cell_of[gray[row, column]]) * 255.0 + 0.5))
    return result
