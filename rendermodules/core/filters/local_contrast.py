"""Local contrast brought to one level."""

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.filters.planes import Image, as_type_of, by_plane

Floats = NDArray[np.float64]


def local_contrast_normalized(
    image: Image,
    radius_x: int,
    radius_y: int,
    deviations: float,
    center: bool,
    stretch: bool,
    low: float,
    high: float,
) -> Image:
    """Return an image whose mean and contrast are the same everywhere.

    Mean and standard deviation are taken in a window around each pixel, cut at the border of the image.

    Parameters
    ----------
    image : array
    radius_x, radius_y : int
        Half the size of the window, without the pixel in its middle, in pixels.
    deviations : float
        How many standard deviations on either side of the mean are stretched over the range.
    center : bool
        Bring the mean to the middle of the range.
    stretch : bool
        Bring the standard deviation to one value.
    low, high : float
        The range.

    Notes
    -----
    Java: mpicbg.ij.integral.NormalizeLocalContrast.
    """
    return by_plane(image, lambda plane: _plane(plane, (radius_x, radius_y), deviations, (center, stretch), low, high))


def _plane(
    plane: Image, radii: tuple[int, int], deviations: float, how: tuple[bool, bool], low: float, high: float
) -> Image:
    center, stretch = how
    values = plane.astype(np.float64)
    mean, deviation = _window_statistics(plane, radii)
    middle = (low + high) / 2
    if center and not stretch:
        return as_type_of(plane, values - mean + middle)
    if not stretch:
        return plane.copy()
    spread = deviations * deviation
    darkest = (mean if center else middle) - spread
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (values - darkest) / (2 * spread) if center else (values - middle) / (2 * spread)
    offset = low if center else middle
    # where nothing varies nothing can be stretched; Java casts the NaN that comes out to 0
    stretched = np.where(np.isnan(share), 0.0, share * (high - low) + offset)
    return as_type_of(plane, np.clip(stretched, -1e9, 1e9))


def _window_statistics(plane: Image, radii: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return mean and sample standard deviation in the window around each pixel."""
    exact = np.int64 if np.issubdtype(plane.dtype, np.integer) else np.float64
    values = plane.astype(exact)
    columns, rows = (_window(length, radius) for length, radius in zip(plane.shape[::-1], radii, strict=True))
    count = (rows[1] - rows[0])[:, None] * (columns[1] - columns[0]).astype(np.float64)
    total = _window_sums(values, rows, columns).astype(np.float64)
    squares = _window_sums(values * values, rows, columns).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squares - total * total / count) / (count - 1)
    return total / count, np.sqrt(np.maximum(np.nan_to_num(variance), 0))


def _window(length: int, radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = np.arange(length)
    return np.maximum(place - radius, 0), np.minimum(place + radius + 1, length)


def _window_sums(
    values: Image,
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    columns: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Image:
    down = np.zeros((values.shape[0] + 1, values.shape[1]), values.dtype)
    np.cumsum(values, axis=0, out=down[1:])
    across = np.zeros((values.shape[0], values.shape[1] + 1), values.dtype)
    np.cumsum(down[rows[1]] - down[rows[0]], axis=1, out=across[:, 1:])
    return across[:, columns[1]] - across[:, columns[0]]
