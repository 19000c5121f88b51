"""Files of tile specs and of shared transforms, in every form that Render's programs write."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rendermodules.core.identifiers import renumbered, with_section_id
from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section, TileSpec, TransformSpec, shared_transforms_of
from rendermodules.io.json_files import read_json, write_json


def read_tilespecs(place: str) -> Section:
    """Return the tiles of a file and the shared transforms in it; ``z`` is that of the first tile.

    Parameters
    ----------
    place : str
        Path or URL of JSON, plain or packed by gzip: a list of tile specs, or Render's resolved tiles
        (``tileIdToSpecMap`` and ``transformIdToSpecMap``, or ``tilespecs`` and ``transforms``).

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is nothing like that, or holds no tile.
    """
    content = read_json(place)
    tiles: Any = content
    transforms: Any = []
    if isinstance(content, dict):
        tiles = content.get("tileIdToSpecMap", content.get("tilespecs"))
        transforms = content.get("transformIdToSpecMap", content.get("transforms")) or []
    tiles = list(tiles.values()) if isinstance(tiles, dict) else tiles
    if not isinstance(tiles, list) or not all(
        isinstance(tile, dict) and isinstance(tile.get("tileId"), str) for tile in tiles
    ):
        raise InputError(f'{place}: neither a list of tile specs nor an object with "tileIdToSpecMap"')
    if not tiles:
        raise InputError(f"{place}: holds no tile")
    return Section(tiles[0].get("z", 0.0), tiles, _by_id(transforms, place))


def write_tilespecs(path: str | Path, sections: Iterable[Section]) -> None:
    """Write the tiles of sections and the shared transforms that they need as Render's resolved tiles.

    Parameters
    ----------
    path : path
        Packed when it ends in ``.gz`` or ``.zip``.
    sections : iterable of Section
        Shared transforms of one id are the same in all.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is unchanged.
    """
    tiles: dict[str, TileSpec] = {}
    transforms: dict[str, TransformSpec] = {}
    for section in sections:
        tiles.update((tile["tileId"], tile) for tile in section.tiles)
        transforms.update(shared_transforms_of(section.tiles, section.transforms))
    write_json(path, {"transformIdToSpecMap": transforms, "tileIdToSpecMap": tiles})


def read_transforms(place: str) -> dict[str, TransformSpec]:
    """Return the shared transforms of a file by id: a list of transform specs with ids, or an object by id.

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is nothing like that.
    """
    return _by_id(read_json(place), place)


def read_tile_ids(place: str) -> list[str]:
    """Return the tile ids of a file, a JSON list of them.

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is nothing like that.
    """
    ids = read_json(place)
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise InputError(f"{place}: no list of tile ids")
    return ids


def _by_id(transforms: Any, place: str) -> dict[str, TransformSpec]:
    if isinstance(transforms, dict):
        transforms = [{"id": name, **spec} if isinstance(spec, dict) else spec for name, spec in transforms.items()]
    if not isinstance(transforms, list) or not all(isinstance(spec, dict) and "id" in spec for spec in transforms):
        raise InputError(f"{place}: shared transforms are not a list of transform specs with ids")
    return {spec["id"]: spec for spec in transforms}


def merged_sections(sections: Iterable[Section]) -> list[Section]:
    """Return the tiles of several files as a section for each z, ascending, each with all the shared transforms.

    Raises
    ------
    InputError
        Two files say different things of one shared transform.
    """
    tiles: dict[float, list[TileSpec]] = {}
    transforms: dict[str, TransformSpec] = {}
    for section in sections:
        for name, spec in section.transforms.items():
            if transforms.setdefault(name, spec) != spec:
                raise InputError(f"the shared transform {name} is not the same in all files of its sections")
        for tile in section.tiles:
            tiles.setdefault(float(tile["z"]), []).append(tile)
    return [Section(z, tiles[z], transforms) for z in sorted(tiles)]


@dataclass(frozen=True)
class TilespecFile:
    """A file of tile specs and what is changed about them.

    Attributes
    ----------
    place : str
        Path or URL.
    transform_place : str, optional
        File with further shared transforms.
    z : float, optional
        z for all its tiles, instead of their own.
    section_id : str, optional
        Section id for all its tiles, instead of their own.
    """

    place: str
    transform_place: str | None = None
    z: float | None = None
    section_id: str | None = None

    def section(self) -> Section:
        """Return its tiles, changed, and all shared transforms; errors as of `read_tilespecs` and `read_transforms`."""
        section = read_tilespecs(self.place)
        transforms = {**section.transforms, **(read_transforms(self.transform_place) if self.transform_place else {})}
        section = replace(section, transforms=transforms)
        if self.z is not None:
            section = renumbered(section, self.z)
        return section if self.section_id is None else with_section_id(section, self.section_id)
