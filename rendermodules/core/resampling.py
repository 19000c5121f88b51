"""Images at other resolutions and in other places."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]


def halved(image: Image) -> Image:
    """Return an image of half the size: averages of 2 x 2 pixels, rounded down; an odd last row or column is dropped.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8, uint16 or float; floats are not rounded.

    Returns
    -------
    array of the same type
        A new array; it has no pixels if a side of ``image`` is 1.

    Notes
    -----
    Java: mpicbg.trakem2.util.Downsampler.
    """
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    image = image[: 2 * rows, : 2 * columns]
    if image.dtype == np.uint8 and image.ndim == 2 and rows and columns:
        # two neighbours at a time as one 16-bit number: several times as quick as strided sums
        pairs = np.ascontiguousarray(image).view(np.uint16)
        sums = (pairs & 0xFF) + (pairs >> 8)
        return ((sums[::2] + sums[1::2]) >> 2).astype(np.uint8)
    if np.issubdtype(image.dtype, np.integer):
        wide = image.astype(np.uint32)
        total = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
        return (total >> 2).astype(image.dtype)
    result: Image = (image[::2, ::2] + image[::2, 1::2] + image[1::2, ::2] + image[1::2, 1::2]) / 4
    return result.astype(image.dtype)
