"""Sections of stacks: their boxes, and which of them share a layer (Java: StackMetadataService, RenderDataService)."""

import msgspec

from rendermodules.render_ws.answers import Answer, json_answer, json_bytes, text_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import SectionData
from rendermodules.render_ws.routing import TEXT, Routes, S
from rendermodules.render_ws.store import stacks

routes = Routes()


@routes.get(f"{S}/sectionData")
def section_data(call: Call) -> Answer:
    """Answer number and box of the tiles of each section.

    Of a LOADING stack that is what it holds now; in strict mode what the last completion found,
    and an error before the first one.
    """
    minimum, maximum = call.query_number("minZ"), call.query_number("maxZ")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        if not call.strict and stack.state == "LOADING":
            return json_answer(stacks.get_section_data(database.connection, stack, minimum, maximum))
        completed = stacks.get_completed_section_data(database.connection, stack)
    if completed is None:
        raise _not_aggregated(stack)
    if minimum is None and maximum is None:
        return json_bytes(completed)
    low, high = -float("inf") if minimum is None else minimum, float("inf") if maximum is None else maximum
    return json_answer([data for data in _decoded(completed) if low <= data.z <= high])


@routes.get(f"{S}/z/{{z}}/sectionData")
def layer_section_data(call: Call) -> Answer:
    """Answer number and box of the tiles of each section of a layer, as they are now."""
    z = call.number("z")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        return json_answer(stacks.get_section_data(database.connection, stack, z, z))


@routes.get(f"{S}/mergedZValues")
def merged_z_values(call: Call) -> Answer:
    """Answer the z of layers that hold more than one section."""
    z_values = [data.z for data in _sections(call)]
    return json_answer(sorted({z for z in z_values if z_values.count(z) > 1}))


@routes.get(f"{S}/reorderedSectionData")
def reordered_section_data(call: Call) -> Answer:
    """Answer the sections whose id is the number of another layer than theirs."""
    return json_answer([data for data in _sections(call) if _number(data.sectionId) not in (None, int(data.z))])


@routes.get(f"{S}/mergeableZValues")
def mergeable_z_values(call: Call) -> Answer:
    """Answer the whole and fractional z of sections that were imaged more than once."""
    z_values = _z_values(call)
    fractional = [z for z in z_values if z != int(z) and float(int(z)) in z_values]
    return json_answer(sorted({float(int(z)) for z in fractional} | set(fractional)))


@routes.get(f"{S}/mergeableData", produces=TEXT)
def mergeable_data(call: Call) -> Answer:
    """Answer, a line each, which layer could be merged into which: indices, then z."""
    z_values = _z_values(call)
    index = {z: position for position, z in enumerate(z_values)}
    lines = []
    for z in z_values:
        whole = float(int(z))
        if z != whole and whole in index:
            lines.append(f"{index[whole]} < {index[z]} : {whole} < {z}\n")
    return text_answer("".join(lines))


def _sections(call: Call) -> list[SectionData]:
    with call.reading_stack() as (database, stack):
        stack.require_online()
        if not call.strict and stack.state == "LOADING":
            return stacks.get_section_data(database.connection, stack)
        completed = stacks.get_completed_section_data(database.connection, stack)
    if completed is None:
        raise _not_aggregated(stack)
    return _decoded(completed)


def _z_values(call: Call) -> list[float]:
    with call.reading_stack() as (database, stack):
        return stacks.get_z_values(database.connection, stack)


def _decoded(completed: bytes) -> list[SectionData]:
    return msgspec.json.decode(completed, type=list[SectionData])


def _number(section_id: str) -> int | None:
    try:
        return int(float(section_id))
    except (ValueError, OverflowError):
        return None


def _not_aggregated(stack: stacks.Stack) -> InvalidRequest:
    return InvalidRequest(
        f"section data not aggregated for {stack.id}, set stack state to COMPLETE to generate the aggregate collection"
    )
