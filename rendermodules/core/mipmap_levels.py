"""Levels of image pyramids in tile specs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rendermodules.core.image_owners import ImageOwner, check_channels, with_image_owners
from rendermodules.core.sections import Section, TileSpec

LevelsOf = Callable[[TileSpec, Mapping[str, Any]], Mapping[int, dict[str, Any]]]
"""From a tile and the full-scale level of it or of a channel to its other levels."""


def full_scale_level(owner: ImageOwner, tile: TileSpec) -> dict[str, Any]:
    """Return the image and mask of level 0 of a tile or channel.

    Raises
    ------
    ValueError
        There is none.
    """
    level = (owner.get("mipmapLevels") or {}).get("0")
    if not level or not level.get("imageUrl"):
        raise ValueError(f"tile {tile['tileId']} has no image at level 0")
    return dict(level)


def full_scale_levels(
    section: Section, channel_names: Sequence[str] | None
) -> Iterator[tuple[TileSpec, dict[str, Any]]]:
    """Yield level 0 of the images that `with_mipmap_levels` gives levels, each with its tile; errors are the same."""
    check_channels(section, channel_names)
    for tile in section.tiles:
        if channel_names is None and tile.get("mipmapLevels"):
            yield tile, full_scale_level(tile, tile)
        for channel in tile.get("channels") or ():
            if channel_names is None or channel["name"] in channel_names:
                yield tile, full_scale_level(channel, tile)


def with_mipmap_levels(section: Section, levels_of: LevelsOf, channel_names: Sequence[str] | None) -> Section:
    """Return the section with further levels in its tiles and their channels.

    Parameters
    ----------
    section : Section
    levels_of : callable
        The levels to set; others are kept.
    channel_names : list of str or None
        Channels that get them. None: all, and the image of the tile itself too.

    Raises
    ------
    ValueError
        A tile has no level 0, or there is no channel of a name.
    """

    def with_levels_set(tile: TileSpec, owner: ImageOwner) -> ImageOwner:
        levels = levels_of(tile, full_scale_level(owner, tile))
        kept = owner["mipmapLevels"]
        return {**owner, "mipmapLevels": {**kept, **{str(level): levels[level] for level in sorted(levels)}}}

    return with_image_owners(section, with_levels_set, channel_names)
