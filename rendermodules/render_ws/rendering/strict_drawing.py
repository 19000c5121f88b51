"""Drawing what Java draws, to the last bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.compiler import start_compiler
from rendermodules.core.depths import DEFAULT_RANGE, as_kind_of
from rendermodules.io.image_cache import ImageCache
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.parameters import RenderParameters
from rendermodules.render_ws.rendering.tiles import PlacedTile

Array = NDArray[Any]


class StrictDrawing:
    """A canvas that tiles are drawn onto.

    Parameters
    ----------
    parameters : RenderParameters
    model : array
        Image of the first tile, whose depth and colours the canvas has.
    masked : bool
        The canvas has a mask.
    images : ImageCache
    """

    def __init__(self, parameters: RenderParameters, model: Array, masked: bool, images: ImageCache) -> None:
        width, height = parameters.canvas_size
        self._parameters = parameters
        self._model = model
        self._images = images
        self._pixels = np.zeros((height, width, 1 if model.ndim == 2 else 3), model.dtype)
        self._mask = np.zeros((height, width) if masked else (0, 0), np.uint8)
        self._range = DEFAULT_RANGE
        self._is_first = True

    def draw(self, tiles: Sequence[PlacedTile]) -> None:
        """Draw tiles over what is there."""
        start_compiler()
        from rendermodules.core.rasterising.java_kernels import draw_triangles
        from rendermodules.core.rasterising.layers import read_only

        for tile in tiles:
            image = tile.image(self._images, self._parameters.filters)
            image = as_kind_of(image, self._model, tile.source.low, tile.source.high)
            mask = tile.mask(self._images) if self._mask.size else None
            if mask is None:
                mask = np.full(image.shape[:2] if self._mask.size else (0, 0), 255, np.uint8)
            draw_triangles(
                tile.placement.corners,
                tile.placement.inverses,
                read_only(np.atleast_3d(image)),
                read_only(mask[:, :, None]),
                self._pixels,
                self._mask,
                self._parameters.skip_interpolation,
                self._parameters.binary_mask,
                self._model.ndim == 2 or self._is_first,
                self._model.dtype != np.float32,
            )
            # the range of the last tile is that of the whole
            self._range = tile.source.low, tile.source.high
            self._is_first = False

    def canvas(self) -> Canvas:
        """Return what has been drawn."""
        pixels = self._pixels[:, :, 0] if self._model.ndim == 2 else self._pixels
        return Canvas(pixels, self._mask if self._mask.size else None, self._parameters.image_size, *self._range)
