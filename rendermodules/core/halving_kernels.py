"""Compiled reductions of images to half the size, 2 x 2 pixels to one; an odd last row or column is dropped.

All take contiguous or strided arrays of one sample, (rows, columns), or of several, (rows, columns, samples).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_compiled = njit(nogil=True, cache=True)


@_compiled
def mean_halved(image: NDArray) -> NDArray:
    """Return the averages of unsigned integers (rows, columns), rounded down."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    result = np.empty((rows, columns), dtype=image.dtype)
    for row in range(rows):
        upper, lower, out = image[2 * row], image[2 * row + 1], result[row]
        for column in range(columns):
            # 32 bits hold the sum of four numbers of 16
            total = np.uint32(upper[2 * column]) + np.uint32(upper[2 * column + 1])
            total += np.uint32(lower[2 * column]) + np.uint32(lower[2 * column + 1])
            out[column] = total >> np.uint32(2)
    return result


@_compiled
def mean_halved_samples(image: NDArray) -> NDArray:
    """Return the averages of unsigned integers (rows, columns, samples), rounded down."""
    rows, columns, samples = image.shape[0] // 2, image.shape[1] // 2, image.shape[2]
    result = np.empty((rows, columns, samples), dtype=image.dtype)
    for row in range(rows):
        for column in range(columns):
            for sample in range(samples):
                total = np.uint32(image[2 * row, 2 * column, sample])
                total += np.uint32(image[2 * row, 2 * column + 1, sample])
                total += np.uint32(image[2 * row + 1, 2 * column, sample])
                total += np.uint32(image[2 * row + 1, 2 * column + 1, sample])
                result[row, column, sample] = total >> np.uint32(2)
    return result
