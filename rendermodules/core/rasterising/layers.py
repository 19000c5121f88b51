"""Images laid over each other on a canvas."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.compiler import start_compiler
from rendermodules.core.placement import Placement
from rendermodules.core.rasterising import spans
from rendermodules.core.threads import mapped_by_threads

Array = NDArray[Any]
Floats = NDArray[np.float64]
_Painter = Callable[[Sequence[Array], Array | None, slice], None]

BAND_ROWS = 128
"""Rows of a canvas that one thread draws at a time."""

_NOTHING = np.zeros((0, 0), np.uint8)
# OpenCV keeps some positions as 16-bit numbers
_LARGEST_SIDE_OF_OPENCV = 1 << 15
# from about so many pixels on, loading the compiled kernels has cost less than doing without
_PIXELS_WITHOUT_KERNELS = 4_000_000


@dataclass(frozen=True)
class Layer:
    """An image and where it lies on a canvas.

    Attributes
    ----------
    planes : tuple of (rows, columns) arrays
        One for gray, three for colour; uint8, uint16 or float32.
    mask : (rows, columns) uint8 array, optional
        How opaque the image is; entirely if absent.
    placement : Placement
        Where the image lies on the canvas.
    nearest : bool
        Take the nearest pixel instead of interpolating between four.
    binary : bool
        Cover entirely where the mask is not 0.
    """

    planes: tuple[Array, ...]
    mask: Array | None
    placement: Placement
    nearest: bool = False
    binary: bool = False


def draw_layers(layers: Sequence[Layer], planes: Sequence[Array], canvas_mask: Array | None, threads: int = 1) -> None:
    """Draw layers onto a canvas, the last on top.

    The pixels do not hang on the number of threads. Beside the layers and the canvas at most 20 MB for each thread are
    used.

    Parameters
    ----------
    layers : sequence of Layer
        Of the type of the canvas.
    planes : sequence of (height, width) arrays
        Written to; as many as the layers have.
    canvas_mask : (height, width) uint8 array, optional
        How opaque the canvas is. Without it layers cover each other entirely, and their masks are not looked at.
    threads : int, default: 1
        How many draw bands of the canvas.
    """
    height, width = planes[0].shape
    seen = [layer for layer in layers if layer.placement.touches(width, height)]
    _count_pixels(seen, (height, width), canvas_mask is not None)
    painters = [
        (layer.placement.low[1], layer.placement.high[1], _painter(layer, (height, width), canvas_mask is not None))
        for layer in seen
    ]

    def draw_band(first_row: int) -> None:
        rows = slice(first_row, min(first_row + BAND_ROWS, height))
        for top, bottom, paint in painters:
            if top < rows.stop and rows.start <= bottom:
                paint(planes, canvas_mask, rows)

    mapped_by_threads(draw_band, range(0, height, BAND_ROWS), threads)


def _painter(layer: Layer, shape: tuple[int, ...], masked: bool) -> _Painter:
    """Return a function that draws some rows of a layer."""
    placement = layer.placement
    if placement.outline is not None and _is_for_opencv(layer) and (layer.mask is None or not masked):
        return _opencv_painter(layer, placement.outline, shape)
    # compiled code is made anew for each kind of array, and arrays that can be written are another kind
    mask = read_only(layer.mask if masked and layer.mask is not None else _NOTHING)
    images = [read_only(image) for image in layer.planes]

    def paint(planes: Sequence[Array], canvas_mask: Array | None, rows: slice) -> None:
        alphas = _masks_for_planes(canvas_mask, len(planes), rows)
        options = (rows.start, rows.stop, layer.nearest, layer.binary)
        for image, canvas, alpha in zip(images, planes, alphas, strict=True):
            _Kernels.draw_spans(placement.corners, placement.inverses, image, mask, canvas, alpha, *options)

    return paint


def read_only(array: Array) -> Array:
    """Return a view of an array that cannot be written, all rows behind each other."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _opencv_painter(layer: Layer, outline: Floats, shape: tuple[int, ...]) -> _Painter:
    from rendermodules.core.rasterising.affine import covered_blocks, draw_affine

    blocks = covered_blocks(outline, shape[1], shape[0], BAND_ROWS)

    def paint(planes: Sequence[Array], canvas_mask: Array | None, rows: slice) -> None:
        block = blocks.get(rows.start // BAND_ROWS)
        if block is not None:
            mask = _NOTHING if canvas_mask is None else canvas_mask
            for image, canvas in zip(layer.planes, planes, strict=True):
                draw_affine(block, layer.placement.inverses[0], image, canvas, mask)

    return paint


def _is_for_opencv(layer: Layer) -> bool:
    """Return whether OpenCV draws a layer without mask to within one grey level."""
    image, placement = layer.planes[0], layer.placement
    if placement.outline is None or layer.nearest or image.dtype != np.uint8:
        return False
    sides = min(image.shape), max(image.shape)
    is_near = bool(np.isfinite(placement.inverses[0]).all() and (np.abs(placement.outline) <= spans.FURTHEST).all())
    return is_near and sides[0] > 1 and sides[1] < _LARGEST_SIDE_OF_OPENCV


def _masks_for_planes(canvas_mask: Array | None, count: int, rows: slice) -> Iterator[Array]:
    """Return the mask for each plane: all but the last get copies, for each needs it as it was before the layer."""
    for _ in range(count - 1):
        if canvas_mask is None:
            yield _NOTHING
        else:
            copy = np.empty_like(canvas_mask)
            copy[rows] = canvas_mask[rows]
            yield copy
    yield _NOTHING if canvas_mask is None else canvas_mask


class _Kernels:
    """The way in which spans are drawn, which changes once many have been."""

    lock = threading.Lock()
    pixels = 0
    draw_spans: Callable[..., None] = staticmethod(spans.draw_spans)


def load_kernels() -> None:
    """Load the compiled kernels, so that all spans are drawn by them from now on; the pixels stay the same."""
    start_compiler()
    from rendermodules.core.rasterising import span_kernels

    _Kernels.draw_spans = staticmethod(span_kernels.draw_spans)


def _count_pixels(layers: Sequence[Layer], shape: tuple[int, ...], masked: bool) -> None:
    """Load the compiled kernels once so many pixels are drawn without them that it is worth the while."""
    if _Kernels.pixels > _PIXELS_WITHOUT_KERNELS:
        return
    pixels = sum(_pixels_of(layer, shape) for layer in layers if masked or not _is_for_opencv(layer))
    with _Kernels.lock:
        if _Kernels.pixels <= _PIXELS_WITHOUT_KERNELS < _Kernels.pixels + pixels:
            load_kernels()
        _Kernels.pixels += pixels


def _pixels_of(layer: Layer, shape: tuple[int, ...]) -> int:
    """Return about how many pixels of a canvas a layer covers."""
    low, high = np.maximum(layer.placement.low, 0), np.minimum(layer.placement.high, [shape[1], shape[0]])
    return len(layer.planes) * int(np.prod(np.maximum(high - low, 0)))
