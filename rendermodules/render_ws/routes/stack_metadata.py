"""Stacks and what is said about them: catalogue, versions, states, clones (Java: StackMetadataService)."""

import msgspec
import orjson

from rendermodules.render_ws.answers import (
    CREATED,
    JSON,
    NO_CONTENT,
    OK,
    TEXT,
    Answer,
    json_answer,
    json_bytes,
    text_answer,
)
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, UnparsableParameter
from rendermodules.render_ws.models import (
    STATES,
    Cycle,
    HierarchicalData,
    MipmapPathBuilder,
    StackVersion,
    decoded,
    stack_version,
)
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store import clones, stacks

routes = Routes()


@routes.get("/owners")
def owners(call: Call) -> Answer:
    """Answer the owners of all stacks."""
    with call.database.reading() as connection:
        return json_answer(stacks.get_owners(connection))


@routes.get("/owner/{owner}/projects")
def projects(call: Call) -> Answer:
    """Answer the projects of an owner."""
    with call.database.reading() as connection:
        return json_answer(stacks.get_projects(connection, call.path["owner"]))


@routes.get("/owner/{owner}/stackIds")
def stack_ids_of_owner(call: Call) -> Answer:
    """Answer the ids of an owner's stacks."""
    with call.database.reading() as connection:
        return json_answer([stack.id._asdict() for stack in stacks.get_stacks(connection, call.path["owner"])])


@routes.get("/owner/{owner}/stacks")
def stacks_of_owner(call: Call) -> Answer:
    """Answer the metadata of an owner's stacks."""
    with call.database.reading() as connection:
        return json_answer([stack.metadata() for stack in stacks.get_stacks(connection, call.path["owner"])])


@routes.get("/owner/{owner}/project/{project}/stackIds")
def stack_ids_of_project(call: Call) -> Answer:
    """Answer the ids of a project's stacks."""
    with call.database.reading() as connection:
        found = stacks.get_stacks(connection, call.path["owner"], call.path["project"])
    return json_answer([stack.id._asdict() for stack in found])


@routes.get("/owner/{owner}/project/{project}/stacks")
def stacks_of_project(call: Call) -> Answer:
    """Answer the metadata of a project's stacks."""
    with call.database.reading() as connection:
        found = stacks.get_stacks(connection, call.path["owner"], call.path["project"])
    return json_answer([stack.metadata() for stack in found])


@routes.put(f"{S}/stackId")
def rename(call: Call) -> Answer:
    """Give the stack another owner, project or name."""
    source = call.stack_id
    body = decoded(call.body, dict | None)
    if body is None:
        raise InvalidRequest("toStackId value must be specified")
    target = call.valid_stack_id(body.get("owner"), body.get("project"), body.get("stack"))
    with call.database.writing() as connection:
        stacks.rename_stack(connection, source, target)
    return OK


@routes.put(f"{S}/cloneTo/{{toStack}}")
def clone(call: Call) -> Answer:
    """Copy the stack, or some of its layers."""
    source = call.stack_id
    project = call.text("toProject") or source.project
    target = call.valid_stack_id(source.owner, project, call.path["toStack"])
    options = clones.CloneOptions(
        call.query_numbers("z") or None, with_transforms=not call.flag("skipTransforms"), strict=call.strict
    )
    version = stack_version(call.body)
    database = call.database
    with database.writing():
        clones.clone_stack(database, source, target, version, options)
    return CREATED


@routes.get(S)
def metadata(call: Call) -> Answer:
    """Answer the metadata of the stack."""
    with call.reading_stack() as (_, stack):
        return json_answer(stack.metadata())


@routes.post(S)
def create(call: Call) -> Answer:
    """Make the stack, or give it a new version."""
    stack_id = call.stack_id
    version = stack_version(call.body)
    with call.database.writing() as connection:
        stacks.create_stack(connection, stack_id, version)
    return CREATED


@routes.delete(S)
def delete(call: Call) -> Answer:
    """Remove the stack, if there is one."""
    stack_id = call.stack_id
    with call.database.writing() as connection:
        stacks.delete_stack(connection, stack_id)
    return OK


@routes.put(f"{S}/state/{{state}}", consumes=None)
def set_state(call: Call) -> Answer:
    """Take the stack to another state."""
    state = call.path["state"]
    if state not in STATES:
        raise UnparsableParameter(f"the state must be one of {', '.join(STATES)}, but it is {state[:100]!r}")
    stack_id = call.stack_id
    with call.database.writing() as connection:
        stacks.set_state(connection, stack_id, state)
    return CREATED


@routes.get(f"{S}/bounds")
def bounds(call: Call) -> Answer:
    """Answer the box around all tiles, as the last completion found it."""
    with call.reading_stack() as (_, stack):
        if stack.stats is None:
            raise InvalidRequest(
                f"Stats for {stack.id} have not been stored.  If all data has been loaded for this stack, "
                "setting its state to COMPLETE will trigger derivation and storage of all the stack's stats."
            )
        return json_bytes(orjson.dumps(orjson.loads(stack.stats)["stackBounds"]))


@routes.get(f"{S}/cycle")
def cycle(call: Call) -> Answer:
    """Answer the processing cycle of the stack."""
    with call.reading_stack() as (_, stack):
        return json_answer(Cycle(stack.version.cycleNumber, stack.version.cycleStepNumber))


@routes.put(f"{S}/cycle")
def set_cycle(call: Call) -> Answer:
    """Set the processing cycle."""
    new = decoded(call.body, Cycle | None)
    if new is None:
        raise InvalidRequest("no cycle provided")
    return _with_version(call, cycleNumber=new.number, cycleStepNumber=new.stepNumber)


@routes.delete(f"{S}/cycle")
def delete_cycle(call: Call) -> Answer:
    """Forget the processing cycle."""
    return _with_version(call, cycleNumber=None, cycleStepNumber=None)


@routes.get(f"{S}/resolutionValues")
def resolution_values(call: Call) -> Answer:
    """Answer the size of a pixel in nm: x, y, z."""
    with call.reading_stack() as (_, stack):
        version = stack.version
        return json_answer([version.stackResolutionX, version.stackResolutionY, version.stackResolutionZ])


@routes.put(f"{S}/resolutionValues")
def set_resolution_values(call: Call) -> Answer:
    """Set the size of a pixel; values that the list lacks stay."""
    values = decoded(call.body, list[float] | None)
    if values is None:
        raise InvalidRequest("no resolution values provided")
    names = ("stackResolutionX", "stackResolutionY", "stackResolutionZ")
    return _with_version(call, **dict(zip(names, values, strict=False)))


@routes.delete(f"{S}/resolutionValues")
def delete_resolution_values(call: Call) -> Answer:
    """Forget the size of a pixel."""
    return _with_version(call, stackResolutionX=None, stackResolutionY=None, stackResolutionZ=None)


@routes.get(f"{S}/materializedBoxRootPath", produces=TEXT)
def materialized_box_root_path(call: Call) -> Answer:
    """Answer where rendered boxes of the stack are."""
    with call.reading_stack() as (_, stack):
        path = stack.version.materializedBoxRootPath
        return NO_CONTENT if path is None else text_answer(path)


@routes.put(f"{S}/materializedBoxRootPath", consumes=TEXT)
def set_materialized_box_root_path(call: Call) -> Answer:
    """Say where rendered boxes of the stack are; the body is the path itself."""
    return _with_version(call, materializedBoxRootPath=call.body_text())


@routes.delete(f"{S}/materializedBoxRootPath")
def delete_materialized_box_root_path(call: Call) -> Answer:
    """Forget where rendered boxes are."""
    return _with_version(call, materializedBoxRootPath=None)


@routes.get(f"{S}/mipmapPathBuilder")
def mipmap_path_builder(call: Call) -> Answer:
    """Answer the rule for paths of reduced images."""
    with call.reading_stack() as (_, stack):
        builder = stack.version.mipmapPathBuilder
        return NO_CONTENT if builder is None else json_answer(builder)


@routes.put(f"{S}/mipmapPathBuilder")
def set_mipmap_path_builder(call: Call) -> Answer:
    """Set the rule for paths of reduced images."""
    builder = decoded(call.body, MipmapPathBuilder | None)
    if builder is None:
        raise InvalidRequest("no mipmap path builder provided")
    return _with_version(call, mipmapPathBuilder=builder)


@routes.delete(f"{S}/mipmapPathBuilder")
def delete_mipmap_path_builder(call: Call) -> Answer:
    """Forget the rule for paths of reduced images."""
    return _with_version(call, mipmapPathBuilder=None)


@routes.get(f"{S}/defaultChannel")
def default_channel(call: Call) -> Answer:
    """Answer the channel that is shown when none is asked for; bare text although called JSON, as in Java."""
    with call.reading_stack() as (_, stack):
        channel = stack.version.defaultChannel
        return NO_CONTENT if channel is None else Answer(channel.encode(), JSON)


@routes.put(f"{S}/defaultChannel")
def set_default_channel(call: Call) -> Answer:
    """Set the default channel; the body is the bare name."""
    name = call.body_text()
    if not call.strict and len(name) >= 2 and name[0] == name[-1] == '"':
        # Java keeps the quotes of a JSON string and finds no channel of that name
        name = str(decoded(call.body, str))
    return _with_version(call, defaultChannel=name)


@routes.delete(f"{S}/defaultChannel")
def delete_default_channel(call: Call) -> Answer:
    """Forget the default channel."""
    return _with_version(call, defaultChannel=None)


@routes.get(f"{S}/hierarchicalData")
def hierarchical_data(call: Call) -> Answer:
    """Answer what is kept for hierarchical alignment."""
    with call.reading_stack() as (_, stack):
        return NO_CONTENT if stack.hierarchical_data is None else json_bytes(stack.hierarchical_data)


@routes.put(f"{S}/hierarchicalData")
def set_hierarchical_data(call: Call) -> Answer:
    """Keep something for hierarchical alignment."""
    data = decoded(call.body, HierarchicalData | None)
    with call.writing_stack() as (database, stack):
        stacks.set_hierarchical_data(database.connection, stack, None if data is None else msgspec.json.encode(data))
    return OK


@routes.delete(f"{S}/hierarchicalData")
def delete_hierarchical_data(call: Call) -> Answer:
    """Forget what was kept for hierarchical alignment."""
    with call.writing_stack() as (database, stack):
        stacks.set_hierarchical_data(database.connection, stack, None)
    return OK


def _with_version(call: Call, **changes: object) -> Answer:
    """Change members of the stack's current version."""
    with call.writing_stack() as (database, stack):
        members = {name: getattr(stack.version, name) for name in StackVersion.__struct_fields__}
        stacks.set_version(database.connection, stack, StackVersion(**{**members, **changes}))  # type: ignore[arg-type]
    return OK
