"""Point matches of tiles whose places are known: grids of points in what two tiles share."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from rendermodules.core.geometry import border_points, grid_inside, points_inside, polygon_of
from rendermodules.core.match_frames import MatchFrame

Floats = NDArray[np.float64]

_POINTS_PER_SIDE = 16


@dataclass(frozen=True)
class OutlinedTile:
    """A tile with its outline, which is costly and wanted for each of its neighbours.

    Attributes
    ----------
    frame : MatchFrame
    outline : polygon
        In the world, bent borders followed.
    """

    frame: MatchFrame
    outline: shapely.Geometry


def outlined(frame: MatchFrame) -> OutlinedTile:
    """Return a tile with its outline."""
    border = border_points(frame.width, frame.height, _POINTS_PER_SIDE)
    return OutlinedTile(frame, polygon_of(frame.placing.apply(frame.local.apply(border))))


def overlap_grid(p: OutlinedTile, q: OutlinedTile, spacing: float, margin: float) -> tuple[Floats, Floats]:
    """Return the places in both tiles of a grid in the world that lies in what they share.

    Parameters
    ----------
    p, q : OutlinedTile
        The two tiles.
    spacing : float
        Distance of neighbouring points in world pixels; less where the tiles share only a strip, so that there are two
        lines of points: one does not tell how tiles are turned.
    margin : float
        Distance that they keep from the border of the overlap, in world pixels.

    Returns
    -------
    (n, 2) and (n, 2) float arrays
        Points in the frames of p and of q; none where the tiles share nothing, or too little.

    Raises
    ------
    NotInvertibleError
        The way from the world into a tile cannot be found.
    """
    shared = shapely.intersection(p.outline, q.outline)
    low_x, low_y, high_x, high_y = shapely.bounds(shared)
    narrow = min(high_x - low_x, high_y - low_y) - 2 * margin
    # of an empty intersection the bounds are no numbers
    world = grid_inside(shared, min(spacing, narrow) if narrow > 1 else spacing, margin)
    return p.frame.placing.inverse(world), q.frame.placing.inverse(world)


def tile_grid(p: OutlinedTile, q: OutlinedTile, points_per_side: int) -> tuple[Floats, Floats]:
    """Return the points of a grid over tile p that lie on tile q, and their places there.

    Parameters
    ----------
    p, q : OutlinedTile
        The two tiles.
    points_per_side : int
        The grid has the square of this, from corner to corner of p.

    Returns
    -------
    (n, 2) and (n, 2) float arrays
        Points in the frames of p and of q.

    Raises
    ------
    NotInvertibleError
        The way from the world into q cannot be found, although the points lie on it.
    """
    x, y = (np.linspace(0, length - 1, points_per_side) for length in (p.frame.width, p.frame.height))
    points = p.frame.local.apply(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    world = p.frame.placing.apply(points)
    shared = points_inside(q.outline, world)
    return points[shared], q.frame.placing.inverse(world[shared])
