"""Tiles of stacks in bulk: layers, sections, boxes, shared transforms (Java: RenderDataService)."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from rendermodules.render_ws.answers import CREATED, OK, Answer, json_answer, json_bytes, json_list
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.collection_pause import paused_collection
from rendermodules.render_ws.errors import InvalidRequest, NotFound, TooLarge
from rendermodules.render_ws.models import decoded
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store import stacks, tiles, transforms
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection
from rendermodules.render_ws.tile_specs import (
    StoredTile,
    flattened_documents,
    ids_in,
    received_collection,
    referred_by,
    tile_rows,
)

routes = Routes()


@routes.get(f"{S}/zValues")
def z_values(call: Call) -> Answer:
    """Answer the z of all layers that hold tiles."""
    minimum, maximum = call.query_number("minZ"), call.query_number("maxZ")
    with call.reading_stack() as (database, stack):
        return json_answer(stacks.get_z_values(database.connection, stack, minimum, maximum))


@routes.get(f"{S}/z/{{z}}/bounds")
def layer_bounds(call: Call) -> Answer:
    """Answer the box around the tiles of a layer."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        return json_answer(stacks.get_layer_bounds(database.connection, stack, z))


@routes.get(f"{S}/z/{{z}}/tileBounds")
def layer_tile_bounds(call: Call) -> Answer:
    """Answer the boxes of the tiles of a layer."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        return json_answer(tiles.get_tile_bounds(database.connection, stack, Selection(z=z)))


@routes.get(f"{S}/section/{{sectionId}}/tileBounds")
def section_tile_bounds(call: Call) -> Answer:
    """Answer the boxes of the tiles of a section."""
    with call.reading_stack() as (database, stack):
        stack.require_online()
        selection = Selection(section_id=call.path["sectionId"])
        return json_answer(tiles.get_tile_bounds(database.connection, stack, selection))


@routes.get(f"{S}/section/{{sectionId}}/z")
def section_z(call: Call) -> Answer:
    """Answer the z of a section."""
    with call.reading_stack() as (database, stack):
        return json_answer(stacks.get_section_z(database.connection, stack, call.path["sectionId"]))


@routes.put(f"{S}/section/{{sectionId}}/z")
def set_section_z(call: Call) -> Answer:
    """Move a section to another z."""
    z = decoded(call.body, float | None)
    if z is None:
        raise InvalidRequest("z value must be specified")
    with call.writing_stack() as (database, stack):
        selection = Selection(section_id=call.path["sectionId"])
        ids = tiles.get_tile_ids(database.connection, stack, selection)
        tiles.move_tiles(database, stack, ids, z)
    return CREATED


@routes.put(f"{S}/z/{{z}}/tileIds")
def set_tiles_z(call: Call) -> Answer:
    """Move tiles to another z."""
    z = call.number("z")
    ids = decoded(call.body, list[str] | None)
    if ids is None:
        raise InvalidRequest("tileIds value must be specified")
    with call.writing_stack() as (database, stack):
        tiles.move_tiles(database, stack, ids, z)
    return CREATED


@routes.delete(f"{S}/section/{{sectionId}}")
def delete_section(call: Call) -> Answer:
    """Remove the tiles of a section."""
    return _deleted(call, Selection(section_id=call.path["sectionId"]))


@routes.delete(f"{S}/z/{{z}}")
def delete_layer(call: Call) -> Answer:
    """Remove the tiles of a layer."""
    return _deleted(call, Selection(z=call.number("z")))


@routes.get(f"{S}/tileIds")
def tile_ids(call: Call) -> Answer:
    """Answer the ids of the tiles of some layers, of those that match a regular expression."""
    selection = Selection(minimum_z=call.query_number("minZ"), maximum_z=call.query_number("maxZ"))
    matches = call.pattern("matchPattern")
    with call.database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        return json_answer([] if stack is None else tiles.get_tile_ids(connection, stack, selection, matches))


@routes.get(f"{S}/z/{{z}}/tile-specs")
def layer_tile_specs(call: Call) -> Answer:
    """Answer the tile specs of a layer, transforms flattened."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        found = selected_tiles(call, database, stack, Selection(z=z))
        if not found:
            raise stacks.no_tiles_at(stack.id, z)
        shared = shared_transforms(database, stack, found)
    return json_list(flattened_documents(found, shared))


@routes.put(f"{S}/tile-specs-with-ids")
def tile_specs_with_ids(call: Call) -> Answer:
    """Answer the tile specs of these ids that exist, transforms flattened."""
    ids = decoded(call.body, list[str] | None)
    if ids is None:
        raise InvalidRequest("no tile ids provided")
    database = call.database
    with database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        if stack is None:
            return json_list([])
        found = tiles.get_tiles_with_ids(database, stack, ids)
        shared = shared_transforms(database, stack, found)
    return json_list(flattened_documents(found, shared))


@routes.get(f"{S}/z/{{z}}/resolvedTiles")
def layer_resolved_tiles(call: Call) -> Answer:
    """Answer the tiles of a layer with the shared transforms that they refer to."""
    return _resolved_tiles(call, Selection(z=call.number("z")))


@routes.get(f"{S}/resolvedTiles")
def resolved_tiles(call: Call) -> Answer:
    """Answer the tiles of a volume with the shared transforms that they refer to."""
    sides = [call.query_number(name) for name in ("minX", "minY", "maxX", "maxY")]
    outside = (-float("inf"), -float("inf"), float("inf"), float("inf"))
    box = [limit if side is None else side for side, limit in zip(sides, outside, strict=True)]
    selection = Selection(
        minimum_z=call.query_number("minZ"),
        maximum_z=call.query_number("maxZ"),
        group_id=call.text("groupId"),
        box=None if sides == [None] * 4 else (box[0], box[1], box[2], box[3]),
    )
    # Java Render ignores the pattern here
    return _resolved_tiles(call, selection, None if call.strict else call.pattern("matchPattern"))


@routes.put(f"{S}/resolvedTiles")
def put_resolved_tiles(call: Call) -> Answer:
    """Keep tiles and shared transforms; the server derives the bounding boxes."""
    return _put_tiles(call, None)


@routes.put(f"{S}/z/{{z}}/resolvedTiles")
def put_layer_resolved_tiles(call: Call) -> Answer:
    """Keep tiles of one layer and shared transforms."""
    return _put_tiles(call, call.number("z"))


@routes.get(f"{S}/transform/{{transformId}}")
def transform(call: Call) -> Answer:
    """Answer one shared transform."""
    with call.reading_stack() as (database, stack):
        return json_bytes(
            transforms.get_transform(database, stack.transform_set, call.path["transformId"], str(stack.id))
        )


@routes.get(f"{S}/z/{{z}}/box/{{x}},{{y}},{{width}},{{height}}/tile-count")
def tile_count(call: Call) -> Answer:
    """Answer the number of tiles that touch a box."""
    x, y, width, height = call.number("x"), call.number("y"), call.integer("width"), call.integer("height")
    selection = Selection(z=call.number("z"), box=(x, y, x + width, y + height))
    with call.reading_stack() as (database, stack):
        return json_answer(tiles.count_tiles(database.connection, stack, selection))


@routes.get(f"{S}/z/{{z}}/last-tile-transforms")
def last_tile_transforms(call: Call) -> Answer:
    """Answer the last transform of every tile of a layer."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        found = selected_tiles(call, database, stack, Selection(z=z))
        if not found:
            raise stacks.no_tiles_at(stack.id, z)
    answer = []
    for tile in found:
        specs = orjson.loads(tile.document)["transforms"].get("specList") or []
        answer.append({"tileId": tile.tile_id, **({"lastTransform": specs[-1]} if specs else {})})
    return json_answer(answer)


def selected_tiles(
    call: Call, database: Database, stack: Stack, selection: Selection, matches: Callable[[str], bool] | None = None
) -> list[StoredTile]:
    """Return the tiles of a selection, sorted by id; those of whose ids ``matches`` is true.

    Raises
    ------
    TooLarge
        More than the limit of the service.
    """
    limit = call.settings.limits.tiles
    if tiles.most_tiles(database.connection, stack, selection) > limit:
        number = tiles.count_tiles(database.connection, stack, selection)
        if number > limit:
            raise TooLarge(f"{number} tiles of {stack.id} were asked for; the limit is {limit}")
    found = tiles.get_tiles(database, stack, selection)
    return found if matches is None else [tile for tile in found if matches(tile.tile_id)]


def shared_transforms(database: Database, stack: Stack, found: list[StoredTile]) -> Mapping[str, dict[str, Any]]:
    """Return the shared transforms that tiles refer to, and those that these refer to, as JSON by id."""
    specs = _referred_specs(database, stack, {tile.refs for tile in found})
    return {id: orjson.loads(spec) for id, spec in specs.items()}


def _referred_specs(database: Database, stack: Stack, refs: set[str | None]) -> dict[str, bytes]:
    wanted, specs = ids_in(refs), dict[str, bytes]()
    while wanted:
        found = transforms.get_transforms(database, stack.transform_set, wanted)
        specs |= found
        nested = (referred_by(spec) for spec in found.values() if b"refId" in spec)
        wanted = set().union(*nested) - specs.keys()
    return specs


def _resolved_tiles(call: Call, selection: Selection, matches: Callable[[str], bool] | None = None) -> Answer:
    database, stack_id = call.database, call.stack_id
    with database.reading() as connection:
        stack = (
            stacks.find_stack(connection, stack_id) if selection.z is None else stacks.get_stack(connection, stack_id)
        )
        found = [] if stack is None else selected_tiles(call, database, stack, selection, matches)
        if stack is None or not found:
            place = "for these values" if selection.z is None else f"with a z value of {selection.z}"
            raise NotFound(f"no tile specifications found in {stack_id} {place}")
        specs = _referred_specs(database, stack, {tile.refs for tile in found})
    _require_resolved(found, specs)
    return json_bytes(
        b'{"transformIdToSpecMap":{%b},"tileIdToSpecMap":{%b}}'
        % (
            b",".join(b"%b:%b" % (orjson.dumps(id), spec) for id, spec in specs.items()),
            b",".join(b"%b:%b" % (orjson.dumps(tile.tile_id), tile.document) for tile in found),
        )
    )


def _require_resolved(found: list[StoredTile], specs: Mapping[str, bytes]) -> None:
    named = ids_in({tile.refs for tile in found})
    nested = (referred_by(spec) for spec in specs.values() if b"refId" in spec)
    if named.union(*nested) - specs.keys():
        with_references = [tile for tile in found if tile.refs is not None]
        flattened_documents(with_references, {id: orjson.loads(spec) for id, spec in specs.items()})


def _put_tiles(call: Call, z: float | None) -> Answer:
    with paused_collection():
        return _put_tiles_at_once(call, z)


def _put_tiles_at_once(call: Call, z: float | None) -> Answer:
    stack_id = call.stack_id
    collection = received_collection(call.body)
    if call.strict:
        from rendermodules.render_ws.java_documents import java_collection

        collection = java_collection(collection)
    database = call.database
    with database.reading() as connection:
        stack = stacks.get_stack(connection, stack_id)
        tiles.require_loading_to_put(stack)
        stored = _referred_specs(database, stack, {orjson.dumps(sorted(collection.missing_ids())).decode()})
    # boxes are derived before the write lock is taken, so that others do not wait for arithmetic
    rows = tile_rows(collection, stored, derived=not call.strict or bool(call.flag("deriveData")))
    for tile_z, row in rows:
        if z is not None and tile_z != z:
            raise InvalidRequest(
                f"all tiles must have a z value of {z} but tile with id '{row.tile_id}' has a z value of {tile_z}"
            )
    with call.writing_stack() as (database, stack):
        tiles.put_tiles(database, stack, rows, collection.transforms)
    return CREATED


def _deleted(call: Call, selection: Selection) -> Answer:
    with call.writing_stack() as (database, stack):
        tiles.require_loading_to_delete(stack)
        tiles.delete_tiles(database.connection, stack, selection)
    return OK
