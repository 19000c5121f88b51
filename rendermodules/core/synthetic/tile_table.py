"""The truth of many tiles at once, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.synthetic.geometry import Lens, Points, SectionTruth, TileTruth, rotated


def grid_pixels(lens: Lens, size: int) -> Points:
    """Return pixels (size * size, 2) spread evenly over a tile, corners included, row by row."""
    x, y = np.linspace(0, lens.width - 1, size), np.linspace(0, lens.height - 1, size)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


@dataclass(frozen=True)
class TileTable:
    """Where the tiles of one section truly are.

    Attributes
    ----------
    section : SectionTruth
        The section of all of them.
    lens : Lens
        The lens of all of them.
    corners : (tiles, 2) float array
        Top left pixels in the section, without lens and rotation.
    rotations : (tiles,) float array
        Degrees from x towards y.
    """

    section: SectionTruth
    lens: Lens
    corners: NDArray[np.float64]
    rotations: NDArray[np.float64]

    @classmethod
    def of(cls, tiles: Sequence[TileTruth]) -> "TileTable":
        """Return the table of tiles of one section.

        Raises
        ------
        ValueError
            There is no tile, or they are not of one section and one lens.
        """
        if not tiles:
            raise ValueError("there are no tiles")
        section, lens = tiles[0].section, tiles[0].lens
        if any(tile.section is not section and tile.section != section or tile.lens != lens for tile in tiles):
            raise ValueError("the tiles are of different sections or lenses")
        corners = np.array([(tile.x, tile.y) for tile in tiles])
        return cls(section, lens, corners, np.array([tile.rotation for tile in tiles]))

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def boxes(self) -> NDArray[np.float64]:
        """Smallest x and y, largest x and y of each tile in its section, (tiles, 4)."""
        return _boxes_around(self._outlines())

    @property
    def world_boxes(self) -> NDArray[np.float64]:
        """Smallest x and y, largest x and y of each tile in the world, (tiles, 4)."""
        return _boxes_around(self.section.to_world(self._outlines()))

    def to_section(self, points: Points, tiles: NDArray[np.int64] | slice = slice(None)) -> Points:
        """Return the section points of pixels (tiles, n, 2), those of each row in the tile of that row."""
        straight = self.lens.undistorted(points)
        turned = rotated(straight, self.rotations[tiles], self.lens.centre)
        return turned + self.corners[tiles][:, np.newaxis]

    def from_section(self, points: Points, tiles: NDArray[np.int64] | slice = slice(None)) -> Points:
        """Return the pixels of section points (tiles, n, 2), those of each row in the tile of that row."""
        moved = points - self.corners[tiles][:, np.newaxis]
        return self.lens.distorted(rotated(moved, -self.rotations[tiles], self.lens.centre))

    def _outlines(self) -> Points:
        """Return points all over each tile in its section, (tiles, 25, 2)."""
        return self.to_section(np.broadcast_to(grid_pixels(self.lens, 5), (len(self), 25, 2)))

    def inside(self, points: Points) -> NDArray[np.bool_]:
        """Return which pixels (..., 2) are in the image, (...,)."""
        size = (self.lens.width - 1, self.lens.height - 1)
        return np.logical_and.reduce(np.logical_and(points >= 0, points <= size), axis=-1)


def overlapping_pairs(
    first: NDArray[np.float64], second: NDArray[np.float64] | None = None, smallest: float = 0.0
) -> NDArray[np.int64]:
    """Return the pairs of boxes that overlap.

    Parameters
    ----------
    first : (n, 4) float array
        Smallest x and y, largest x and y.
    second : (m, 4) float array, optional
        The other side of the pairs; by default pairs within ``first``, each once, smaller index first.
    smallest : float, default: 0.0
        Pairs whose overlap is not longer than this along both axes are left out.

    Returns
    -------
    (pairs, 2) int array
        Ordered. Time and memory follow the number of pairs, not the square of the number of boxes.
    """
    # a slow import, which those who only want images need not pay
    from scipy.spatial import cKDTree

    other = first if second is None else second
    if not len(first) or not len(other):
        return np.empty((0, 2), dtype=np.int64)
    largest = max((boxes[:, 2:] - boxes[:, :2]).max() for boxes in (first, other))
    trees = [cKDTree((boxes[:, :2] + boxes[:, 2:]) / 2) for boxes in (first, other)]
    # boxes that overlap have their middles within the largest edge of each other along each axis
    if second is None:
        pairs = trees[0].query_pairs(largest, p=np.inf, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    else:
        near = trees[0].sparse_distance_matrix(trees[1], largest, p=np.inf, output_type="coo_matrix")
        pairs = np.column_stack([near.row, near.col]).astype(np.int64)
    shared = shared_boxes(first[pairs[:, 0]], other[pairs[:, 1]])
    pairs = pairs[((shared[:, 2:] - shared[:, :2]) > smallest).all(axis=1)]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def shared_boxes(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection of boxes (n, 4) with boxes (n, 4); where it is empty, sizes are negative."""
    return np.hstack([np.maximum(first[:, :2], second[:, :2]), np.minimum(first[:, 2:], second[:, 2:])])


def _boxes_around(points: Points) -> NDArray[np.float64]:
    """Return the boxes (n, 4) around points (n, m, 2)."""
    return np.hstack([points.min(axis=1), points.max(axis=1)])


def points_in_boxes(boxes: NDArray[np.float64], shares: NDArray[np.float64]) -> Points:
    """Return points (boxes, n, 2) at shares (n, 2) or (boxes, n, 2) of the size of boxes (boxes, 4)."""
    return boxes[:, np.newaxis, :2] + shares * (boxes[:, np.newaxis, 2:] - boxes[:, np.newaxis, :2])
