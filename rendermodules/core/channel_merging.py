"""Channels of several stacks in the tiles of one."""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rendermodules.core.identifiers import repeated
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section, TileSpec, image_levels

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
        What a tile of ``base`` and its partners have in common, see `tile_key`. Where it names several tiles of a
        section, the section id must be the same too.
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
        for index, partner in enumerate(_partners(base, other, source, key, missing_ok, problems)):
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


def tile_key(match_by: str, frame_pattern: str) -> Callable[[TileSpec], Hashable]:
    """Return the function from a tile to what it has in common with its partners.

    Parameters
    ----------
    match_by : {"frame", "tileId", "layout"}
        The number in the name of the finest image, the tile id, or row and column of the layout.
    frame_pattern : str
        Regular expression with one group, the number; its last place in the name counts.

    Raises
    ------
    ValueError
        From the function: a tile has no such thing.
    """
    if match_by == "tileId":
        return lambda tile: tile["tileId"]
    if match_by == "layout":
        return _row_and_column
    expression = re.compile(frame_pattern)
    return lambda tile: _frame_number(tile, expression)


def _frame_number(tile: TileSpec, expression: re.Pattern[str]) -> int:
    owner = tile if tile.get("mipmapLevels") else next(iter(tile.get("channels") or ()), tile)
    url = next((image.get("imageUrl", "") for _, image in image_levels(owner)), "")
    found = expression.findall(url.rsplit("/", 1)[-1])
    if not found:
        raise ValueError(f"the image of tile {tile['tileId']}, {url}, has no frame number")
    return int(found[-1])


def _row_and_column(tile: TileSpec) -> tuple[int, int]:
    layout = tile.get("layout") or {}
    if layout.get("imageRow") is None or layout.get("imageCol") is None:
        raise ValueError(f"the layout of tile {tile['tileId']} has no imageRow and imageCol")
    return layout["imageRow"], layout["imageCol"]


def _partners(
    base: Section,
    other: Section,
    source: ChannelSource,
    key: Callable[[TileSpec], Hashable],
    missing_ok: bool,
    problems: Problems,
) -> list[TileSpec | None]:
    """Return the tile of ``other`` for each tile of ``base``."""
    own, theirs = _keys(base, key), _keys(other, key)
    if repeated(own) or repeated(theirs):
        own, theirs = (_keys(section, lambda tile: (key(tile), _section_id(tile))) for section in (base, other))
    ambiguous = set(repeated(own)) | set(repeated(theirs))
    found = dict(zip(theirs, other.tiles, strict=True))
    for tile, value in zip(base.tiles, own, strict=True):
        if value in ambiguous:
            problems.add(f"tiles with several partners in {source.stack}", tile["tileId"])
        elif value not in found and not missing_ok:
            problems.add(f"tiles without a partner in {source.stack}", tile["tileId"])
    return [found.get(value) for value in own]


def _keys(section: Section, key: Callable[[TileSpec], Hashable]) -> list[Hashable]:
    return [key(tile) for tile in section.tiles]


def _section_id(tile: TileSpec) -> str | None:
    return (tile.get("layout") or {}).get("sectionId")


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
