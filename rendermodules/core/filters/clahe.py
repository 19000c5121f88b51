"""Contrast limited adaptive histogram equalization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.compiler import start_compiler
from rendermodules.core.depths import shown
from rendermodules.core.filters.planes import Image, by_plane

Array = NDArray[Any]


def contrast_limited(
    image: Image, fast: bool, block_radius: int, bins: int, slope: float, low: float, high: float
) -> Image:
    """Return an image whose histogram is flat around each pixel, as far as contrast is not raised too much.

    Parameters
    ----------
    image : array
    fast : bool
        Equalize in blocks and interpolate between them, instead of in a window around each pixel.
    block_radius : int
        Half the size of a block or window, without the pixel in its middle, in pixels.
    bins : int
        Cells of the histogram, less one.
    slope : float
        By how much contrast may be raised; 1 leaves the image as it is.
    low, high : float
        Range of images that are not 8 bit.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV (1994).

    Notes
    -----
    Java: mpicbg.ij.clahe, FastFlat and Flat. The fast variant leaves the last row and column as they are.
    """
    return by_plane(image, lambda plane: _plane(plane, fast, block_radius, bins, slope, low, high))


def _plane(plane: Image, fast: bool, radius: int, bins: int, slope: float, low: float, high: float) -> Image:
    gray = shown(plane, low, high) if plane.dtype != np.uint8 else plane
    cell_of = np.floor(np.arange(256, dtype=np.float32) / np.float32(255) * np.float32(bins) + 0.5).astype(np.int64)
    if fast:
        result = _in_blocks(gray, cell_of[gray], radius, bins, slope)
    else:
        start_compiler()
        from rendermodules.core.filters.clahe_kernels import equalized_in_windows

        result = equalized_in_windows(np.ascontiguousarray(gray), cell_of, radius, bins, slope)
    if plane.dtype == np.uint8:
        return result
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(gray == 0, 1.0, result.astype(np.float64) / gray)
    changed = factor * (plane - low) + low
    if np.issubdtype(plane.dtype, np.integer):
        changed = np.clip(np.floor(changed + 0.5), 0, np.iinfo(plane.dtype).max)
    return changed.astype(plane.dtype)


def _in_blocks(gray: Image, cells: Array, radius: int, bins: int, slope: float) -> Image:
    size = 2 * radius + 1
    rows, columns = _centres(gray.shape[0], radius), _centres(gray.shape[1], radius)
    limit = int(slope * size * size / bins + 0.5)
    tables = np.array([[_transfer(_histogram(cells, row, column, radius, bins), limit) for column in columns]
                       for row in rows])  # fmt: skip
    above, below, y_weight = _neighbours(gray.shape[0] - 1, rows)
    left, right, x_weight = _neighbours(gray.shape[1] - 1, columns)
    result = gray.copy()
    inner = cells[:-1, :-1]
    for y in range(gray.shape[0] - 1):
        cell = inner[y]
        upper = x_weight * tables[above[y], left, cell] + (1 - x_weight) * tables[above[y], right, cell]
        lower = x_weight * tables[below[y], left, cell] + (1 - x_weight) * tables[below[y], right, cell]
        share = y_weight[y] * upper + (1 - y_weight[y]) * lower
        result[y, :-1] = np.clip(np.floor(share * 255 + 0.5), 0, 255)
    return result


def _centres(length: int, radius: int) -> Array:
    """Return the middles of the blocks along one side of an image."""
    size = 2 * radius + 1
    count, rest = divmod(length, size)
    regular = np.arange(count) * size + radius + 1
    last = length - radius - 1
    if rest == 0:
        return regular
    if rest == 1:
        return np.append(regular, last)
    return np.concatenate([[radius + 1], regular + rest // 2, [last]])


def _neighbours(length: int, centres: Array) -> tuple[Array, Array, Array]:
    """Return the blocks before and behind each of the first ``length`` pixels, and the weight of the one before."""
    place = np.arange(length)
    behind = np.searchsorted(centres, place, side="right")
    before = np.maximum(behind - 1, 0)
    behind = np.minimum(behind, len(centres) - 1)
    distance = centres[behind] - centres[before]
    weight = np.where(distance == 0, 1.0, (centres[behind] - place) / np.maximum(distance, 1))
    return before, behind, weight


def _histogram(cells: Array, row: int, column: int, radius: int, bins: int) -> Array:
    block = cells[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
    return np.bincount(block.ravel(), minlength=bins + 1)


def _transfer(counts: Array, limit: int) -> Array:
    """Return the share of the brightest for each cell of a histogram whose peaks are cut at ``limit``."""
    counts = clipped(counts, limit)
    sums = np.cumsum(counts)
    lowest = sums[int(np.argmax(counts != 0))]
    sums = np.where(sums == 0, 0, sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (sums - lowest).astype(np.float32) / np.float32(sums[-1] - lowest)
    return np.nan_to_num(shares)


def clipped(counts: Array, limit: int) -> Array:
    """Return a histogram with what its cells have above ``limit`` spread over all of them, until that settles."""
    counts = counts.copy()
    before = -1
    while True:
        above = counts - np.minimum(counts, limit)
        excess = int(above.sum())
        counts -= above
        each, rest = divmod(excess, len(counts))
        counts += each
        if rest:
            step = (len(counts) - 1) // rest
            counts[step // 2 :: step] += 1
        if excess == before:
            return counts
        before = excess
