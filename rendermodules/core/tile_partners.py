"""Which tiles of two stacks belong together: images of the same place, in other channels or sessions."""

import re
from collections.abc import Callable, Hashable

from rendermodules.core.identifiers import repeated
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section, TileSpec, image_levels


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


def partner_tiles(
    base: Section,
    other: Section,
    other_name: str,
    key: Callable[[TileSpec], Hashable],
    problems: Problems,
    *,
    missing_ok: bool,
) -> list[TileSpec | None]:
    """Return the tile of another section for each tile of a section; None for one that has no partner, or several.

    Parameters
    ----------
    base, other : Section
    other_name : str
        Of the other section's stack, for messages.
    key : callable
        What partners have in common, see `tile_key`. Where it names several tiles of a section, the section id must be
        the same too.
    problems : Problems
        Takes up tiles with several partners, and those with none.
    missing_ok : bool
        Whether a tile may have no partner.
    """
    own, theirs = _keys(base, key), _keys(other, key)
    if repeated(own) or repeated(theirs):
        own, theirs = (_keys(section, lambda tile: (key(tile), _section_id(tile))) for section in (base, other))
    ambiguous = set(repeated(own)) | set(repeated(theirs))
    found = {value: tile for value, tile in zip(theirs, other.tiles, strict=True) if value not in ambiguous}
    for tile, value in zip(base.tiles, own, strict=True):
        if value in ambiguous:
            problems.add(f"tiles with several partners in {other_name}", tile["tileId"])
        elif value not in found and not missing_ok:
            problems.add(f"tiles without a partner in {other_name}", tile["tileId"])
    return [found.get(value) for value in own]


def _keys(section: Section, key: Callable[[TileSpec], Hashable]) -> list[Hashable]:
    return [key(tile) for tile in section.tiles]


def _section_id(tile: TileSpec) -> str | None:
    return (tile.get("layout") or {}).get("sectionId")
