"""Canvases of single channels, and of several together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.depths import with_range
from rendermodules.io.image_cache import ImageCache
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.geometry import KnownGeometry
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.quick_drawing import QuickDrawing
from rendermodules.render_ws.rendering.sources import channel_source
from rendermodules.render_ws.rendering.strict_drawing import StrictDrawing
from rendermodules.render_ws.rendering.tiles import PlacedTile, placed_tile

Array = NDArray[Any]

_BATCH_PIXELS = 64 << 20


@dataclass(frozen=True)
class Workshop:
    """What is needed to draw a request.

    Attributes
    ----------
    images : ImageCache
    known_geometry : BytesBoundedCache
        Meshes in the world.
    strict : bool
        Follow Java to the last bit.
    keep_values : bool
        Keep the values of tiles whose ranges differ.
    threads : int
        How many draw.
    """

    images: ImageCache
    known_geometry: KnownGeometry
    strict: bool
    keep_values: bool
    threads: int


def channel_canvas(
    parameters: RenderParameters, name: str | None, workshop: Workshop, only_square: bool = False
) -> Canvas | None:
    """Return the canvas of the channel ``name``, or of the first of each tile if it is None.

    None if no tile has the channel, or nothing is left of any at this scale. ``only_square`` leaves out all others.
    """
    candidates = [(tile, channel_source(tile, name, parameters)) for tile in parameters.tiles]
    tiles = [(tile, source) for tile, source in candidates if source is not None]
    images, known_geometry, strict = workshop.images, workshop.known_geometry, workshop.strict
    placed = (placed_tile(tile, source, parameters, images, known_geometry, strict) for tile, source in tiles)
    drawable = (tile for tile in placed if tile is not None and not (only_square and tile.size[0] != tile.size[1]))
    first = next(drawable, None)
    if first is None:
        return None
    model = first.image(images, parameters.filters)
    masked = not parameters.exclude_mask and any(source.has_mask for _, source in tiles)
    drawing: QuickDrawing | StrictDrawing
    if strict:
        drawing = StrictDrawing(parameters, model, masked, images)
    else:
        ranges = {(source.low, source.high) for _, source in tiles[: 1 if workshop.keep_values else None]}
        masked = masked or parameters.has_background
        drawing = QuickDrawing(parameters, model, masked, ranges, images, workshop.threads)
    for batch in _batches(chain([first], drawable)):
        drawing.draw(batch)
    return drawing.canvas()


def _batches(tiles: Iterable[PlacedTile]) -> Iterator[list[PlacedTile]]:
    """Return tiles in groups of so many pixels that their images can be in memory together."""
    batch: list[PlacedTile] = []
    pixels = 0
    for tile in tiles:
        if batch and pixels + tile.pixels > _BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
        batch.append(tile)
        pixels += tile.pixels
    yield batch


def mean_of_channels(parameters: RenderParameters, channels: Sequence[tuple[str, float]], workshop: Workshop) -> Canvas:
    """Return the weighted mean of channels, with a mask that is the sum of the weights.

    Raises
    ------
    RenderingError
        No tile has a channel that is asked for.
    """
    canvases = []
    for place, (name, _) in enumerate(channels):
        # Java compares the width of further channels with the height of the first
        canvas = channel_canvas(parameters, name, workshop, only_square=workshop.strict and place > 0)
        if canvas is None:
            raise RenderingError(f"no tile has a channel {name!r}")
        canvases.append(canvas)
    first = canvases[0]
    if any(canvas.pixels.shape != first.pixels.shape for canvas in canvases):
        raise RenderingError(f"the channels {', '.join(name for name, _ in channels)} are gray and colour")
    weights = [weight for _, weight in channels]
    if workshop.strict:
        return _strict_mean(canvases, weights)
    ranged = [_in_range_of(first, canvas) for canvas in canvases]
    return _mean(ranged if not workshop.keep_values else canvases, weights)


def _in_range_of(first: Canvas, canvas: Canvas) -> Canvas:
    pixels = with_range(canvas.pixels, canvas.low, canvas.high, first.low, first.high)
    return replace(canvas, pixels=pixels, low=first.low, high=first.high)


def _weights(canvas: Canvas, weight: float, kind: type) -> Array:
    """Return the weight of each pixel, with an axis for colours if there are any."""
    weights: Array
    if canvas.mask is None:
        weights = np.full(canvas.pixels.shape[:2], weight, kind)
    else:
        weights = canvas.mask.astype(kind) * kind(weight) / kind(255)
    return weights if canvas.pixels.ndim == 2 else weights[:, :, None]


def _mean(canvases: Sequence[Canvas], weights: Sequence[float]) -> Canvas:
    first = canvases[0]
    total = np.zeros(first.pixels.shape, np.float64)
    opacity = np.zeros(first.pixels.shape[:2], np.float64)
    for canvas, weight in zip(canvases, weights, strict=True):
        own = _weights(canvas, weight, np.float64)
        total += canvas.pixels * own
        opacity += own.reshape(opacity.shape)
    if np.issubdtype(first.pixels.dtype, np.integer):
        total = np.floor(total + 0.5)
    mask = np.floor(opacity * 255 + 0.5).astype(np.uint8)
    return replace(first, pixels=total.astype(first.pixels.dtype), mask=mask)


def _strict_mean(canvases: Sequence[Canvas], weights: Sequence[float]) -> Canvas:
    """Return the mean as Java has it: in single precision, and truncated after each channel."""
    first = canvases[0]
    total = np.zeros_like(first.pixels)
    mask = np.zeros(first.pixels.shape[:2], np.uint8)
    for canvas, weight in zip(canvases, weights, strict=True):
        own = _weights(canvas, weight, np.float32)
        total = (total + canvas.pixels * own).astype(total.dtype)
        mask = (mask + np.float32(255) * own.reshape(mask.shape)).astype(np.uint8)
    return replace(first, pixels=total, mask=mask)
