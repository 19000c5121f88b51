"""Images under one affine, drawn by OpenCV."""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Block(NamedTuple):
    """Rows of a canvas, as far as an image covers them.

    Attributes
    ----------
    top : int
        The first row.
    starts, ends : (n,) int arrays
        For ``top`` and the rows behind it the first column, and the one behind the last.
    first, last : int
        The first column that any row covers, and the one behind the last.
    left, right : int
        The first column that all rows cover, and the one behind the last; the same if there is none.
    """

    top: int
    starts: Integers
    ends: Integers
    first: int
    left: int
    right: int
    last: int


def covered_blocks(outline: Floats, width: int, height: int, rows: int) -> dict[int, Block]:
    """Return which pixels of a canvas have their centre in a convex outline of (n, 2) corners in order.

    Pixels on a left or upper edge belong to it, those on a right or lower edge do not.

    Parameters
    ----------
    outline : (n, 2) float array
        x, y in pixels of the canvas.
    width, height : int
        Size of the canvas.
    rows : int
        How many rows are one block, counted from the first of the canvas.

    Returns
    -------
    dict of int to Block
        By the number of the block, from 0; none for those that are not touched.
    """
    top, starts, ends = _covered_rows(outline, width, height)
    if not len(starts):
        return {}
    numbers = range(top // rows, (top + len(starts) - 1) // rows + 1)
    begins = [max(number * rows - top, 0) for number in numbers]
    first, left = (end.reduceat(starts, begins).tolist() for end in (np.minimum, np.maximum))
    right, last = (end.reduceat(ends, begins).tolist() for end in (np.minimum, np.maximum))
    blocks = {}
    for i, (number, begin) in enumerate(zip(numbers, begins, strict=True)):
        part = slice(begin, (number + 1) * rows - top)
        inner = (left[i], right[i]) if left[i] < right[i] else (first[i], first[i])
        blocks[number] = Block(top + begin, starts[part], ends[part], first[i], *inner, last[i])
    return blocks


def _covered_rows(outline: Floats, width: int, height: int) -> tuple[int, Integers, Integers]:
    """Return the first row that an outline may cover; for it and those behind it the first column and the end."""
    corners: list[list[float]] = outline.tolist()
    low, high = (math.ceil(min(max(end(y for _, y in corners), 0), height)) for end in (min, max))
    row = np.arange(low, high)
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    for first, second in zip(corners, [*corners[1:], corners[0]], strict=True):
        upper, lower = (first, second) if first[1] <= second[1] else (second, first)
        crossed = slice(*(min(max(math.ceil(end[1]) - low, 0), len(row)) for end in (upper, lower)))
        if crossed.start < crossed.stop:
            slope = (lower[0] - upper[0]) / (lower[1] - upper[1])
            crossing = upper[0] + (row[crossed] - upper[1]) * slope
            left[crossed] = np.minimum(left[crossed], crossing)
            right[crossed] = np.maximum(right[crossed], crossing)
    starts, ends = (np.ceil(np.minimum(np.maximum(side, 0), width)).astype(np.int64) for side in (left, right))
    return low, starts, np.maximum(ends, starts)


def draw_affine(block: Block, inverse: Floats, image: Array, canvas: Array, canvas_mask: Array) -> None:
    """Draw an image without mask onto a canvas.

    OpenCV's rounding hangs on where a block begins, so that the same blocks must be drawn for the same pixels.

    Parameters
    ----------
    block : Block
        Where to draw.
    inverse : (2, 3) float array
        The affine from the canvas to the image.
    image : (rows, columns) uint8 array
        Beyond its border the values of the border are taken.
    canvas : (height, width) uint8 array
        Written to.
    canvas_mask : (height, width) uint8 array
        Set to 255 where the image is drawn; without pixels if the canvas has none.
    """
    part = slice(block.top, block.top + len(block.starts))
    # what all rows cover at once; left and right of it pixel by pixel
    _warp(image, inverse, canvas[part, block.left : block.right], block.left, block.top)
    if canvas_mask.size:
        canvas_mask[part, block.left : block.right] = 255
    for begin, end in ((block.first, block.left), (block.right, block.last)):
        if begin < end:
            warped = np.empty((len(block.starts), end - begin), np.uint8)
            _warp(image, inverse, warped, begin, block.top)
            columns = np.arange(begin, end)
            chosen = (columns >= block.starts[:, None]) & (columns < block.ends[:, None])
            np.copyto(canvas[part, begin:end], warped, where=chosen)
            if canvas_mask.size:
                canvas_mask[part, begin:end][chosen] = 255


def _warp(image: Array, inverse: Floats, target: Array, left: int, top: int) -> None:
    if not target.size:
        return
    rows = inverse.tolist()
    matrix = np.array([[across, down, offset + (across * left + down * top)] for across, down, offset in rows])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(image, matrix, target.shape[::-1], target, flags, cv2.BORDER_REPLICATE)
