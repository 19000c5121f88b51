"""Images of boxes, layers and tiles (Java: RenderImageService, TileImageService)."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from rendermodules.render_ws.answers import Answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.image_answers import CONTENT_TYPES, caching_headers, image_answer, is_known
from rendermodules.render_ws.models import decoded
from rendermodules.render_ws.routes.tile_data import (
    asked_scale,
    parameters_of_box,
    parameters_of_layer,
    parameters_of_tile,
    parameters_of_tile_source,
    parameters_of_tile_with_neighbors,
)
from rendermodules.render_ws.routing import B, Handler, Routes, S

routes = Routes()

DEFAULT_LAYER_SCALE = 0.01

Parameters = Callable[[Call], dict[str, Any]]


def _image_routes(path: str, formats: tuple[str, ...], parameters: Parameters, beyond_java: bool = False) -> None:
    """Register images of what ``parameters`` says in some formats, below a stack."""
    for image_format in formats:
        handler = drawing_handler(parameters, image_format)
        routes.get(f"{S}{path}/{image_format}-image", CONTENT_TYPES[image_format], beyond_java)(handler)


def drawing_handler(parameters: Parameters, image_format: str, most_tiles: int | None = None) -> Handler:
    """Return a handler that draws what ``parameters`` says of a stack, unless the client has it already.

    With ``skipUnreadable`` in the query, tiles whose files cannot be read are left out; Java Render refuses the image.
    """

    @wraps(parameters)
    def handler(call: Call) -> Answer:
        with call.reading_stack() as (_, stack):
            headers = caching_headers(call, stack)
        if is_known(call, headers):
            return Answer(status=304, headers=headers)
        if call.flag("skipUnreadable"):
            from rendermodules.render_ws.lenient_images import lenient_image_answer

            answer = lenient_image_answer(call, parameters(call), image_format, most_tiles)
        else:
            answer = image_answer(call, parameters(call), image_format, most_tiles)
        return Answer(answer.body, answer.content_type, answer.status, answer.headers or headers)

    return handler


def _box(call: Call) -> dict[str, Any]:
    """Answer an image of a box of a layer."""
    return parameters_of_box(call)


def _group_box(call: Call) -> dict[str, Any]:
    """Answer an image of the tiles of a group in a box of a layer."""
    return parameters_of_box(call, group_id=call.path["groupId"])


def _layer(call: Call) -> dict[str, Any]:
    """Answer an image of a whole layer."""
    return parameters_of_layer(call, DEFAULT_LAYER_SCALE)


def _tile(call: Call) -> dict[str, Any]:
    """Answer an image of one tile."""
    return parameters_of_tile(call)


def _tile_with_neighbors(call: Call) -> dict[str, Any]:
    """Answer an image of a tile with what is around it."""
    return parameters_of_tile_with_neighbors(call)


def _tile_source(call: Call, mask: bool) -> dict[str, Any]:
    """Answer the image or the mask of a tile, as it was taken."""
    parameters = parameters_of_tile_source(call, asked_scale(call, 1.0), mask)
    levels = parameters["tileSpecs"][0]["channels"][0]["mipmapLevels"]
    if mask and not any(levels.values()):
        raise InvalidRequest(f"tile {call.path['tileId']} has no mask")
    return parameters


_image_routes(B, ("png", "jpeg", "tiff", "tiff16", "png16", "raw", "raw16"), _box)
_image_routes(f"/group/{{groupId}}{B}", ("png", "jpeg", "tiff"), _group_box)
_image_routes("/z/{z}", ("png", "jpeg", "tiff"), _layer)
# render-python can ask for it
_image_routes("/z/{z}", ("tiff16",), _layer, beyond_java=True)
_image_routes("/tile/{tileId}", ("png", "jpeg", "tiff", "tiff16"), _tile)
_image_routes("/tile/{tileId}/source", ("png", "jpeg", "tiff"), wraps(_tile_source)(partial(_tile_source, mask=False)))
_image_routes("/tile/{tileId}/mask", ("png", "jpeg", "tiff"), wraps(_tile_source)(partial(_tile_source, mask=True)))
_image_routes("/tile/{tileId}/withNeighbors", ("jpeg",), _tile_with_neighbors)


def _draw_body(call: Call, image_format: str) -> Answer:
    """Answer an image of the render parameters in the body."""
    parameters = decoded(call.body, dict[str, Any] | None)
    if parameters is None:
        raise InvalidRequest("no render parameters provided")
    tiles = parameters.get("tileSpecs")
    if tiles is not None and not isinstance(tiles, list):
        raise InvalidRequest("tileSpecs must be a list")
    return image_answer(call, parameters, image_format)


for _format in ("png", "jpeg", "tiff", "tiff16"):
    _path, _kind = f"/owner/{{owner}}/{_format}-image", CONTENT_TYPES[_format]
    _register = routes.put(_path, produces=_kind, beyond_java=_format == "tiff16")
    _register(wraps(_draw_body)(partial(_draw_body, image_format=_format)))
