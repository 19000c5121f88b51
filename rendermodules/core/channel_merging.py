"""Channels of several stacks in the tiles of one."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rendermodules.core.identifiers import repeated
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section, TileSpec
from rendermodules.core.tile_partners import partner_tiles

Channel = dict[str, Any]


@dataclass(frozen=True)
class ChannelSource:
    """A stack whose images become channels.

    Attributes
    ----------
    stack : str
        Its name, for messages.
    channel : str or None
        Name of the channel; where the tiles have channels, the one that is taken. None takes all that they have.
    suffix : str
        Put behind the names of the channels.
    """

    stack: str
    channel: str | None = None
    suffix: str = ""


def with_channels_merged(
    base: Section,
    *others: Section,
    sources: Sequence[ChannelSource],
    key: Callable[[TileSpec], Hashable],
    keep_channels: bool,
    first_channel: str | None,
    missing_ok: bool,
) -> Section:
    """Return the section with the images of other sections as channels of its tiles.

    Position and all else are those of ``base``.

    Parameters
    ----------
    base : Section
    *others : Section
        The sections of the same z, one for each of ``sources``.
    sources : list of ChannelSource
    key : callable
        What a tile of ``base`` and its partners have in common, see `tile_partners.tile_key`. Where it names several
        tiles of a section, the section id must be the same too.
    keep_channels : bool
        Whether the channels that tiles of ``base`` have stay, before the new ones.
    first_channel : str or None
        Channels with this text in their names come first: Render shows the first where nobody asks for another.
    missing_ok : bool
        Leave a channel out of a tile that has no partner.

    Raises
    ------
    InputError
        Tiles have no partner or several, one of another size, channels of the same name, or none; all are named.
    """
    problems = Problems(f"z={base.z}")
    added: list[list[Channel]] = [[] for _ in base.tiles]
    for source, other in zip(sources, others, strict=True):
        for index, partner in enumerate(partner_tiles(base, other, source.stack, key, problems, missing_ok=missing_ok)):
            if partner is not None:
                added[index] += _channels_of(partner, source, base.tiles[index], problems)
    tiles = []
    for tile, new in zip(base.tiles, added, strict=True):
        channels = [*(tile.get("channels") or () if keep_channels else ()), *new]
        for name in repeated(channel["name"] for channel in channels):
            problems.add(f"several channels would be called {name}", tile["tileId"])
        if first_channel:
            channels.sort(key=lambda channel: first_channel not in channel["name"])
        tiles.append({**tile, "channels": channels})
    problems.raise_if_any()
    return replace(base, tiles=tiles)


def _channels_of(partner: TileSpec, source: ChannelSource, tile: TileSpec, problems: Problems) -> list[Channel]:
    """Return what ``tile`` gets of its partner; channels share its pixels, so they must be of its size."""
    if (partner.get("width"), partner.get("height")) != (tile.get("width"), tile.get("height")):
        problems.add(f"tiles of another size than their partners in {source.stack}", tile["tileId"])
    if partner.get("channels"):
        channels = [one for one in partner["channels"] if source.channel in (None, one["name"])]
        if not channels:
            problems.add(f"tiles without a channel {source.channel} in {source.stack}", partner["tileId"])
    elif source.channel is None:
        problems.add(f"tiles of {source.stack} without channels, so that a name is needed", partner["tileId"])
        channels = []
    else:
        channels = [_only_channel(partner, source.channel)]
    return [{**channel, "name": f"{channel['name']}{source.suffix}"} for channel in channels]


def _only_channel(tile: TileSpec, name: str) -> Channel:
    # render-python refuses channels without intensities; these are what Render takes when they are absent
    intensities = {"minIntensity": 0.0, "maxIntensity": 255.0}
    for key in intensities:
        if tile.get(key) is not None:
            intensities[key] = tile[key]
    builder = {"mipmapPathBuilder": tile["mipmapPathBuilder"]} if tile.get("mipmapPathBuilder") else {}
    return {"name": name, **intensities, "mipmapLevels": tile.get("mipmapLevels") or {}, **builder}
