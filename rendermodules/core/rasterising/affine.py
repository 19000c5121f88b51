"""Images under one affine, drawn by OpenCV."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendermodules.core.rasterising.spans import Spans, triangle_spans

Array = NDArray[Any]
Floats = NDArray[np.float64]

_ROWS_AT_ONCE = 64


def draw_affine(
    corners: Floats,
    inverse: Floats,
    image: Array,
    canvas: Array,
    canvas_mask: Array,
    first_row: int,
    last_row: int,
) -> None:
    """Draw an image without mask onto some rows of a canvas.

    Parameters
    ----------
    corners : (t, 3, 2) float array
        Triangles on the canvas that the image covers; they must lie side by side and have no hole between them.
    inverse : (2, 3) float array
        The affine from the canvas to the image.
    image : (rows, columns) uint8 array
        Beyond its border the values of the border are taken.
    canvas : (height, width) uint8 array
        Written to.
    canvas_mask : (height, width) uint8 array
        Set to 255 where the image is drawn; without pixels if the canvas has none.
    first_row, last_row : int
        The rows, ``last_row`` not included.
    """
    rows, starts, ends = _covered(triangle_spans(corners, first_row, last_row, canvas.shape[1]))
    # rows are taken in blocks counted from the first row of the canvas, so that the blocks, and with them OpenCV's
    # rounding, do not hang on how the canvas is cut into bands
    for block in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows // _ROWS_AT_ONCE)) + 1):
        if len(block):
            _draw_block(rows[block], starts[block], ends[block], inverse, image, canvas)
    if canvas_mask.size:
        for row, start, end in zip(rows, starts, ends, strict=True):
            canvas_mask[row, start:end] = 255


def _covered(spans: Spans) -> tuple[Array, Array, Array]:
    """Return the rows that are covered, and from where to where."""
    rows, place = np.unique(spans.row, return_inverse=True)
    starts = np.full(len(rows), np.iinfo(np.int64).max)
    ends = np.zeros(len(rows), dtype=np.int64)
    np.minimum.at(starts, place, spans.start)
    np.maximum.at(ends, place, spans.end)
    return rows, starts, ends


def _draw_block(rows: Array, starts: Array, ends: Array, inverse: Floats, image: Array, canvas: Array) -> None:
    """Draw successive rows: a rectangle that all of them cover at once, and what is left and right of it masked."""
    left, right = int(starts.max()), int(ends.min())
    first, last = int(starts.min()), int(ends.max())
    if left >= right:
        left = right = first
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    _warp(image, inverse, canvas[part, left:right], left, part.start)
    for begin, end in ((first, left), (right, last)):
        if begin < end:
            warped = np.empty((len(rows), end - begin), np.uint8)
            _warp(image, inverse, warped, begin, part.start)
            columns = np.arange(begin, end)
            covered = (columns >= starts[:, None]) & (columns < ends[:, None])
            np.copyto(canvas[part, begin:end], warped, where=covered)


def _warp(image: Array, inverse: Floats, target: Array, left: int, top: int) -> None:
    if not target.size:
        return
    matrix = inverse.copy()
    matrix[:, 2] += inverse[:, :2] @ [left, top]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(image, matrix, target.shape[::-1], target, flags, cv2.BORDER_REPLICATE)
