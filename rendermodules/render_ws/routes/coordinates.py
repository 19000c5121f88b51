"""Coordinates of tiles (local) and of the stack (world), single and in batches (Java: CoordinateService)."""

from rendermodules.render_ws.answers import Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.coordinate_batches import (
    Coordinates,
    local_of_spec,
    local_of_worlds,
    local_outcomes,
    mapped_to_stack,
    tile_ids_of_worlds,
    world_of_spec,
    worlds_of_locals,
)
from rendermodules.render_ws.errors import InvalidRequest, TooLarge, Unprocessable
from rendermodules.render_ws.models import decoded
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store import stacks, tiles

routes = Routes()


@routes.get(f"{S}/z/{{z}}/world-to-local-coordinates/{{x}},{{y}}")
def world_to_local(call: Call) -> Answer:
    """Answer the coordinates of a point in every tile that holds it."""
    world = [call.number("x"), call.number("y")]
    (outcome,) = local_outcomes(call, [Coordinates(world=world)], call.number("z"))
    if isinstance(outcome, Exception):
        raise outcome
    return json_answer(outcome)


@routes.get(f"{S}/tile/{{tileId}}/local-to-world-coordinates/{{x}},{{y}}")
def local_to_world(call: Call) -> Answer:
    """Answer where a point of a tile is in the world."""
    item = Coordinates(tileId=call.path["tileId"], local=[call.number("x"), call.number("y")])
    database = call.database
    with database.reading() as connection:
        stack = stacks.find_stack(connection, call.stack_id)
        if stack is None:
            raise tiles.no_tile(call.stack_id, call.path["tileId"])
        tiles.get_tile(database, stack, call.path["tileId"])
    (found,) = worlds_of_locals(call, [item])
    if found.error is not None:
        raise Unprocessable(found.error)
    return json_answer(found)


@routes.put(f"{S}/z/{{z}}/world-to-local-coordinates")
def layer_worlds_to_local(call: Call) -> Answer:
    """Answer, for each point of a layer, its coordinates in every tile that holds it."""
    return json_answer(local_of_worlds(call, _batch(call), call.number("z")))


@routes.put(f"{S}/world-to-local-coordinates")
def worlds_to_local(call: Call) -> Answer:
    """Answer, for each point x, y, z, its coordinates in every tile that holds it."""
    return json_answer(local_of_worlds(call, _batch(call), None))


@routes.put(f"{S}/z/{{z}}/local-to-world-coordinates")
def layer_locals_to_world(call: Call) -> Answer:
    """Answer where points of tiles are in the world."""
    call.number("z")
    return json_answer(worlds_of_locals(call, _batch(call)))


@routes.put(f"{S}/local-to-world-coordinates")
def locals_to_world(call: Call) -> Answer:
    """Answer where points of tiles are in the world."""
    return json_answer(worlds_of_locals(call, _batch(call)))


@routes.put(f"{S}/z/{{z}}/tileIdsForCoordinates")
def layer_tile_ids(call: Call) -> Answer:
    """Answer the tiles whose boxes hold the points of a layer."""
    return json_answer(tile_ids_of_worlds(call, _batch(call), call.number("z")))


@routes.put(f"{S}/tileIdsForCoordinates")
def tile_ids(call: Call) -> Answer:
    """Answer the tiles whose boxes hold the points x, y, z."""
    return json_answer(tile_ids_of_worlds(call, _batch(call), None))


@routes.get(f"{S}/z/{{z}}/world-coordinates/{{x}},{{y}}/mapped-to-stack/{{toStack}}")
def world_mapped_to_stack(call: Call) -> Answer:
    """Answer where a point of this stack's world is in the world of another stack with the same tiles."""
    target = call.valid_stack_id(
        call.path["owner"], call.text("toProject") or call.path["project"], call.path["toStack"]
    )
    world = [call.number("x"), call.number("y")]
    return json_answer(mapped_to_stack(call, world, call.number("z"), target))


@routes.put("/owner/{owner}/local-to-world-coordinates/{x},{y}")
def spec_local_to_world(call: Call) -> Answer:
    """Answer where a point of the tile spec in the body is in the world."""
    return json_answer(world_of_spec(call.body, (call.number("x"), call.number("y"))))


@routes.put("/owner/{owner}/world-to-local-coordinates/{x},{y}")
def spec_world_to_local(call: Call) -> Answer:
    """Answer where a point of the world is in the tile spec of the body."""
    point = (call.number("x"), call.number("y"))
    return json_answer(local_of_spec(call.body, point, call.query_number("meshCellSize"), call.strict))


def _batch(call: Call) -> list[Coordinates | None]:
    items: list[Coordinates | None] | None = decoded(call.body, list[Coordinates | None] | None)
    if items is None:
        raise InvalidRequest("no coordinates provided")
    if len(items) > call.settings.limits.points:
        raise TooLarge(f"{len(items)} points were sent; the limit is {call.settings.limits.points}")
    return items
