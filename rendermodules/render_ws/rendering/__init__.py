"""Render parameters to pixels, and pixels to files.

::

    renderer = Renderer(ImageCache(max_bytes, allowed_below(["/data"])), threads=2)
    canvas = renderer.render(render_parameters)
    png = encoded(canvas, "png")

Tile specs come without references and in the order of drawing; which tiles belong to a box is not decided here.
``renderer`` lists where the default differs from what Java draws.
"""

from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.output import DEEP_FORMATS, encoded, media_type
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.renderer import DEFAULT_MAX_PIXELS, Renderer

__all__ = [
    "DEEP_FORMATS",
    "DEFAULT_MAX_PIXELS",
    "Canvas",
    "RenderParameters",
    "Renderer",
    "RenderingError",
    "encoded",
    "media_type",
]
