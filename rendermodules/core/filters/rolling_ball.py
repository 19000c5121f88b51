"""Background found by rolling a ball under the image."""

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.filters.planes import Image, by_plane

Floats = NDArray[np.float32]

# up to this radius: by how much the image is reduced, and per cent of the ball that are cut off on each side
_REDUCTIONS = ((10.0, 1, 24), (30.0, 2, 24), (100.0, 4, 32), (np.inf, 8, 40))
_THIRD = np.float32(0.33333333)


def rolling_ball_subtracted(image: Image, radius: float) -> Image:
    """Return an image without its background, which is what a ball of ``radius`` pixels cannot reach into from below.

    References
    ----------
    .. [1] S. R. Sternberg, "Biomedical image processing", IEEE Computer 16 (1983). :DOI:`10.1109/MC.1983.1654163`

    Notes
    -----
    Java: ij.plugin.filter.BackgroundSubtracter, dark background, smoothed first.
    """
    return by_plane(image, lambda plane: _plane(plane, radius))


def _plane(plane: Image, radius: float) -> Image:
    reduction, cut = next((factor, cut) for limit, factor, cut in _REDUCTIONS if radius <= limit)
    smooth = _smoothed(_smoothed(plane.astype(np.float32)).T).T
    small = _minima(smooth, reduction)
    background = _opened(small, _ball(radius, reduction, cut))
    if reduction > 1:
        background = _enlarged(background, reduction, plane.shape)
    if not np.issubdtype(plane.dtype, np.integer):
        return (plane - background).astype(plane.dtype)
    difference = plane.astype(np.float32) - background + np.float32(0.5)
    return np.clip(difference, 0, np.iinfo(plane.dtype).max).astype(plane.dtype)


def _smoothed(values: Floats) -> Floats:
    """Return means of three neighbours in a row; those at the border count twice."""
    padded = np.pad(values, ((0, 0), (1, 1)), mode="edge")
    return (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) * _THIRD


def _minima(values: Floats, factor: int) -> Floats:
    """Return the smallest value of each square of ``factor`` by ``factor`` pixels."""
    if factor == 1:
        return values
    missing = [(0, -side % factor) for side in values.shape]
    padded = np.pad(values, missing, constant_values=np.inf)
    rows, columns = (side // factor for side in padded.shape)
    return padded.reshape(rows, factor, columns, factor).min(axis=(1, 3))


def _ball(radius: float, reduction: int, cut: int) -> Floats:
    """Return the height of the ball over each pixel of the patch that is used of it."""
    small_radius = max(radius / reduction, 1.0)
    half = int(np.floor(small_radius - int(cut * small_radius) // 100 + 0.5))
    place = np.arange(-half, half + 1)
    squared = small_radius * small_radius - place * place - (place * place)[:, None]
    return np.sqrt(np.maximum(squared, 0)).astype(np.float32)


def _opened(values: Floats, ball: Floats) -> Floats:
    """Return the highest that the ball reaches at each pixel while no part of it is above the image."""
    half, (rows, columns) = len(ball) // 2, values.shape
    size = rows + 2 * half, columns + 2 * half
    padded = np.pad(values, 2 * half, constant_values=np.float32(np.inf))
    heights = np.full(size, np.float32(np.inf))
    for (i, j), height in np.ndenumerate(ball):
        np.minimum(heights, padded[i : i + size[0], j : j + size[1]] - height, out=heights)
    result = np.full(values.shape, np.float32(-np.inf))
    for (i, j), height in np.ndenumerate(ball):
        reached = heights[2 * half - i : 2 * half - i + rows, 2 * half - j : 2 * half - j + columns] + height
        np.maximum(result, reached, out=result)
    return result


def _enlarged(small: Floats, factor: int, shape: tuple[int, ...]) -> Floats:
    """Return an image interpolated between the middles of squares of pixels."""
    lines = _interpolated(small, factor, shape[1])
    return _interpolated(lines.T, factor, shape[0]).T


def _interpolated(lines: Floats, factor: int, length: int) -> Floats:
    count = lines.shape[1]
    if count < 2:
        return np.repeat(lines, length, axis=1)
    place = np.arange(length)
    # Java divides towards 0
    left = np.minimum(np.trunc((place - factor // 2) / factor).astype(np.int64), count - 2)
    distance = (place.astype(np.float32) + np.float32(0.5)) / np.float32(factor) - (left + np.float32(0.5))
    weight = (np.float32(1) - distance.astype(np.float32)).astype(np.float32)
    return lines[:, left] * weight + lines[:, left + 1] * (np.float32(1) - weight)
