"""The compiled reduction of images to half the size, ten times as quick as ``resampling.halved``.

Importing this module loads the compiler, which takes half a second: as long as halving two billion pixels without it.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def mean_halved(image: NDArray) -> NDArray:
    """Return averages of 2 x 2 pixels of a (rows, columns) array of uint8 or uint16, as ``resampling.halved``."""
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
