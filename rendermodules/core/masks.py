"""Masks of tiles and channels."""

from collections.abc import Mapping, Sequence
from typing import Any

from rendermodules.core.image_owners import ImageOwner, with_image_owners, with_levels
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, TileSpec, image_levels

_OWN_LOADER = ("maskLoaderType", "maskSliceNumber")


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

    def masked_level(level: int, image: dict[str, Any]) -> dict[str, Any]:
        # the mask that was there may have needed a loader of its own
        kept = {key: value for key, value in image.items() if key not in _OWN_LOADER}
        return {**kept, "maskUrl": urls[level]}

    def masked(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        return with_levels(owner, masked_level)

    return with_image_owners(section, masked, channel_names)


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
