"""What of a tile holds images: its channels, and the tile itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, TileSpec

ImageOwner = dict[str, Any]
"""A tile or one of its channels: ``mipmapLevels``, ``minIntensity``, ``maxIntensity`` ..."""


def with_image_owners(
    section: Section, change: Callable[[TileSpec, ImageOwner], ImageOwner], channel_names: Sequence[str] | None
) -> Section:
    """Return the section with what holds images replaced by what a function makes of it.

    Parameters
    ----------
    section : Section
    change : callable
        From a tile and its owner of images (a channel, or the tile itself) to the new owner, a copy.
    channel_names : list of str or None
        Change these channels only. None changes all channels, and of every tile the images that are in no channel.

    Raises
    ------
    ValueError
        No tile of the section has a channel that is named; the message names those that there are.
    """
    check_channels(section, channel_names)
    return replace(section, tiles=[_changed(tile, change, channel_names) for tile in section.tiles])


def check_channels(section: Section, channel_names: Sequence[str] | None) -> None:
    """Raise a ``ValueError`` when no tile of a section has a channel that is named."""
    present = {channel["name"] for tile in section.tiles for channel in tile.get("channels") or ()}
    missing = [name for name in channel_names or () if name not in present]
    if missing and section.tiles:
        raise ValueError(f"no tile has the channel {listed(missing)}; there are {listed(sorted(present)) or 'none'}")


def _changed(
    tile: TileSpec, change: Callable[[TileSpec, ImageOwner], ImageOwner], channel_names: Sequence[str] | None
) -> TileSpec:
    changed = dict(tile)
    if channel_names is None and tile.get("mipmapLevels"):
        changed = change(tile, tile)
    if tile.get("channels"):
        changed["channels"] = [
            change(tile, channel) if channel_names is None or channel["name"] in channel_names else channel
            for channel in tile["channels"]
        ]
    return changed


def with_levels(owner: ImageOwner, change: Callable[[int, dict[str, Any]], dict[str, Any] | None]) -> ImageOwner:
    """Return a tile or channel with the image and mask of each pyramid level replaced by what a function makes of it.

    A level of which it makes None is dropped.
    """
    levels = {int(key): image for key, image in (owner.get("mipmapLevels") or {}).items()}
    changed = {str(level): change(level, levels[level]) for level in sorted(levels)}
    return {**owner, "mipmapLevels": {key: image for key, image in changed.items() if image is not None}}
