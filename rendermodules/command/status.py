"""``rendermodules status``: what is in a project."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rendermodules.command.places import add_place, connection
from rendermodules.command.subcommand import Subcommand
from rendermodules.command.text_tables import table, z_range

if TYPE_CHECKING:
    from rendermodules.command.residual_glance import Glance
    from rendermodules.command.survey import ProjectSurvey, StackSurvey

_SHOWN_CHANNELS = 4


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    parser.add_argument(
        "--fast", action="store_true", help="leave out the residuals, which matches have to be read for"
    )


def _run(options: argparse.Namespace) -> int:
    from rendermodules.command.survey import survey

    render = connection(options)
    found = survey(render)
    glances = {} if options.fast else _glances(render, found)
    if options.json:
        document = dataclasses.asdict(found)
        for stack in document["stacks"]:
            seen = glances.get(stack["name"])
            stack["median_residual"] = seen and seen.within
            stack["median_residual_to_next"] = seen and seen.between
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found, glances))
    return 0


def _glances(render: Any, found: "ProjectSurvey") -> dict[str, "Glance"]:
    from rendermodules.command.residual_glance import glance

    if not found.collections:
        return {}
    finished = [stack for stack in found.stacks if stack.z_values and stack.state != "LOADING"]
    return {stack.name: glance(render, found, stack) for stack in finished}


def _lines(found: "ProjectSurvey", glances: Mapping[str, "Glance"]) -> Iterable[str]:
    yield f"project {found.project} of {found.owner}"
    yield ""
    if found.stacks:
        yield from table(
            _HEAD,
            [_row(stack, glances.get(stack.name)) for stack in found.stacks],
        )
    else:
        yield "no stacks yet"
    if any(residual is not None for seen in glances.values() for residual in seen):
        yield "residual: median distance of matches within the middle section; to next: of those with the next one."
        yield "All sections: rendermodules report --after STACK"
    yield ""
    if found.collections:
        yield from table(("match collection", "pairs"), [(one.name, str(one.pair_count)) for one in found.collections])
    else:
        yield "no match collections yet"


_HEAD = (
    "stack",
    "state",
    "sections",
    "z",
    "tiles",
    "channels",
    "nm",
    "residual",
    "to next",
    "made by",
    "from",
    "changed",
)


def _row(stack: "StackSurvey", seen: "Glance | None") -> tuple[str, ...]:
    channels = stack.channels[:_SHOWN_CHANNELS] + ["..."] * (len(stack.channels) > _SHOWN_CHANNELS)
    return (
        stack.name,
        stack.state,
        str(len(stack.z_values)),
        z_range(stack.z_values),
        "" if stack.tile_count is None else str(stack.tile_count),
        ",".join(channels),
        " x ".join("?" if size is None else f"{size:g}" for size in stack.resolution) if any(stack.resolution) else "",
        *("" if residual is None else f"{residual:.3g} px" for residual in seen or (None, None)),
        stack.module or "",
        ",".join(stack.inputs),
        stack.modified[:19],
    )


COMMAND = Subcommand("status", "what is in a project: stacks, sections, matches, what made them", _run, _add_arguments)
