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


def filled_border_mask(
    image: NDArray[Any], fill_value: float, margin: int, feather: int = 0
) -> NDArray[np.uint8] | None:
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
    feather : int, default: 0
        Pixels over which the image fades in from its edges and from what is hidden.

    Returns
    -------
    (rows, columns) uint8 array or None
        0 where hidden, 255 where seen; None when nothing is hidden or faded.
    """
    import cv2

    seen: NDArray[Any] = _unfilled(image if image.ndim == 2 else image.max(axis=2), fill_value)
    if margin:
        # what lies outside the image is not filled
        seen = cv2.erode(seen, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8), borderValue=1)
    if seen.all() and not feather:
        return None
    if not feather:
        return seen * np.uint8(255)
    distance = cv2.distanceTransform(np.pad(seen, 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.rint(255 * np.minimum(distance / feather, 1)).astype(np.uint8)


def _unfilled(image: NDArray[Any], fill_value: float) -> NDArray[np.uint8]:
    """Return 0 where the image is filled from its edges and 1 elsewhere."""
    import cv2

    filled = (image == fill_value).astype(np.uint8)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(filled, connectivity=4)
    edges = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    # a few dark pixels at the edge are noise, not a filling
    outside = [label for label in edges if label and figures[label, cv2.CC_STAT_AREA] >= _SMALLEST_FILLED]
    return np.isin(labels, outside, invert=True).astype(np.uint8)


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
