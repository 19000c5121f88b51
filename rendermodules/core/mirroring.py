"""Sections whose images are mirrored."""

from dataclasses import replace

from rendermodules.core.consolidation import with_consolidated_transforms
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, TileSpec, TransformSpec, transform_list, with_transform_list
from rendermodules.core.transforms import Affine


def mirror(axis: str, position: float) -> TransformSpec:
    """Return the transform that mirrors x or y.

    Parameters
    ----------
    axis : {"vertical", "horizontal"}
        The coordinate that is mirrored: y, top becomes bottom, or x, left becomes right.
    position : float
        What stays where it is, in pixels.
    """
    matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    row = 1 if axis == "vertical" else 0
    matrix[row][row] = -1.0
    matrix[row][2] = 2 * position
    return Affine(matrix).spec()


def with_mirrored_tiles(section: Section, axis: str, position: float | None) -> Section:
    """Return the section mirrored in the world, for images that are mirrored in the same way.

    A tile's transforms come to lie between two mirrors, one that undoes that of its image and one of the world. These
    become one with affines beside them that are the tile's own; shared transforms stay references.

    Parameters
    ----------
    section : Section
        Of the tiles before their images are mirrored.
    axis : {"vertical", "horizontal"}
        See `mirror`.
    position : float or None
        World coordinate of the line that stays where it is. None takes the middle of a tile that has no transform,
        which leaves such a tile where it is.

    Raises
    ------
    ValueError
        Tiles are of different sizes, so that there is no such middle; the message names some.
    """
    key = "height" if axis == "vertical" else "width"
    sizes = {tile[key]: tile["tileId"] for tile in section.tiles}
    if position is None and len(sizes) > 1:
        found = listed([f"{tile_id}: {size}" for size, tile_id in sizes.items()], 5)
        raise ValueError(f"tiles have different sizes ({found}), so that the line to mirror at must be given")
    middle = _middle(next(iter(sizes), 1.0)) if position is None else position

    def mirrored(tile: TileSpec) -> TileSpec:
        own = mirror(axis, _middle(tile[key]))
        return with_transform_list(tile, [own, *transform_list(tile), mirror(axis, middle)])

    between = replace(section, tiles=[mirrored(tile) for tile in section.tiles])
    return with_consolidated_transforms(between, slice(None), keep_references=True, polynomial_degree=0)


def _middle(size: float) -> float:
    """Return the middle of an image; its pixel centres are at 0 to ``size - 1``."""
    return (size - 1) / 2
