"""Drawing as quickly as can be, to within one grey level of Java where Java is right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.depths import DEFAULT_RANGE, as_kind_of, with_range
from rendermodules.core.rasterising import Layer, draw_layers
from rendermodules.core.threads import mapped_by_threads
from rendermodules.io.image_cache import ImageCache
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.parameters import RenderParameters
from rendermodules.render_ws.rendering.tiles import PlacedTile

Array = NDArray[Any]
Range = tuple[float, float]


class QuickDrawing:
    """A canvas that tiles are drawn onto.

    Parameters
    ----------
    parameters : RenderParameters
    model : array
        Image of the first tile, whose depth and colours the canvas has.
    masked : bool
        The canvas has a mask.
    ranges : set of (float, float)
        Ranges of all tiles. If they differ, the values of each are brought into one range.
    images : ImageCache
    threads : int
        How many draw.
    """

    def __init__(
        self,
        parameters: RenderParameters,
        model: Array,
        masked: bool,
        ranges: set[Range],
        images: ImageCache,
        threads: int,
    ) -> None:
        width, height = parameters.canvas_size
        self._parameters = parameters
        self._model = model
        self._images = images
        self._threads = threads
        self._planes = [np.zeros((height, width), model.dtype) for _ in range(1 if model.ndim == 2 else 3)]
        self._mask = np.zeros((height, width), np.uint8) if masked else None
        self._range = ranges.copy().pop() if len(ranges) == 1 else _full_range(model)
        self._mixed_ranges = len(ranges) > 1

    def draw(self, tiles: Sequence[PlacedTile]) -> None:
        """Draw tiles over what is there."""
        width, height = self._parameters.canvas_size
        visible = [tile for tile in tiles if tile.placement.touches(width, height)]
        layers = mapped_by_threads(self._layer, visible, self._threads)
        draw_layers(layers, self._planes, self._mask, self._threads)

    def _layer(self, tile: PlacedTile) -> Layer:
        low, high = tile.source.low, tile.source.high
        image = tile.image(self._images, self._parameters.filters)
        converted = as_kind_of(image, self._model, low, high)
        if self._mixed_ranges:
            if converted is not image and converted.dtype == np.uint8:
                low, high = DEFAULT_RANGE  # conversion to 8 bit has used the range up
            converted = with_range(converted, low, high, *self._range)
        planes = (converted,) if converted.ndim == 2 else tuple(np.ascontiguousarray(np.moveaxis(converted, -1, 0)))
        return Layer(
            planes,
            None if self._mask is None else tile.mask(self._images),
            tile.placement,
            self._parameters.skip_interpolation,
            self._parameters.binary_mask,
        )

    def canvas(self) -> Canvas:
        """Return what has been drawn."""
        pixels = self._planes[0] if len(self._planes) == 1 else np.stack(self._planes, axis=-1)
        return Canvas(pixels, self._mask, self._parameters.image_size, *self._range)


def _full_range(model: Array) -> Range:
    return (0.0, 65535.0) if model.dtype == np.uint16 else DEFAULT_RANGE
