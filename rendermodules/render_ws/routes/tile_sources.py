"""Images for viewers that cut layers into a grid of their own (Java: LargeDataTileSourceService, DvidService)."""

from pathlib import Path
from typing import Any

import orjson

from rendermodules.io.box_pyramid import BoxLayout
from rendermodules.render_ws.answers import Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import Forbidden, InvalidRequest
from rendermodules.render_ws.image_answers import CONTENT_TYPES
from rendermodules.render_ws.routes.images import drawing_handler
from rendermodules.render_ws.routes.tile_data import asked_scale, parameters_of_selection
from rendermodules.render_ws.routing import Handler, Routes, S
from rendermodules.render_ws.store import tiles
from rendermodules.render_ws.store.tiles import Selection

routes = Routes()

GRID = f"{S}/largeDataTileSource/{{width}}/{{height}}"
RAW = "/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}"

MOST_TILES_OF_GRID = 40
OVERVIEW_SIZE = 192
_ENDINGS = {"jpg": "jpeg", "png": "png", "tif": "tiff"}


def _grid_cell(call: Call) -> dict[str, Any]:
    """Return render parameters for one cell of the grid of a level; level n is halved n times."""
    side_x, side_y = (call.integer(side) << _level(call) for side in ("width", "height"))
    x, y = call.integer("column") * side_x, call.integer("row") * side_y
    with call.reading_stack() as (database, stack):
        box = (float(x), float(y), side_x, side_y)
        return parameters_of_selection(call, database, stack, call.number("z"), box, 1 / (1 << _level(call)))


def _overview(call: Call) -> dict[str, Any]:
    """Return render parameters for a small image of a whole layer."""
    size = call.query_integer("maxOverviewWidthAndHeight")
    with call.reading_stack() as (database, stack):
        if stack.stats is None:
            raise InvalidRequest(f"Stats for {stack.id} have not been stored; set its state to COMPLETE")
        bounds = orjson.loads(stack.stats)["stackBounds"]
        x, y = bounds["minX"], bounds["minY"]
        if x >= 0 and y >= 0 and not call.flag("translateOrigin"):
            x = y = 0.0
        width, height = int(bounds["maxX"] - x), int(bounds["maxY"] - y)
        scale = (OVERVIEW_SIZE if size is None else size) / max(width, height, 1)
        return parameters_of_selection(call, database, stack, call.number("z"), (x, y, width, height), scale)


def _raw(call: Call) -> dict[str, Any]:
    """Answer a box of a layer at the scale of the query."""
    z = call.number("z")
    box = (call.number("x"), call.number("y"), call.integer("width"), call.integer("height"))
    with call.reading_stack() as (database, stack):
        group = call.path.get("groupId")
        return parameters_of_selection(call, database, stack, z, box, asked_scale(call, 1.0), group)


def _grid_handler(ending: str) -> Handler:
    draw = drawing_handler(_grid_cell, _ENDINGS[ending], MOST_TILES_OF_GRID)

    def handler(call: Call) -> Answer:
        """Answer one cell of a grid: the file that was materialized, or drawn now."""
        return _materialized(call, ending) or draw(call)

    return handler


for _ending in ("jpg", "png"):
    _kind = CONTENT_TYPES[_ENDINGS[_ending]]
    routes.get(f"{GRID}/{{level}}/{{z}}/{{row}}/{{column}}.{_ending}", produces=_kind)(_grid_handler(_ending))
    routes.get(f"{GRID}/small/{{z}}.{_ending}", produces=_kind)(drawing_handler(_overview, _ENDINGS[_ending]))
for _ending, _format in _ENDINGS.items():
    for _path in (f"{S}{RAW}", f"{S}/group/{{groupId}}{RAW}"):
        routes.get(f"{_path}/{_ending}", produces=CONTENT_TYPES[_format])(drawing_handler(_raw, _format))


@routes.get(f"{S}{RAW}/render-parameters")
def raw_parameters(call: Call) -> Answer:
    """Answer render parameters for a box of a layer."""
    return json_answer(_raw(call))


@routes.get(f"{S}/group/{{groupId}}{RAW}/render-parameters")
def group_raw_parameters(call: Call) -> Answer:
    """Answer render parameters for the tiles of a group in a box of a layer."""
    return json_answer(_raw(call))


@routes.get(f"{S}{RAW}/tile-count")
def raw_tile_count(call: Call) -> Answer:
    """Answer the number of tiles that touch a box."""
    x, y = call.number("x"), call.number("y")
    box = (x, y, x + call.integer("width"), y + call.integer("height"))
    with call.reading_stack() as (database, stack):
        return json_answer(tiles.count_tiles(database.connection, stack, Selection(z=call.number("z"), box=box)))


def _level(call: Call) -> int:
    level = call.integer("level")
    if not 0 <= level < 32:
        raise InvalidRequest(f"the level must be 0 to 31, but it is {level}")
    return level


def _materialized(call: Call, ending: str) -> Answer | None:
    """Return the file of a cell, when the stack says where such files are and this one is there."""
    if call.query_integer("maxTileSpecsToRender") == 0:
        return None
    with call.reading_stack() as (_, stack):
        root = stack.version.materializedBoxRootPath
    if root is None:
        return None
    folder = Path(root, f"{call.integer('width')}x{call.integer('height')}")
    cell = call.integer("row"), call.integer("column")
    file = BoxLayout(folder, ending).box(_level(call), call.number("z"), cell).resolve()
    if not file.is_file():
        return None
    if call.read_policy is not None and not call.read_policy(str(file)):
        raise Forbidden(f"{file} is outside of the places that may be read")
    return Answer(file.read_bytes(), CONTENT_TYPES[_ENDINGS[ending]])
