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
    residuals = {} if options.fast else _residuals(render, found)
    if options.json:
        document = dataclasses.asdict(found)
        for stack in document["stacks"]:
            stack["median_residual"] = residuals.get(stack["name"])
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found, residuals))
    return 0


def _residuals(render: Any, found: "ProjectSurvey") -> dict[str, float]:
    from rendermodules.command.residual_glance import median_residual

    finished = [stack for stack in found.stacks if stack.z_values and stack.state != "LOADING"]
    medians = {stack.name: median_residual(render, found, stack) for stack in finished}
    return {name: median for name, median in medians.items() if median is not None}


def _lines(found: "ProjectSurvey", residuals: Mapping[str, float]) -> Iterable[str]:
    yield f"project {found.project} of {found.owner}"
    yield ""
    if found.stacks:
        yield from table(
            _HEAD,
            [_row(stack, residuals.get(stack.name)) for stack in found.stacks],
        )
    else:
        yield "no stacks yet"
    if residuals:
        yield "residual: median distance of matches within the middle section; rendermodules report has the whole"
    yield ""
    if found.collections:
        yield from table(("match collection", "pairs"), [(one.name, str(one.pair_count)) for one in found.collections])
    else:
        yield "no match collections yet"


_HEAD = ("stack", "state", "sections", "z", "tiles", "channels", "nm", "residual", "made by", "from", "changed")


def _row(stack: "StackSurvey", residual: float | None) -> tuple[str, ...]:
    channels = stack.channels[:_SHOWN_CHANNELS] + ["..."] * (len(stack.channels) > _SHOWN_CHANNELS)
    return (
        stack.name,
        stack.state,
        str(len(stack.z_values)),
        z_range(stack.z_values),
        "" if stack.tile_count is None else str(stack.tile_count),
        ",".join(channels),
        " x ".join("?" if size is None else f"{size:g}" for size in stack.resolution) if any(stack.resolution) else "",
        "" if residual is None else f"{residual:.3g} px",
        stack.module or "",
        ",".join(stack.inputs),
        stack.modified[:19],
    )


COMMAND = Subcommand("status", "what is in a project: stacks, sections, matches, what made them", _run, _add_arguments)
