"""Images of boxes: render parameters from the service, pixels from this process, as the Java clients do it.

The images of the tiles must be readable here under the paths that the tile specs have.
"""

import logging
import os
from functools import lru_cache
from typing import Any

import orjson

from rendermodules.io.image_cache import DEFAULT_IMAGE_BYTES, ImageCache
from rendermodules.io.image_formats import Image
from rendermodules.io.json_files import read_json
from rendermodules.render_ws.clients.arguments import Option, number, switch, text
from rendermodules.render_ws.clients.stacks import RemoteStack, z_text
from rendermodules.render_ws.remote import RemoteService
from rendermodules.render_ws.rendering import Renderer, RenderingError
from rendermodules.render_ws.rendering.output import gray
from rendermodules.render_ws.routing import PREFIX

logger = logging.getLogger(__name__)

FILTER_LIST_OPTION: Option = text("filterListName", "filters of the service by name, instead of its default ones")
INTENSITY_OPTIONS: tuple[Option, ...] = (
    number("minIntensity", "intensity shown black, instead of those of the tiles"),
    number("maxIntensity", "intensity shown white, instead of those of the tiles"),
)
NOISE_OPTION: Option = switch("fillWithNoise", "show noise where no tile is", True)

MAX_PIXELS = 1 << 29
_MOST_THREADS = 4


def renderer(image_bytes: int = DEFAULT_IMAGE_BYTES, threads: int | None = None) -> Renderer:
    """Return a renderer.

    Parameters
    ----------
    image_bytes : int
        What the images that it keeps may take.
    threads : int, optional
        How many draw one box; by default as many as this process may use, up to 4.
    """
    if threads is None:
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


def gray_image(drawer: Renderer, parameters: dict[str, Any]) -> Image:
    """Return what render parameters show, in gray, (rows, columns) of uint8; says so when no tile has the channel."""
    channel, tiles = parameters.get("channels") or "", parameters["tileSpecs"]
    present = {own.get("name") for tile in tiles for own in tile.get("channels") or ()}
    if channel and tiles and "__" not in channel and channel not in present:
        logger.warning("none of the %d tiles, %s the first, has a channel %s", len(tiles), tiles[0]["tileId"], channel)
    return gray(drawer.render(parameters))


def document_at(place: str) -> Any:
    """Return the JSON at a path, or at a URL, such as a route of any service.

    Raises
    ------
    RequestFailed, OSError, InputError
        It cannot be had, or is no JSON.
    """
    base, prefix, _ = place.partition(PREFIX)
    if "://" in base and prefix:
        return orjson.loads(_service_at(base).answer_of_url("GET", place).content)
    return read_json(place)


@lru_cache(maxsize=8)
def _service_at(base: str) -> RemoteService:
    return RemoteService(base)


def parameters_at(place: str) -> dict[str, Any]:
    """Return the render parameters at a path or URL, with the parameters and tile specs that they refer to.

    What ``parametersUrl`` leads to comes in where the file says nothing.

    Raises
    ------
    RequestFailed, OSError, InputError
        Something cannot be had, or is no JSON.
    RenderingError
        It is no JSON object.
    """
    parameters = document_at(place)
    if not isinstance(parameters, dict):
        raise RenderingError(f"{place}: render parameters are a JSON object")
    further = parameters.pop("parametersUrl", None)
    if further:
        parameters = {**parameters_at(further), **parameters}
    if parameters.get("tileSpecUrl"):
        parameters["tileSpecs"] = document_at(parameters["tileSpecUrl"])
    return parameters
