"""Masks of tiles and channels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.image_owners import ImageOwner, with_image_owners, with_levels
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, image_levels

_OWN_LOADER = ("maskLoaderType", "maskSliceNumber")
_SMALLEST_FILLED = 64


def with_masks(section: Section, urls: Mapping[int, str], channel_names: Sequence[str] | None) -> Section:
    """Return the section with one mask for all images, at every level of their pyramids.

    Render takes image and mask of the same level: a level without mask shows all of its image.

    Parameters
    ----------
    section : Section
    urls : dict of int to str
        URL of the mask at each level that some image has.
    channel_names : list of str or None
        The channels to mask; None masks all, and the tiles themselves.
    """
    return with_image_owners(section, lambda _, owner: with_mask(owner, urls), channel_names)


def with_mask(owner: ImageOwner, urls: Mapping[int, str]) -> ImageOwner:
    """Return a tile or channel with the mask of each level in place of the one that it has."""

    def masked_level(level: int, image: dict[str, Any]) -> dict[str, Any]:
        # the mask that was there may have needed a loader of its own
        kept = {key: value for key, value in image.items() if key not in _OWN_LOADER}
        return {**kept, "maskUrl": urls[level]}

    return with_levels(owner, masked_level)


def filled_border_mask(image: NDArray[Any], fill_value: float, margin: int) -> NDArray[np.uint8] | None:
    """Return a mask that hides the parts of an image at its edges that were filled with one value.

    Such parts are left by programs that have turned or corrected an image before: they show nothing and cover, in a
    montage, what the tile below shows.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
    fill_value : float
        The value of filled pixels.
    margin : int
        Pixels beside filled ones that are hidden too, since interpolation has mixed the two.

    Returns
    -------
    (rows, columns) uint8 array or None
        0 where hidden, 255 elsewhere; None when nothing is filled.
    """
    import cv2

    grey = image if image.ndim == 2 else image.max(axis=2)
    filled = (grey == fill_value).astype(np.uint8)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(filled, connectivity=4)
    edges = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    # a few dark pixels at the edge are noise, not a filling
    outside = [label for label in edges if label and figures[label, cv2.CC_STAT_AREA] >= _SMALLEST_FILLED]
    if not outside:
        return None
    hidden: NDArray[Any] = np.isin(labels, outside).astype(np.uint8)
    if margin:
        hidden = cv2.dilate(hidden, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    return np.where(hidden, 0, 255).astype(np.uint8)


def levels_of(section: Section) -> set[int]:
    """Return all levels of pyramids that tiles and channels of the section have."""
    return {
        level
        for tile in section.tiles
        for owner in (tile, *(tile.get("channels") or ()))
        for level, _ in image_levels(owner)
    }


def check_tile_size(section: Section, width: int, height: int) -> None:
    """Raise a `ValueError` that names the tiles whose images are not of this size, in pixels."""
    others = [tile["tileId"] for tile in section.tiles if (tile.get("width"), tile.get("height")) != (width, height)]
    if others:
        raise ValueError(f"the mask has {width} x {height} pixels, but not the tiles {listed(others)}")
