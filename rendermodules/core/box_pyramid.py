"""Layers cut into a grid of boxes, and the boxes of the levels above it.

Level 0 is full scale. Box (row, column) of level L begins at world x = column * width * 2**L, y = row * height * 2**L
and has width x height pixels; what lies at negative coordinates is in no box. A box exists where one of its four
children does, and on level 0 where the bounding box of a tile does.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.pyramids import reduced

Cell = tuple[int, int]
"""Row and column of a box in the grid of its level."""

Image = NDArray[Any]


def tiles_of_cells(boxes: ArrayLike, width: int, height: int, margin: float = 0.0) -> dict[Cell, NDArray[np.intp]]:
    """Return which tiles overlap each box of level 0; boxes without any are absent.

    Parameters
    ----------
    boxes : (n, 4) array
        Of tiles: minX, minY, maxX, maxY in world pixels.
    width, height : int
        Of the boxes, in pixels.
    margin : float, default: 0
        By how many pixels tiles are grown on each side.

    Returns
    -------
    dict of (row, column) to int array
        Positions of tiles, ascending; the boxes by row, then column.
    """
    grown = np.asarray(boxes, dtype=float).reshape(-1, 4) + np.array([-margin, -margin, margin, margin])
    first = np.maximum(np.floor(grown[:, :2] / (width, height)).astype(np.intp), 0)
    past = np.ceil(grown[:, 2:] / (width, height)).astype(np.intp)
    sizes = np.maximum(past - first, 0)
    counts = sizes.prod(axis=1)
    tiles = np.repeat(np.arange(len(grown)), counts)
    within = np.arange(len(tiles)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[tiles, 1] + within // np.maximum(sizes[tiles, 0], 1)
    columns = first[tiles, 0] + within % np.maximum(sizes[tiles, 0], 1)
    order = np.lexsort((tiles, columns, rows))
    cells, starts = np.unique(np.column_stack([rows, columns])[order], axis=0, return_index=True)
    members = np.split(tiles[order], starts[1:]) if len(cells) else []
    return {(int(row), int(column)): some for (row, column), some in zip(cells, members, strict=True)}


def parents_of(cells: Iterable[Cell], levels: int = 1) -> list[Cell]:
    """Return the boxes some levels above that hold these boxes, ascending."""
    return sorted({(row >> levels, column >> levels) for row, column in cells})


def children_of(cell: Cell) -> list[Cell]:
    """Return the four boxes of the level below that a box is made of."""
    row, column = cell
    return [(2 * row + down, 2 * column + right) for down in (0, 1) for right in (0, 1)]


def parent_image(children: Mapping[Cell, Image], width: int, height: int, method: str = "mean") -> Image:
    """Return the image of a box from those of its children; children that do not exist are black.

    Parameters
    ----------
    children : mapping of (row, column) to array
        Images (height, width) or (height, width, 3), at least one.
    width, height : int
        Of a box.
    method : str, default: "mean"
        See `rendermodules.core.pyramids.reduced`; ``nearest`` keeps labels.

    Raises
    ------
    ValueError
        An image has another size or depth than the others.
    """
    first = next(iter(children.values()))
    pasted = np.zeros((2 * height, 2 * width, *first.shape[2:]), first.dtype)
    for (row, column), image in children.items():
        if image.shape != (height, width, *first.shape[2:]) or image.dtype != first.dtype:
            raise ValueError(f"a box is {image.dtype} of {image.shape}, not {first.dtype} of {(height, width)}")
        y, x = row % 2 * height, column % 2 * width
        pasted[y : y + height, x : x + width] = image
    return reduced(pasted, method)


class Overview:
    """A small image of a whole layer, put together from the boxes of one level.

    Parameters
    ----------
    extent : (float, float)
        Width and height from (0, 0), in world pixels.
    max_size : int
        Length of the longer side of the image.
    """

    def __init__(self, extent: tuple[float, float], max_size: int) -> None:
        self.scale = max_size / max(*extent, 1.0)
        self.width, self.height = (max(int(side * self.scale), 1) for side in extent)
        self.image: Image | None = None

    def level(self, max_level: int) -> int:
        """Return the level whose boxes it is best made of, at most ``max_level``."""
        return max(0, min(max_level, int(math.log2(1 / self.scale))))

    def put(self, cell: Cell, level: int, image: Image) -> None:
        """Draw a box of a level where it belongs."""
        import cv2

        scale = self.scale * 2**level
        (x, past_x), (y, past_y) = (
            (round(index * side * scale), round((index + 1) * side * scale))
            for index, side in ((cell[1], image.shape[1]), (cell[0], image.shape[0]))
        )
        if self.image is None:
            self.image = np.zeros((self.height, self.width, *image.shape[2:]), image.dtype)
        small = cv2.resize(image, (max(past_x - x, 1), max(past_y - y, 1)), interpolation=cv2.INTER_AREA)
        part = self.image[y : y + small.shape[0], x : x + small.shape[1]]
        part[:] = small[: part.shape[0], : part.shape[1]]


def label_image(outlines: Sequence[ArrayLike], labels: Sequence[int], origin: Cell, width: int, height: int) -> Image:
    """Return an image of tiles, each in one value.

    Parameters
    ----------
    outlines : sequence of (n, 2) arrays
        Corners of the tiles in the world, columns x, y; later ones lie on top.
    labels : sequence of int
        The value of each, 1 to 65535; 0 is where no tile is.
    origin : (int, int)
        World y, x of the first pixel.
    width, height : int

    Returns
    -------
    (height, width) uint16 array
    """
    import cv2

    bits = 4
    image = np.zeros((height, width), np.uint16)
    for outline, label in zip(outlines, labels, strict=True):
        corners = (np.asarray(outline, dtype=float) - (origin[1], origin[0])) * (1 << bits)
        cv2.fillPoly(image, [np.rint(corners).astype(np.int32)], int(label), shift=bits)
    return image
