"""Mean, smallest, largest, variance and median of the pixels in a circle."""

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.filters.planes import Image, as_type_of, by_plane

RANK_TYPES = ("mean", "min", "max", "variance", "median")
"""What can be taken of the pixels in a circle, in ImageJ's order."""


def rank_filtered(image: Image, radius: float, rank_type: str) -> Image:
    """Return an image in which each pixel is the mean (...) of those in a circle around it.

    Pixels beyond the border are those of the border.

    Parameters
    ----------
    image : array
    radius : float
        Of the circle, in pixels.
    rank_type : str
        One of ``RANK_TYPES``. The variance is that of the population, and clipped to what the image can hold.

    Notes
    -----
    Java: ij.plugin.filter.RankFilters.
    """
    circle = _circle(radius)
    return by_plane(image, lambda plane: _plane(plane, circle, rank_type))


def _circle(radius: float) -> NDArray[np.bool_]:
    """Return which pixels of a square are within the circle that ImageJ takes for a radius."""
    squared = radius * radius + 1
    half = int(np.sqrt(squared + 1e-10))
    row = np.arange(-half, half + 1)
    half_widths = np.sqrt(squared - row * row + 1e-10).astype(int)
    return np.abs(row) <= half_widths[:, None]


def _plane(plane: Image, circle: NDArray[np.bool_], rank_type: str) -> Image:
    import cv2
    from scipy import ndimage

    kernel = circle.astype(np.uint8)
    if rank_type == "min":
        return cv2.erode(plane, kernel, borderType=cv2.BORDER_REPLICATE)
    if rank_type == "max":
        return cv2.dilate(plane, kernel, borderType=cv2.BORDER_REPLICATE)
    if rank_type == "median":
        return ndimage.median_filter(plane, footprint=circle, mode="nearest")
    values = plane.astype(np.float64)
    count = float(circle.sum())
    total = _sums(values, kernel)
    if rank_type == "mean":
        return as_type_of(plane, total / count)
    return as_type_of(plane, (_sums(values * values, kernel) - total * total / count) / count)


def _sums(values: Image, kernel: Image) -> Image:
    import cv2

    return cv2.filter2D(values, cv2.CV_64F, kernel.astype(np.float64), borderType=cv2.BORDER_REPLICATE)
