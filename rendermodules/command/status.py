"""``rendermodules status``: what is in a project."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rendermodules.command.places import add_place, connection
from rendermodules.command.subcommand import Subcommand
from rendermodules.command.text_tables import table, z_range

if TYPE_CHECKING:
    from rendermodules.command.survey import ProjectSurvey, StackSurvey

_SHOWN_CHANNELS = 4


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="everything that is known, as JSON")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.command.survey import survey

    found = survey(connection(options))
    if options.json:
        json.dump(dataclasses.asdict(found), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found))
    return 0


def _lines(found: "ProjectSurvey") -> Iterable[str]:
    yield f"project {found.project} of {found.owner}"
    yield ""
    if found.stacks:
        yield from table(
            ("stack", "state", "sections", "z", "tiles", "channels", "nm", "quality", "made by", "from", "changed"),
            [_row(stack) for stack in found.stacks],
        )
    else:
        yield "no stacks yet"
    yield ""
    if found.collections:
        yield from table(("match collection", "pairs"), [(one.name, str(one.pair_count)) for one in found.collections])
    else:
        yield "no match collections yet"


def _row(stack: "StackSurvey") -> tuple[str, ...]:
    channels = stack.channels[:_SHOWN_CHANNELS] + ["..."] * (len(stack.channels) > _SHOWN_CHANNELS)
    return (
        stack.name,
        stack.state,
        str(len(stack.z_values)),
        z_range(stack.z_values),
        "" if stack.tile_count is None else str(stack.tile_count),
        ",".join(channels),
        " x ".join("?" if size is None else f"{size:g}" for size in stack.resolution) if any(stack.resolution) else "",
        "" if stack.quality is None else f"{stack.quality:.3g}",
        stack.module or "",
        ",".join(stack.inputs),
        stack.modified[:19],
    )


COMMAND = Subcommand("status", "what is in a project: stacks, sections, matches, what made them", _run, _add_arguments)
