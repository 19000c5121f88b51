"""What filters share: one colour at a time, and values of the type of the image."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]


def by_plane(image: Image, filtered: Callable[[Image], Image]) -> Image:
    """Return an image with a filter for gray images applied to each of its colours."""
    if image.ndim == 2:
        return filtered(image)
    return np.stack([filtered(image[:, :, channel]) for channel in range(image.shape[2])], axis=-1)


def as_type_of(image: Image, values: Image) -> Image:
    """Return values in the type of an image: whole numbers rounded half up and clipped.

    They are rounded in single precision first, as ImageJ does.
    """
    if not np.issubdtype(image.dtype, np.integer):
        return values.astype(image.dtype)
    limits = np.iinfo(image.dtype)
    return np.clip(np.floor(values.astype(np.float32) + np.float32(0.5)), limits.min, limits.max).astype(image.dtype)
