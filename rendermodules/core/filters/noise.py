"""Pixels without meaning made harmless."""

import numpy as np

from rendermodules.core.filters.planes import Image, as_type_of, by_plane


def value_replaced_by_noise(image: Image, value: float, low: float, high: float, seed: int = 0) -> Image:
    """Return an image with the pixels of one value replaced by noise, so that no feature is found in them.

    Parameters
    ----------
    image : array
    value : float
        Rounded for whole-number images; NaN stands for pixels that are NaN.
    low, high : float
        Range of the noise, all values equally likely.
    seed : int, default: 0
        The same noise comes for the same seed and image size.
    """
    generator = np.random.default_rng(seed)

    def replaced(plane: Image) -> Image:
        if np.isnan(value):
            chosen = np.isnan(plane) if np.issubdtype(plane.dtype, np.floating) else np.zeros(plane.shape, bool)
        elif np.issubdtype(plane.dtype, np.integer):
            chosen = plane == np.floor(value + 0.5)
        else:
            chosen = plane == value
        noise = generator.uniform(low, high, plane.shape)
        return np.where(chosen, as_type_of(plane, noise), plane)

    return by_plane(image, replaced)
