"""The renderer: render parameters in, a canvas out.

The default and the strict renderer share everything but the following. What strict does is what Java does; the default
differs where that is plainly wrong, and nowhere else by more than one grey level:

* Java draws the last row and column of every tile as 0, over what lies beneath them. Here they have their values.
* Java does not cover the outermost pixels of a tile that is drawn from a mipmap. Here a tile covers the same area at
  every level.
* Java takes a pixel that is 0 for empty when it lays a masked tile over it, and then darkens the tile as well as making
  it transparent. Here only the mask of the canvas tells what is empty.
* Java composes pixels on the edges of its mesh twice, which shows under soft masks. Here each is composed once.
* Java shows the whole canvas in the range of the tile drawn last, and the mean of channels in the range of the first.
  Here each tile and channel is shown in its own range.
* Java drops further channels of tiles that are not square. Here they are drawn.
* Java truncates means of channels after each channel, so that two weights that are 1 together give an alpha of 254.
  Here they are rounded once.
* Java shows a background only behind masked tiles. Here one that is asked for is behind everything.
* Java refuses to draw if any listed file is missing. Here only those matter that are needed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rendermodules.core.depths import DEFAULT_RANGE
from rendermodules.io.image_cache import BytesBoundedCache, ImageCache
from rendermodules.io.images import ImageSource
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.channels import Workshop, channel_canvas, mean_of_channels
from rendermodules.render_ws.rendering.geometry import KnownGeometry
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.tiles import tile_named

DEFAULT_MAX_PIXELS = 1 << 27
_GEOMETRY_BYTES = 64 << 20


class Renderer:
    """Draws boxes; may be shared by threads.

    A request takes, beside the image cache, at most 12 bytes for each pixel of the result, images of 64 million tile
    pixels or one tile if that is larger, and 20 MB for each thread.

    Parameters
    ----------
    images : ImageCache, optional
        Where tile images come from, and which may be read; a cache of its own that reads everything if absent.
    strict : bool, default: False
        Draw what Java draws, to the last bit; see the docstring of the module. Strict drawing uses one thread.
    threads : int, default: 1
        How many threads draw one box. The pixels do not hang on it.
    max_pixels : int, default: 2^27
        Largest canvas.
    """

    def __init__(
        self,
        images: ImageCache | None = None,
        strict: bool = False,
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        self.images = ImageCache() if images is None else images
        self.strict = strict
        self.threads = threads
        self.max_pixels = max_pixels
        self._geometry: KnownGeometry = BytesBoundedCache(_GEOMETRY_BYTES)

    def render(self, parameters: RenderParameters | Mapping[str, Any], keep_values: bool = False) -> Canvas:
        """Return the canvas that render parameters describe.

        Parameters
        ----------
        parameters : RenderParameters or mapping
            Render's JSON, or what has been made of it. Tile specs must be without references.
        keep_values : bool, default: False
            Keep the values of tiles whose ranges differ, for files that hold values instead of what is shown.

        Raises
        ------
        RenderingError
            The parameters, a transform or a filter cannot be understood, or the canvas would be too large; the message
            names the tile where there is one.
        ImageError
            A file cannot be read, or may not be; the message names the tile and its URL.
        """
        if not isinstance(parameters, RenderParameters):
            parameters = RenderParameters.of(parameters)
        self._check_size(parameters)
        if self.strict:
            self._check_files(parameters)
        canvas = _canvas(parameters, Workshop(self.images, self._geometry, self.strict, keep_values, self.threads))
        if canvas is None:
            canvas = _blank_canvas(parameters)
            if self.strict:
                return canvas
        return replace(canvas, background=parameters.background, fill_with_noise=parameters.fill_with_noise)

    def _check_size(self, parameters: RenderParameters) -> None:
        width, height = parameters.canvas_size
        if width * height > self.max_pixels:
            raise RenderingError(
                f"{width} x {height} pixels are more than the {self.max_pixels} that are drawn at once"
            )
        width, height = parameters.image_size
        if width < 1 or height < 1:
            raise RenderingError(f"width ({width}) and height ({height}) must be positive at scale {parameters.scale}")

    def _check_files(self, parameters: RenderParameters) -> None:
        roles = ("image",) if parameters.exclude_mask else ("image", "mask")
        for tile in parameters.tiles:
            levels = [channel.get("mipmapLevels") or {} for channel in tile.get("channels") or [tile]]
            for level in (level for by_number in levels for level in by_number.values()):
                for source in (ImageSource.of_level(level, role) for role in roles):
                    if source is not None:
                        with tile_named(str(tile.get("tileId"))):
                            self.images.check_readable(source)


def _canvas(parameters: RenderParameters, workshop: Workshop) -> Canvas | None:
    channels = parameters.channels
    if channels is None:
        return channel_canvas(parameters, None, workshop)
    if not channels:
        return None
    if len(channels) == 1 and channels[0][1] == 1.0:
        return channel_canvas(parameters, channels[0][0], workshop)
    return mean_of_channels(parameters, channels, workshop)


def _blank_canvas(parameters: RenderParameters) -> Canvas:
    """Return a canvas that is transparent everywhere."""
    width, height = parameters.canvas_size
    nothing = np.zeros((height, width), np.uint8)
    return Canvas(nothing, nothing, parameters.image_size, *DEFAULT_RANGE)
