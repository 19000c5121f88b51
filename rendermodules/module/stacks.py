"""Reading and writing stacks: the one place that does it for all modules.

Sections travel as Render's JSON with their references to shared transforms kept
(``renderapi``'s objects lose fields, and its ``tile-specs`` calls flatten references).
"""

import difflib
import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
import renderapi
from renderapi.render import Render, format_preamble

from rendermodules.core.identifiers import check_name, is_java_name
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, TransformSpec, shared_transforms_of
from rendermodules.module.errors import RenderModuleError

COPIED_METADATA = (
    "stackResolutionX",
    "stackResolutionY",
    "stackResolutionZ",
    "mipmapPathBuilder",
    "defaultChannel",
    "cycleNumber",
    "cycleStepNumber",
)
"""What a new stack takes from the stack it is made of."""

STAGED, REPLACED = "_rendermodules_copy", "_rendermodules_old"
"""Behind the name of a stack or match collection that is changed in place: its copy, and itself when that is whole.

Nobody else's is called so: what has these names is deleted.
"""

_CLONE_Z_VALUES_PER_REQUEST = 200

_logger = logging.getLogger(__name__)


def stack_url(render: Render, stack: str, path: str = "") -> str:
    """Return the URL of a stack, or of what is below it.

    Raises
    ------
    InputError
        The name would lead to another stack.
    """
    check_name("stack", stack)
    place = (render.DEFAULT_HOST, render.DEFAULT_PORT, render.DEFAULT_OWNER, render.DEFAULT_PROJECT, stack)
    url: str = format_preamble(*place) + path
    return url


def check_answer(response: Any, what: str, doing: str = "reading") -> None:
    """Raise a `RenderModuleError` with what Render says, if it has refused a request."""
    if response.status_code >= 400:
        raise RenderModuleError(
            f"{doing} {what} failed: Render answered {response.status_code}: {response.text[:500].strip()}"
        )


def json_answer(response: Any, what: str) -> Any:
    """Return the JSON that Render answers with; raise a `RenderModuleError` if it has refused, or it is none."""
    check_answer(response, what)
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise RenderModuleError(
            f"reading {what} failed: the answer is not JSON; does Render answer at {response.url}? {response.text[:99]}"
        ) from None


def stack_names(render: Render) -> list[str]:
    """Return the names of the project's stacks."""
    everything = renderapi.render.get_stack_metadata_by_owner(render=render)
    return sorted(one["stackId"]["stack"] for one in everything if one["stackId"]["project"] == render.DEFAULT_PROJECT)


def stack_metadata(render: Render, stack: str) -> dict[str, Any]:
    """Return a stack's metadata as Render's JSON.

    Raises
    ------
    RenderModuleError
        There is no such stack; the message names those that are like it.
    """
    response = render.session.get(stack_url(render, stack))
    if response.status_code == 404:
        names = stack_names(render)
        near = difflib.get_close_matches(stack, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names[:20])}"
        if not names:
            hint = ", which has no stack at all: look whether host, owner and project are right"
        raise RenderModuleError(
            f"stack {stack} does not exist in project {render.DEFAULT_PROJECT} of {render.DEFAULT_OWNER}{hint}"
        )
    metadata: dict[str, Any] = json_answer(response, f"the metadata of stack {stack}")
    return metadata


def modification_time(render: Render, stack: str) -> float:
    """Return when a stack's state or version was changed last, in seconds since 1970."""
    return datetime.fromisoformat(stack_metadata(render, stack)["lastModifiedTimestamp"]).timestamp()


def z_values(render: Render, stack: str) -> list[float]:
    """Return the z of all sections of a stack, ascending."""
    stack_metadata(render, stack)
    return sorted(renderapi.stack.get_z_values_for_stack(stack, render=render))


def selected_z_values(render: Render, stack: str, selection: Mapping[str, Any]) -> list[float]:
    """Return the z of those sections of a stack that parameters ask for, ascending.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        The stack.
    selection : dict
        ``zValues``, ``z``, ``minZ``, ``maxZ`` as in ``ZValueParameters``; None or absent is no limit.

    Raises
    ------
    RenderModuleError
        A z that was asked for by its value is not there, or none is left.
    """
    present = z_values(render, stack)
    wanted = _wanted(selection)
    if wanted is not None:
        missing = sorted(set(wanted) - set(present))
        if missing:
            raise RenderModuleError(f"stack {stack} has no section at z {listed(missing)}; it has {_extent(present)}")
        return sorted(set(wanted))
    chosen = [z for z in present if is_selected(z, selection)]
    if not present:
        raise RenderModuleError(f"stack {stack} has no section")
    if not chosen:
        low, high = selection.get("minZ"), selection.get("maxZ")
        raise RenderModuleError(
            f"stack {stack} has no section between minZ {low} and maxZ {high}; it has {_extent(present)}"
        )
    return chosen


def is_selected(z: float, selection: Mapping[str, Any]) -> bool:
    """Return whether parameters ask for the section at ``z``; see `selected_z_values`."""
    wanted, low, high = _wanted(selection), selection.get("minZ"), selection.get("maxZ")
    if wanted is not None:
        return z in wanted
    return (low is None or z >= low) and (high is None or z <= high)


def _wanted(selection: Mapping[str, Any]) -> list[float] | None:
    """Return the z that are asked for by their values; None if it is done by limits."""
    return [selection["z"]] if selection.get("z") is not None else selection.get("zValues")


def z_ranges(render: Render, stack: str, zs: Sequence[float]) -> list[tuple[float, float]]:
    """Return first and last z of as few ranges as hold those of ``zs`` and no other section of the stack."""
    wanted = set(zs)
    ranges: list[tuple[float, float]] = []
    for chosen, group in itertools.groupby(z_values(render, stack), wanted.__contains__):
        run = list(group)
        if chosen:
            ranges.append((run[0], run[-1]))
    return ranges


def tile_ids(render: Render, stack: str, first_z: float | None = None, last_z: float | None = None) -> list[str]:
    """Return the ids of the tiles of a stack, or of those between two z, themselves included; ascending."""
    limits = {"minZ": first_z, "maxZ": last_z}
    response = render.session.get(
        stack_url(render, stack, "/tileIds"), params={key: value for key, value in limits.items() if value is not None}
    )
    ids: list[str] = json_answer(response, f"the tile ids of stack {stack}")
    return ids


def read_section(render: Render, stack: str, z: float, *, missing_ok: bool = False) -> Section:
    """Return the tiles of one z with the shared transforms that they refer to; tiles are in the order of their ids.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        The stack.
    z : float
        Of the section.
    missing_ok : bool, default: False
        Return an empty section where the stack has no tile at this z.

    Raises
    ------
    RenderModuleError
        The stack has no tile at this z, or does not exist.
    """
    response = render.session.get(stack_url(render, stack, f"/z/{float(z)!r}/resolvedTiles"))
    if response.status_code == 404 and missing_ok:
        return Section(z, [])
    resolved = json_answer(response, f"the tiles of stack {stack} at z={z}")
    tiles = resolved["tileIdToSpecMap"]
    return Section(z, [tiles[tile_id] for tile_id in sorted(tiles)], resolved.get("transformIdToSpecMap") or {})


def write_section(render: Render, stack: str, section: Section, *, replace: bool = False) -> int:
    """Write the tiles of a section and the shared transforms that they need; return the number of tiles.

    One request, which the embedded service carries out whole or not at all. Render derives
    the bounding boxes.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        A stack in state LOADING.
    section : Section
        Tiles of one z, or of several.
    replace : bool, default: False
        First remove what the stack has at the z of the tiles.

    Raises
    ------
    RenderModuleError
        Two tiles have one id, or Render refuses the tiles.
    """
    tiles = {tile["tileId"]: tile for tile in section.tiles}
    if len(tiles) < len(section.tiles):
        counts = Counter(tile["tileId"] for tile in section.tiles)
        twice = sorted(name for name, count in counts.items() if count > 1)
        raise RenderModuleError(f"{len(twice)} tile ids occur more than once: {listed(twice)}")
    if replace:
        for z in {section.z, *(tile["z"] for tile in section.tiles)}:
            renderapi.stack.delete_section(stack, z, render=render)
    if not tiles:
        return 0
    body = orjson.dumps(
        {"transformIdToSpecMap": shared_transforms_of(section.tiles, section.transforms), "tileIdToSpecMap": tiles}
    )
    response = render.session.put(
        stack_url(render, stack, "/resolvedTiles"),
        data=body,
        params={"deriveData": "true"},
        headers={"Content-Type": "application/json"},
    )
    check_answer(response, f"{len(tiles)} tiles into stack {stack}", doing="writing")
    return len(tiles)


def differing_transforms(render: Render, stack: str, transforms: Mapping[str, TransformSpec]) -> list[str]:
    """Return the ids of those shared transforms that a stack has with other content.

    Writing them would move the tiles of the stack that refer to them.
    """
    differing = []
    for transform_id, spec in transforms.items():
        response = render.session.get(stack_url(render, stack, f"/transform/{quote(transform_id, safe='')}"))
        if response.status_code == 404:
            continue
        if json_answer(response, f"the transform {transform_id} of stack {stack}") != spec:
            differing.append(transform_id)
    return differing


def copied_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a stack's version that a stack made of it keeps, the resolution above all."""
    version = metadata.get("currentVersion") or {}
    return {key: version[key] for key in COPIED_METADATA if version.get(key) is not None}


def open_stack(render: Render, stack: str, version: Mapping[str, Any]) -> None:
    """Make a stack, or open an existing one for writing; it is LOADING afterwards.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        Its name.
    version : dict
        Fields of Render's StackVersion. An existing stack keeps its own, except ``versionNotes``.
    """
    response = render.session.get(stack_url(render, stack))
    if response.status_code == 404:
        fields = dict(version)
        if not is_java_name(stack):
            _logger.warning("a Render in Java could not have a stack called %s: letters, digits, single _", stack)
    else:
        metadata = json_answer(response, f"the metadata of stack {stack}")
        if metadata["state"] in ("READ_ONLY", "OFFLINE"):
            raise RenderModuleError(
                f"stack {stack} is {metadata['state']}; set it COMPLETE or choose another output stack"
            )
        fields = dict(metadata.get("currentVersion") or {})
        if "versionNotes" in version:
            fields["versionNotes"] = version["versionNotes"]
    _post_version(render, stack, fields)


def set_mipmap_path_builder(render: Render, stack: str, builder: Mapping[str, Any]) -> None:
    """Tell Render how the levels of a stack's images are called: ``rootPath``, ``numberOfLevels``, ``extension``."""
    response = render.session.put(
        stack_url(render, stack, "/mipmapPathBuilder"),
        data=orjson.dumps(dict(builder)),
        headers={"Content-Type": "application/json"},
    )
    check_answer(response, f"the mipmapPathBuilder of stack {stack}", doing="setting")


def close_stack(render: Render, stack: str) -> None:
    """Set a stack COMPLETE, which makes its bounds and statistics."""
    if not renderapi.stack.get_z_values_for_stack(stack, render=render):
        raise RenderModuleError(f"stack {stack} holds no tile and cannot be closed; it stays LOADING")
    renderapi.stack.set_stack_state(stack, "COMPLETE", render=render)


def set_state(render: Render, stack: str, state: str) -> None:
    """Set the state of a stack, through COMPLETE where Render knows no direct way."""
    present = stack_metadata(render, stack)["state"]
    if present == state:
        return
    if "COMPLETE" not in (present, state):
        renderapi.stack.set_stack_state(stack, "COMPLETE", render=render)
    renderapi.stack.set_stack_state(stack, state, render=render)


def set_version_fields(render: Render, stack: str, changes: Mapping[str, Any]) -> None:
    """Change fields of a stack's StackVersion and keep the others, its tiles, and the state COMPLETE if it had it."""
    metadata = stack_metadata(render, stack)
    _post_version(render, stack, {**(metadata.get("currentVersion") or {}), **changes})
    if metadata["state"] == "COMPLETE":
        renderapi.stack.set_stack_state(stack, "COMPLETE", render=render)


def _post_version(render: Render, stack: str, fields: Mapping[str, Any]) -> None:
    """Make a stack, or the next version of one, in state LOADING; tiles are kept."""
    response = render.session.post(
        stack_url(render, stack), data=orjson.dumps(dict(fields)), headers={"Content-Type": "application/json"}
    )
    check_answer(response, f"stack {stack}", doing="opening")


def delete_stack(render: Render, stack: str) -> None:
    """Remove a stack with its tiles; one that does not exist is no error."""
    check_name("stack", stack)
    renderapi.stack.delete_stack(stack, render=render)


def clone_sections(render: Render, source: str, target: str, zs: Sequence[float], version: Mapping[str, Any]) -> None:
    """Copy whole sections of a stack into a new one, which is left LOADING."""
    for start in range(0, len(zs), _CLONE_Z_VALUES_PER_REQUEST):
        # Render refuses to copy the shared transforms a second time
        response = render.session.put(
            stack_url(render, source, f"/cloneTo/{target}"),
            data=orjson.dumps(dict(version)),
            params={
                "z": [float(z) for z in zs[start : start + _CLONE_Z_VALUES_PER_REQUEST]],
                "skipTransforms": start > 0,
            },
            headers={"Content-Type": "application/json"},
        )
        check_answer(response, f"sections of {source} to {target}", doing="copying")


@contextmanager
def written_stack(
    render: Render, stack: str, *, version: Mapping[str, Any], close: bool, in_place_zs: Sequence[float] | None = None
) -> Iterator[str]:
    """Open a stack for writing and close it when the block ends well; left LOADING when it fails.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        The stack to write.
    version : dict
        Fields of StackVersion for a new stack, see `copied_metadata`.
    close : bool
        Set the stack COMPLETE at the end.
    in_place_zs : list of float, optional
        The stack is read and written at once, and these sections of it change. Then a copy is
        written, which takes the stack's place when it is whole: a run that was killed leaves the
        stack as it was.

    Yields
    ------
    str
        Name of the stack to write into.
    """
    if in_place_zs is None:
        open_stack(render, stack, version)
        yield stack
        if close:
            close_stack(render, stack)
        return
    staged = f"{stack}{STAGED}"
    if staged not in stack_names(render):
        stage_copy(render, stack, staged, in_place_zs, version)
    yield staged
    close_stack(render, staged)
    put_in_place(render, [stack])
    if not close:
        renderapi.stack.set_stack_state(stack, "LOADING", render=render)


def stage_copy(render: Render, stack: str, copy: str, without_zs: Sequence[float], version: Mapping[str, Any]) -> None:
    """Copy a stack but for some sections into a new one, which is left LOADING, to be written and take its place."""
    metadata = stack_metadata(render, stack)
    if metadata["state"] in ("READ_ONLY", "OFFLINE"):
        raise RenderModuleError(f"stack {stack} is {metadata['state']} and cannot be changed; set it COMPLETE")
    kept = sorted(set(z_values(render, stack)) - set(without_zs))
    fields = {**(metadata.get("currentVersion") or {}), **version}
    if kept:
        clone_sections(render, stack, copy, kept, fields)
    open_stack(render, copy, fields)


def put_in_place(render: Render, stacks: Sequence[str], *, staged: str = STAGED, replaced: str = REPLACED) -> None:
    """Let the copies of stacks take their places; the stacks are renamed first and deleted when all copies are there.

    Each step is done only if it has not been done yet: a run that was killed in here is completed by the same call, and
    as long as `is_half_replaced` there is something to complete.

    Parameters
    ----------
    render : Render
        Connection.
    stacks : list of str
        Their names.
    staged, replaced : str
        Behind the name of a stack, those of its copy and of itself when it is set aside.
    """
    present = set(stack_names(render))
    for stack in stacks:
        if f"{stack}{staged}" not in present:
            continue
        if stack in present:
            renderapi.stack.rename_stack(stack, f"{stack}{replaced}", render=render)
        renderapi.stack.rename_stack(f"{stack}{staged}", stack, render=render)
    for stack in stacks:
        delete_stack(render, f"{stack}{replaced}")


def is_half_replaced(render: Render, stacks: Sequence[str], *, replaced: str = REPLACED) -> bool:
    """Return whether a run was killed in `put_in_place`, when the copies of these stacks were whole."""
    return not {f"{stack}{replaced}" for stack in stacks}.isdisjoint(stack_names(render))


def _extent(zs: Sequence[float]) -> str:
    return f"{len(zs)} sections from {zs[0]} to {zs[-1]}" if zs else "no section"
