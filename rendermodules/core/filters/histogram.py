"""Histograms made flat."""

import numpy as np

from rendermodules.core.filters.planes import Image, by_plane


def histogram_equalized(image: Image) -> Image:
    """Return an image in which all values are about as frequent; counts are taken by their square root.

    Images of float are taken to be 8 bit.

    Notes
    -----
    Java: ij.plugin.ContrastEnhancer.equalize.
    """
    return by_plane(image, _plane)


def _plane(plane: Image) -> Image:
    whole = plane if np.issubdtype(plane.dtype, np.integer) else np.clip(plane, 0, 255).astype(np.uint8)
    largest = int(np.iinfo(whole.dtype).max)
    counts = np.bincount(whole.ravel(), minlength=largest + 1).astype(np.float64)
    weights = np.where(counts < 2, counts, np.sqrt(counts))
    before = np.concatenate([[0.0], np.cumsum(2 * weights)[:-1]])
    total = weights[0] + 2 * weights[1:-1].sum() + weights[-1]
    table = np.floor((before - weights[0] + weights) * largest / max(total, 1) + 0.5)
    table[0], table[-1] = 0, largest
    return table.astype(whole.dtype)[whole].astype(plane.dtype)
