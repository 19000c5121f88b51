"""Where the tiles of a stack lie, for finding neighbours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.geometry import boxes_near, is_covered, tile_outline
from rendermodules.core.pointmatches import RelativePosition, render_order
from rendermodules.core.sections import Section
from rendermodules.core.transforms import tiles_bounds

_GRID_CELL = 10.0


@dataclass(frozen=True)
class PlacedTiles:
    """Tiles of one stack and where they lie.

    Attributes
    ----------
    ids, groups : (n,) lists of str
        Tile ids and the ids of their sections.
    z : (n,) float array
    boxes : (n, 4) float array
        Columns minX, minY, maxX, maxY in world pixels.
    grid : (n, 2) float array
        Column and row on the microscope's grid; not a number where unknown.
    """

    ids: list[str]
    groups: list[str]
    z: NDArray[np.float64]
    boxes: NDArray[np.float64]
    grid: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


def placed_tiles(sections: Iterable[Section]) -> PlacedTiles:
    """Return where the tiles of sections lie; boxes that Render gave along are taken as they are.

    Raises
    ------
    TransformError
        A transform cannot be understood; the message names the tile.
    """
    ids: list[str] = []
    groups: list[str] = []
    z: list[float] = []
    boxes = [np.empty((0, 4))]
    grid = []
    for section in sections:
        names = ("minX", "minY", "maxX", "maxY")
        if all(name in tile for tile in section.tiles for name in names):
            boxes.append(np.array([[tile[name] for name in names] for tile in section.tiles]).reshape(-1, 4))
        else:
            boxes.append(tiles_bounds(section.tiles, section.transforms))
        for tile in section.tiles:
            layout = tile.get("layout") or {}
            ids.append(tile["tileId"])
            groups.append(str(layout.get("sectionId", section.z)))
            z.append(section.z)
            grid.append([layout.get("imageCol", np.nan), layout.get("imageRow", np.nan)])
    positions = np.array(grid, dtype=float).reshape(-1, 2)
    return PlacedTiles(ids, groups, np.array(z), np.concatenate(boxes), positions)


def joined_tiles(parts: Sequence[PlacedTiles]) -> PlacedTiles:
    """Return the tiles of several parts, one part behind the other."""
    return PlacedTiles(
        [name for part in parts for name in part.ids],
        [name for part in parts for name in part.groups],
        np.concatenate([np.empty(0), *(part.z for part in parts)]),
        np.concatenate([np.empty((0, 4)), *(part.boxes for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.grid for part in parts)]),
    )


def selected_tiles(tiles: PlacedTiles, chosen: ArrayLike) -> PlacedTiles:
    """Return only the tiles that a mask or positions choose."""
    positions = np.arange(len(tiles))[np.asarray(chosen)]
    return PlacedTiles(
        [tiles.ids[position] for position in positions],
        [tiles.groups[position] for position in positions],
        tiles.z[positions],
        tiles.boxes[positions],
        tiles.grid[positions],
    )


def on_grid(tiles: PlacedTiles) -> PlacedTiles:
    """Return the tiles with boxes of 10 x 10 at their place on the microscope's grid instead of the world.

    Raises
    ------
    ValueError
        A tile has no row or column; the message names it.

    Notes
    -----
    Java: TilePairClient's ``useRowColPositions``.
    """
    missing = np.flatnonzero(~np.isfinite(tiles.grid).all(axis=1))
    if len(missing):
        raise ValueError(f"{len(missing)} tiles have no imageRow and imageCol, the first is {tiles.ids[missing[0]]}")
    low = tiles.grid * _GRID_CELL
    return replace(tiles, boxes=np.column_stack([low, low + _GRID_CELL]))


def in_box(tiles: PlacedTiles, box: ArrayLike) -> NDArray[np.bool_]:
    """Return which tiles meet a box minX, minY, maxX, maxY in world pixels."""
    low, high = np.asarray(box, dtype=float).reshape(2, 2)
    return np.asarray(((tiles.boxes[:, :2] <= high) & (tiles.boxes[:, 2:] >= low)).all(axis=1))


def obscured(tiles: PlacedTiles) -> NDArray[np.bool_]:
    """Return which tiles are drawn over completely by others of the same z.

    Tiles with the greater id are drawn later, on top.

    Notes
    -----
    Java: TilePairClient's ``excludeCompletelyObscuredTiles``, by bounding boxes.
    """
    rank = order_ranks(tiles.ids)
    hidden = np.zeros(len(tiles), dtype=bool)
    for members in layer_members(tiles.z).values():
        boxes, ranks = tiles.boxes[members], rank[members]
        below, above = boxes_near(boxes, boxes).T
        on_top = ranks[above] > ranks[below]
        below, above = below[on_top], above[on_top]
        shared = np.minimum(boxes[below, 2:], boxes[above, 2:]) - np.maximum(boxes[below, :2], boxes[above, :2])
        areas = np.bincount(below, weights=np.prod(shared, axis=1), minlength=len(members))
        # only where the covers are together as large as the tile the cells need to be looked at
        first, past = (np.searchsorted(below, np.arange(len(members)), side=side) for side in ("left", "right"))
        for index in np.flatnonzero(areas >= np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) * (1 - 1e-9)):
            hidden[members[index]] = is_covered(boxes[index], boxes[above[first[index] : past[index]]])
    return hidden


def outlines(sections: Iterable[Section]) -> NDArray[np.object_]:
    """Return the outlines of the tiles of sections in the world, in the order of `placed_tiles`."""
    polygons = [tile_outline(tile, section.transforms) for section in sections for tile in section.tiles]
    result = np.empty(len(polygons), dtype=object)
    result[:] = polygons
    return result


def relative_positions(p_boxes: ArrayLike, q_boxes: ArrayLike) -> list[tuple[RelativePosition, RelativePosition]]:
    """Return how p and q lie to each other, for boxes (n, 4) each.

    Notes
    -----
    Java: left and right when the low corners are farther apart in x than in y, else top and bottom.
    """
    off = np.asarray(q_boxes, dtype=float)[:, :2] - np.asarray(p_boxes, dtype=float)[:, :2]
    sideways = np.abs(off[:, 0]) > np.abs(off[:, 1])
    first = np.where(sideways, off[:, 0] > 0, off[:, 1] > 0)
    names: dict[tuple[bool, bool], tuple[RelativePosition, RelativePosition]] = {
        (True, True): ("LEFT", "RIGHT"),
        (True, False): ("RIGHT", "LEFT"),
        (False, True): ("TOP", "BOTTOM"),
        (False, False): ("BOTTOM", "TOP"),
    }
    return [names[bool(side), bool(low)] for side, low in zip(sideways, first, strict=True)]


def layer_members(z: NDArray[np.float64]) -> dict[float, NDArray[np.intp]]:
    """Return the positions of the tiles of each z, ascending in z."""
    values, layer = np.unique(z, return_inverse=True)
    order = np.argsort(layer, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(layer, minlength=len(values)))[:-1])
    return dict(zip(values.tolist(), parts, strict=True)) if len(values) else {}


def order_ranks(names: Sequence[str]) -> NDArray[np.intp]:
    """Return the place of each name among the distinct ones in Render's order."""
    distinct = sorted(set(names), key=render_order)
    place = {name: index for index, name in enumerate(distinct)}
    return np.array([place[name] for name in names], dtype=np.intp)
