"""Boxes, outlines and overlaps of tiles.

Boxes are rows minX, minY, maxX, maxY. Outlines are polygons, which follow the bent borders of warped tiles.
"""

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.sections import TileSpec
from rendermodules.core.transforms import SharedTransforms, tile_transform

Floats = NDArray[np.float64]


def boxes_near(boxes: ArrayLike, others: ArrayLike, reach: ArrayLike = 0.0) -> NDArray[np.intp]:
    """Return which boxes come near which others.

    Parameters
    ----------
    boxes, others : (n, 4) and (m, 4) arrays
        Columns minX, minY, maxX, maxY.
    reach : number or (n,) array, default: 0
        By how much each of ``boxes`` is grown on all sides; boxes that touch count.

    Returns
    -------
    (k, 2) int array
        Positions in ``boxes`` and in ``others``, ascending. Found by a tree, in about n log m steps.
    """
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    grown = boxes + np.multiply.outer(np.broadcast_to(reach, len(boxes)), [-1.0, -1.0, 1.0, 1.0])
    tree = shapely.STRtree(shapely.box(*np.asarray(others, dtype=float).reshape(-1, 4).T))
    pairs = np.asarray(tree.query(shapely.box(*grown.T)), dtype=np.intp).T
    return pairs[np.lexsort(pairs.T[::-1])]


def circles_meet_boxes(centres: ArrayLike, radii: ArrayLike, boxes: ArrayLike) -> NDArray[np.bool_]:
    """Return for each circle (centre (n, 2), radius (n,)) whether it reaches the box (n, 4) of the same row."""
    centres, boxes = np.asarray(centres, dtype=float), np.asarray(boxes, dtype=float)
    off = np.maximum(np.maximum(boxes[:, :2] - centres, centres - boxes[:, 2:]), 0)
    return np.asarray(np.hypot(off[:, 0], off[:, 1]) <= np.asarray(radii, dtype=float))


def is_covered(box: ArrayLike, covers: ArrayLike) -> bool:
    """Return whether boxes (n, 4) together cover all of a box; one without area is not covered."""
    box = np.asarray(box, dtype=float)
    covers = np.asarray(covers, dtype=float).reshape(-1, 4)
    x = np.unique(np.clip(np.concatenate([covers[:, 0], covers[:, 2], box[[0, 2]]]), box[0], box[2]))
    y = np.unique(np.clip(np.concatenate([covers[:, 1], covers[:, 3], box[[1, 3]]]), box[1], box[3]))
    if len(x) < 2 or len(y) < 2:
        return False
    cells_x, cells_y = (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2
    in_x = (covers[:, :1] <= cells_x) & (cells_x <= covers[:, 2:3])
    in_y = (covers[:, 1:2] <= cells_y) & (cells_y <= covers[:, 3:])
    return bool((in_y.T.astype(int) @ in_x.astype(int) > 0).all())


def border_points(width: float, height: float, points_per_side: int) -> Floats:
    """Return points (n, 2) along the border of an image, from (0, 0) over (width, 0), each corner once."""
    steps = np.arange(points_per_side) / points_per_side
    nothing = np.zeros(points_per_side)
    x = np.concatenate([steps * width, nothing + width, width - steps * width, nothing])
    y = np.concatenate([nothing, steps * height, nothing + height, height - steps * height])
    return np.column_stack([x, y])


def tile_outline(
    tile: TileSpec, shared: SharedTransforms | None = None, points_per_side: int = 8
) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the outline of a tile in the world, after all of its transforms.

    Parameters
    ----------
    tile : dict
        A tile spec with ``width`` and ``height``.
    shared : mapping of str to dict, optional
        The shared transforms that it may refer to.
    points_per_side : int, default: 8
        How finely a bent border is followed.

    Raises
    ------
    TransformError
        A transform cannot be understood.
    """
    border = border_points(float(tile["width"]), float(tile["height"]), points_per_side)
    return polygon_of(tile_transform(tile, shared).apply(border))


def polygon_of(points: ArrayLike) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the polygon with these corners (n, 2); a border that crosses itself is made good."""
    polygon = shapely.Polygon(np.asarray(points, dtype=float))
    return polygon if polygon.is_valid else shapely.buffer(polygon, 0)


def grid_inside(polygon: shapely.Geometry, spacing: float, margin: float) -> Floats:
    """Return points (n, 2) of a square grid that lie inside a polygon.

    Parameters
    ----------
    polygon : polygon
    spacing : float
        Distance of neighbouring points.
    margin : float
        Distance that they keep from the border; the grid begins at the low corner of what is left.
    """
    inner = shapely.buffer(polygon, -margin)
    if inner.is_empty:
        return np.empty((0, 2))
    low_x, low_y, high_x, high_y = shapely.bounds(inner)
    x, y = np.arange(low_x, high_x + 1e-9, spacing), np.arange(low_y, high_y + 1e-9, spacing)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return grid[points_inside(inner, grid)]


def points_inside(polygon: shapely.Geometry, points: ArrayLike) -> NDArray[np.bool_]:
    """Return which points (n, 2) lie inside a polygon or on its border."""
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    shapely.prepare(polygon)
    return np.asarray(shapely.intersects_xy(polygon, points[:, 0], points[:, 1]), dtype=bool)


def covered_part(points: ArrayLike, box: ArrayLike, cells: int) -> float:
    """Return in what part of the cells of a box, cut into ``cells`` times ``cells``, points (n, 2) lie, 0 to 1."""
    points, box = np.asarray(points, dtype=float).reshape(-1, 2), np.asarray(box, dtype=float)
    place = np.floor((points - box[:2]) / (box[2:] - box[:2]) * cells).astype(int)
    inside = ((place >= 0) & (place < cells)).all(axis=1)
    return len(np.unique(place[inside], axis=0)) / cells**2
