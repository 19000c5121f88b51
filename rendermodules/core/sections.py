"""Sections: the tiles of one z and the transforms that they share.

Tiles and transforms are kept as the JSON that Render stores, not as render-python
objects: ``renderapi.tilespec.TileSpec`` drops ``meshCellSize``, path builders, loader
types and slice numbers on its way through, which would change what a tile looks like.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

TileSpec = dict[str, Any]
"""One tile as Render's JSON: ``tileId``, ``z``, ``width``, ``height``, ``mipmapLevels``, ``transforms`` ..."""

TransformSpec = dict[str, Any]
"""One transform as Render's JSON: a leaf, a list, a reference or an interpolation."""


@dataclass(frozen=True)
class Section:
    """The tiles of one z with the shared transforms that they refer to.

    Attributes
    ----------
    z : float
        Position in the stack; fractions are allowed.
    tiles : list of dict
        Tile specs as Render's JSON, references to shared transforms kept.
    transforms : dict of str to dict
        Shared transform specs by ``id``.
    """

    z: float
    tiles: list[TileSpec]
    transforms: dict[str, TransformSpec] = field(default_factory=dict)


def transform_list(tile: TileSpec) -> list[TransformSpec]:
    """Return the transforms of a tile, first applied first; the list is the tile's own, an empty one if it has none."""
    transforms: list[TransformSpec] = (tile.get("transforms") or {}).get("specList") or []
    return transforms


def with_transform_list(tile: TileSpec, transforms: list[TransformSpec]) -> TileSpec:
    """Return the tile with these transforms in place of its own."""
    return {**tile, "transforms": {"type": "list", **(tile.get("transforms") or {}), "specList": transforms}}


def image_levels(pyramid_owner: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Return (level, image and mask) pairs of a tile or channel, finest first.

    Render's keys are decimal strings, whose own order is 0, 1, 10, 2.
    """
    levels = pyramid_owner.get("mipmapLevels") or {}
    return ((int(key), levels[key]) for key in sorted(levels, key=int))


def channels(tile: TileSpec) -> list[dict[str, Any]]:
    """Return the parts of a tile that hold images: its channels, or the tile itself when it has none."""
    return tile.get("channels") or [tile]


PLACEMENTS: dict[str, Callable[[list[TransformSpec], TransformSpec], list[TransformSpec]]] = {
    "append": lambda transforms, new: [*transforms, new],
    "prepend": lambda transforms, new: [new, *transforms],
    "insert_before_last": lambda transforms, new: [*transforms[:-1], new, *transforms[-1:]],
    "replace_last": lambda transforms, new: [*transforms[:-1], new],
}
"""Where a further transform may go in the list of a tile, and the list that this makes."""


def with_transform_appended(section: Section, transform: TransformSpec) -> Section:
    """Return the section with one transform behind those that each tile has; see `with_transform_placed`."""
    return with_transform_placed(section, transform, "append")


def with_transform_placed(section: Section, transform: TransformSpec, placement: str) -> Section:
    """Return the section with one more transform in each tile.

    A transform with an ``id`` is stored once and referred to; without one it is written into every tile.

    Parameters
    ----------
    section : Section
        Its tiles keep the transforms that they have, references included.
    transform : dict
        A transform spec as Render's JSON.
    placement : str
        One of `PLACEMENTS`: ``append`` acts on world coordinates, ``prepend`` on those of the image.

    Raises
    ------
    ValueError
        The section has another shared transform of this id, or tiles have this one already, so that it would be
        applied twice.
    """
    shared_id = transform.get("id")
    entry = {"type": "ref", "refId": shared_id} if shared_id else transform
    place = PLACEMENTS[placement]
    tiles = [with_transform_list(tile, place(transform_list(tile), entry)) for tile in section.tiles]
    if not shared_id:
        return Section(section.z, tiles, section.transforms)
    if section.transforms.get(shared_id, transform) != transform:
        raise ValueError(f"{shared_id} is already the id of another transform; choose a new one")
    twice = [tile["tileId"] for tile in tiles if transform_list(tile).count(entry) > 1]
    if twice:
        raise ValueError(
            f"{len(twice)} tiles, {twice[0]} the first, have the transform {shared_id} already; "
            "give it another id to apply it once more"
        )
    return Section(section.z, tiles, {**section.transforms, shared_id: transform})


def shared_transforms_of(tiles: list[TileSpec], transforms: dict[str, TransformSpec]) -> dict[str, TransformSpec]:
    """Return those of the shared transforms that the tiles need, through references in references as well.

    Raises
    ------
    ValueError
        A tile refers to a transform that is not among ``transforms``, or a transform spec is none.
    """
    needed: dict[str, TransformSpec] = {}
    referrers = {reference: f"tile {tile['tileId']}" for tile in tiles for reference in _references_of_tile(tile)}
    while referrers:
        name, referrer = referrers.popitem()
        if name not in transforms:
            raise ValueError(f"{referrer} refers to the shared transform {name}, which is not there")
        needed[name] = transforms[name]
        further = _all_references([transforms[name]], f"shared transform {name}")
        referrers.update((reference, f"shared transform {name}") for reference in further if reference not in needed)
    return needed


def _references_of_tile(tile: TileSpec) -> list[str]:
    try:
        transforms = transform_list(tile)
    except AttributeError:
        raise ValueError(f"tile {tile['tileId']}: its transforms are no list of transform specs") from None
    return _all_references(transforms, f"tile {tile['tileId']}")


def _all_references(specs: list[TransformSpec], owner: str) -> list[str]:
    try:
        return [reference for spec in specs for reference in _references(spec)]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{owner}: a transform spec is not as it should be: {error!r}") from None


def _references(spec: TransformSpec) -> Iterator[str]:
    kind = spec.get("type", "leaf")
    if kind == "ref":
        yield spec["refId"]
    elif kind == "list":
        for part in spec["specList"]:
            yield from _references(part)
    elif kind == "interpolated":
        yield from _references(spec["a"])
        yield from _references(spec["b"])
