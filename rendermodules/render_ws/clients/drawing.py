"""Images of boxes: render parameters from the service, pixels from this process, as the Java clients do it.

The images of the tiles must be readable here under the paths that the tile specs have.
"""

import os
from typing import Any

from rendermodules.io.image_cache import DEFAULT_IMAGE_BYTES, ImageCache
from rendermodules.render_ws.clients.arguments import Option, number, switch, text
from rendermodules.render_ws.clients.stacks import RemoteStack, z_text
from rendermodules.render_ws.rendering import Renderer

FILTER_LIST_OPTION: Option = text("filterListName", "filters of the service by name, instead of its default ones")
INTENSITY_OPTIONS: tuple[Option, ...] = (
    number("minIntensity", "intensity shown black, instead of those of the tiles"),
    number("maxIntensity", "intensity shown white, instead of those of the tiles"),
)
NOISE_OPTION: Option = switch("fillWithNoise", "show noise where no tile is", True)

MAX_PIXELS = 1 << 29
_MOST_THREADS = 4


def renderer(image_bytes: int = DEFAULT_IMAGE_BYTES) -> Renderer:
    """Return a renderer that keeps so many bytes of images and uses the processors that this process may use."""
    threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    return Renderer(ImageCache(image_bytes), threads=threads, max_pixels=MAX_PIXELS)


def box_parameters(
    stack: RemoteStack, z: float, box: tuple[float, float, int, int], scale: float, **query: Any
) -> dict[str, Any]:
    """Return render parameters for a box of a layer.

    Parameters
    ----------
    stack : RemoteStack
    z : float
    box : tuple
        x, y, width, height in world pixels.
    scale : float
        Image pixels per world pixel.
    **query
        Further options of the route, such as ``filter``; None leaves one out.
    """
    x, y, width, height = box
    text = f"{x!r},{y!r},{width},{height},{scale!r}"
    parameters: dict[str, Any] = stack.get("z", z_text(z), "box", text, "render-parameters", **query)
    return parameters


def layer_parameters(stack: RemoteStack, z: float, **query: Any) -> dict[str, Any]:
    """Return render parameters for a whole layer at full scale, with all of its tiles."""
    parameters: dict[str, Any] = stack.get("z", z_text(z), "render-parameters", scale=1.0, **query)
    return parameters
