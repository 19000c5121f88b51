"""Single tiles as JSON, and render parameters of tiles, boxes and layers (Java: TileDataService)."""

from collections.abc import Sequence
from typing import Any

import orjson

from rendermodules.render_ws.answers import OK, TEXT, Answer, json_answer, json_bytes
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.render_parameters import asked_options, excluded_transforms, render_parameters
from rendermodules.render_ws.routes.render_data import selected_tiles, shared_transforms
from rendermodules.render_ws.routing import B, Routes, S
from rendermodules.render_ws.store import stacks, tiles
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection
from rendermodules.render_ws.tile_specs import StoredTile, flattened_documents, flattened_tile

routes = Routes()

NEIGHBOR_FACTOR = 0.3

GREATEST_FACTOR = 1e6
"""Greatest scale, and growth of a tile to show its neighbors; the sizes of pictures remain whole numbers."""


@routes.get(f"{S}/tile/{{tileId}}")
def tile(call: Call) -> Answer:
    """Answer a tile spec as it was put, references kept."""
    return json_bytes(tiles.get_tile_document(call.database, call.stack_id, call.path["tileId"]))


@routes.delete(f"{S}/tile/{{tileId}}")
def delete_tile(call: Call) -> Answer:
    """Remove a tile, if there is one."""
    with call.writing_stack() as (database, stack):
        tiles.require_loading_to_delete(stack)
        tiles.delete_tiles_with_ids(database.connection, stack, [call.path["tileId"]])
    return OK


@routes.get(f"{S}/tile/{{tileId}}/render-parameters")
def tile_parameters(call: Call) -> Answer:
    """Answer render parameters that show one tile."""
    return json_answer(parameters_of_tile(call))


@routes.get(f"{S}/tile/{{tileId}}/withNeighbors/render-parameters")
def tile_with_neighbors_parameters(call: Call) -> Answer:
    """Answer render parameters that show a tile with what is around it."""
    return json_answer(parameters_of_tile_with_neighbors(call))


@routes.get(f"{S}/tile/{{tileId}}/source/scale/{{scale}}/render-parameters")
def tile_source_parameters(call: Call) -> Answer:
    """Answer render parameters that show the image of a tile without its transforms."""
    return json_answer(parameters_of_tile_source(call, call.number("scale"), mask=False))


@routes.get(f"{S}/tile/{{tileId}}/mask/scale/{{scale}}/render-parameters")
def tile_mask_parameters(call: Call) -> Answer:
    """Answer render parameters that show the mask of a tile without its transforms."""
    return json_answer(parameters_of_tile_source(call, call.number("scale"), mask=True))


@routes.get(f"{S}{B}/render-parameters")
def box_parameters(call: Call) -> Answer:
    """Answer render parameters that show a box of a layer."""
    return json_answer(parameters_of_box(call))


@routes.get(f"{S}/group/{{groupId}}{B}/render-parameters")
def group_box_parameters(call: Call) -> Answer:
    """Answer render parameters that show the tiles of a group in a box of a layer."""
    return json_answer(parameters_of_box(call, group_id=call.path["groupId"]))


@routes.get(f"{S}/z/{{z}}/render-parameters")
def layer_parameters(call: Call) -> Answer:
    """Answer render parameters that show a whole layer."""
    return json_answer(parameters_of_layer(call, 1.0))


@routes.get(f"{S}/tile/{{tileId}}/validation-info", produces=TEXT)
def tile_validation(call: Call) -> Answer:
    """Answer whether a tile can be rendered: its files exist and its transforms can be understood."""
    with call.reading_stack() as (database, stack):
        found = tiles.get_tile(database, stack, call.path["tileId"])
        spec = flattened_tile(orjson.loads(found.document), shared_transforms(database, stack, [found]))
    from rendermodules.render_ws.validation import require_valid_tile

    require_valid_tile(spec, call.read_policy)
    return OK


def parameters_of_tile(call: Call) -> dict[str, Any]:
    """Return render parameters for one tile of the path."""
    from rendermodules.core.transforms import tile_bounds

    with call.reading_stack() as (database, stack):
        found = tiles.get_tile(database, stack, call.path["tileId"])
        shared = shared_transforms(database, stack, [found])
        spec = flattened_tile(orjson.loads(found.document), shared)
        options = asked_options(call, stack)
    kept = excluded_transforms(call, spec["transforms"]["specList"])
    if kept is not None:
        spec["transforms"] = {**spec["transforms"], "specList": kept}
        spec["minX"], spec["minY"], spec["maxX"], spec["maxY"] = tile_bounds(spec)
    at_origin = call.flag("normalizeForMatching")
    x, y = (0.0, 0.0) if at_origin else (spec["minX"], spec["minY"])
    width, height = call.query_integer("width"), call.query_integer("height")
    box = (
        x + (call.query_integer("x") or 0),
        y + (call.query_integer("y") or 0),
        int(spec["maxX"] - spec["minX"]) if width is None else width,
        int(spec["maxY"] - spec["minY"]) if height is None else height,
    )
    return render_parameters(box, asked_scale(call, 1.0), [spec], options)


def parameters_of_tile_with_neighbors(call: Call) -> dict[str, Any]:
    """Return render parameters for the box of the tile of the path, grown on each side."""
    width_factor, height_factor = (_factor(call, name, NEIGHBOR_FACTOR) for name in ("widthFactor", "heightFactor"))
    with call.reading_stack() as (database, stack):
        found = tiles.get_tile(database, stack, call.path["tileId"])
        spec = orjson.loads(found.document)
        width, height = spec["maxX"] - spec["minX"], spec["maxY"] - spec["minY"]
        margin_x = int(width * width_factor)
        margin_y = int(height * height_factor)
        box = (
            spec["minX"] - margin_x,
            spec["minY"] - margin_y,
            int(width) + 2 * margin_x,
            int(height) + 2 * margin_y,
        )
        return parameters_of_selection(call, database, stack, spec["z"], box, asked_scale(call, 1.0))


def parameters_of_tile_source(call: Call, scale: float, mask: bool) -> dict[str, Any]:
    """Return render parameters for the image or the mask of the tile of the path, as it was taken."""
    with call.reading_stack() as (database, stack):
        spec = orjson.loads(tiles.get_tile(database, stack, call.path["tileId"]).document)
        options = {**asked_options(call, stack), "skipInterpolation": True}
    channels = spec.get("channels") or [
        {name: spec[name] for name in ("minIntensity", "maxIntensity", "mipmapLevels") if name in spec}
    ]
    bare = {
        "mipmapLevels": {},
        "channels": [{**channel, "mipmapLevels": _images_only(channel, mask)} for channel in channels],
        "transforms": {"type": "list", "specList": []},
        "meshCellSize": spec.get("meshCellSize", 64.0),
    }
    box = (0.0, 0.0, int(spec.get("width") or 0), int(spec.get("height") or 0))
    return render_parameters(box, scale, [bare], options)


def parameters_of_box(call: Call, group_id: str | None = None) -> dict[str, Any]:
    """Return render parameters for the box of the path."""
    z = call.number("z")
    box = (call.number("x"), call.number("y"), call.integer("width"), call.integer("height"))
    scale = asked_scale(call, call.number("scale"))
    with call.reading_stack() as (database, stack):
        return parameters_of_selection(call, database, stack, z, box, scale, group_id)


def parameters_of_layer(call: Call, default_scale: float) -> dict[str, Any]:
    """Return render parameters for the whole layer of the path, at the scale of the query or the default."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        bounds = stacks.get_layer_bounds(database.connection, stack, z)
        box = (bounds.minX, bounds.minY, int(bounds.maxX - bounds.minX), int(bounds.maxY - bounds.minY))
        return parameters_of_selection(call, database, stack, z, box, asked_scale(call, default_scale))


def asked_scale(call: Call, default: float) -> float:
    """Return the scale of the query, or ``default``.

    Raises
    ------
    InvalidRequest
        It is beyond `GREATEST_FACTOR`.
    """
    return _factor(call, "scale", default)


def _factor(call: Call, name: str, default: float) -> float:
    asked = call.query_number(name)
    factor = default if asked is None else asked
    if abs(factor) > GREATEST_FACTOR:
        raise InvalidRequest(f"{name} must not be beyond {GREATEST_FACTOR:.0e}, but it is {factor}")
    return factor


def parameters_of_selection(
    call: Call,
    database: Database,
    stack: Stack,
    z: float,
    box: tuple[float, float, int, int],
    scale: float,
    group_id: str | None = None,
) -> dict[str, Any]:
    """Return render parameters for the tiles (of a group) that touch a box of a layer: x, y, width, height."""
    x, y, width, height = box
    selection = Selection(z=z, box=(x, y, x + width, y + height), group_id=group_id)
    found = selected_tiles(call, database, stack, selection)
    return render_parameters(box, scale, _documents(database, stack, found), asked_options(call, stack))


def _documents(database: Database, stack: Stack, found: Sequence[StoredTile]) -> list[bytes]:
    return flattened_documents(found, shared_transforms(database, stack, list(found)))


def _images_only(channel: dict[str, Any], mask: bool) -> dict[str, Any]:
    prefix = "mask" if mask else "image"
    levels = {}
    for level, pair in (channel.get("mipmapLevels") or {}).items():
        levels[level] = {
            f"image{name[len(prefix) :]}": value for name, value in pair.items() if name.startswith(prefix)
        }
    return levels
