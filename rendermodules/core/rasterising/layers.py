"""Images laid over each other on a canvas."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.rasterising import spans

Array = NDArray[Any]
Floats = NDArray[np.float64]

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
    corners : (t, 3, 2) float array
        Triangles of the canvas that the image covers, x, y.
    inverses : (t, 2, 3) float array
        Affines from the canvas to the image, one for each triangle.
    outline : (4, 2) float array, optional
        Corners of the image on the canvas in order, if all affines are the same.
    nearest : bool
        Take the nearest pixel instead of interpolating between four.
    binary : bool
        Cover entirely where the mask is not 0.
    """

    planes: tuple[Array, ...]
    mask: Array | None
    corners: Floats
    inverses: Floats
    outline: Floats | None = None
    nearest: bool = False
    binary: bool = False

    @property
    def bytes(self) -> int:
        """Bytes of the image and its mask."""
        return sum(plane.nbytes for plane in self.planes) + (0 if self.mask is None else self.mask.nbytes)


def draw_layers(
    layers: Sequence[Layer], planes: Sequence[Array], canvas_mask: Array | None, pool: ThreadPoolExecutor | None = None
) -> None:
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
    pool : ThreadPoolExecutor, optional
        Threads that draw bands of the canvas.
    """
    height = planes[0].shape[0]
    _count_pixels(layers, planes[0].shape, canvas_mask is not None)
    painters = [_painter(layer, planes[0].shape, canvas_mask is not None) for layer in layers]

    def draw_band(first_row: int) -> None:
        rows = slice(first_row, min(first_row + BAND_ROWS, height))
        for paint in painters:
            paint(planes, canvas_mask, rows)

    bands = range(0, height, BAND_ROWS)
    for _ in map(draw_band, bands) if pool is None else pool.map(draw_band, bands):
        pass


def _painter(layer: Layer, shape: tuple[int, ...], masked: bool) -> Callable[..., None]:
    """Return a function that draws some rows of a layer."""
    if layer.outline is not None and _is_for_opencv(layer) and (layer.mask is None or not masked):
        return _opencv_painter(layer, layer.outline, shape)
    # compiled code is made anew for each kind of array, and arrays that can be written are another kind
    mask = read_only(layer.mask if masked and layer.mask is not None else _NOTHING)
    images = [read_only(image) for image in layer.planes]

    def paint(planes: Sequence[Array], canvas_mask: Array | None, rows: slice) -> None:
        alphas = _masks_for_planes(canvas_mask, len(planes), rows)
        options = (rows.start, rows.stop, layer.nearest, layer.binary)
        for image, canvas, alpha in zip(images, planes, alphas, strict=True):
            _Kernels.draw_spans(layer.corners, layer.inverses, image, mask, canvas, alpha, *options)

    return paint


def read_only(array: Array) -> Array:
    """Return a view of an array that cannot be written, all rows behind each other."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _opencv_painter(layer: Layer, outline: Floats, shape: tuple[int, ...]) -> Callable[..., None]:
    from rendermodules.core.rasterising.affine import coverage, draw_affine

    covered = coverage(outline, shape[1], shape[0])

    def paint(planes: Sequence[Array], canvas_mask: Array | None, rows: slice) -> None:
        part = covered[rows]
        for image, canvas in zip(layer.planes, planes, strict=True) if len(part) else ():
            draw_affine(part, layer.inverses[0], image, canvas, _NOTHING if canvas_mask is None else canvas_mask)

    return paint


def _is_for_opencv(layer: Layer) -> bool:
    """Return whether OpenCV draws a layer without mask to within one grey level."""
    image = layer.planes[0]
    if layer.outline is None or layer.nearest or image.dtype != np.uint8:
        return False
    sides = min(image.shape), max(image.shape)
    is_near = bool(np.isfinite(layer.inverses[0]).all() and (np.abs(layer.outline) <= spans.FURTHEST).all())
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
    finite = layer.corners.reshape(-1, 2)[np.isfinite(layer.corners).reshape(-1, 2).all(axis=1)]
    if not len(finite):
        return 0
    width, height = np.minimum(finite.max(axis=0), [shape[1], shape[0]]) - np.maximum(finite.min(axis=0), 0)
    return len(layer.planes) * int(max(width, 0) * max(height, 0))
