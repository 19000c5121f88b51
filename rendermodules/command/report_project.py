"""``rendermodules report``: how good a stack is, in one page and in numbers."""

import argparse
import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rendermodules.command.places import add_place, connection
from rendermodules.command.subcommand import Subcommand

if TYPE_CHECKING:
    from rendermodules.command.report.numbers import Choice, ReportNumbers
    from rendermodules.command.survey import ProjectSurvey

DEFAULT_LIMIT = 5.0
DEFAULT_BETWEEN_LIMIT = 10.0
DEFAULT_SEAMS = 9
DEFAULT_PICTURED_SECTIONS = 100

_LISTED_SECTIONS = 10

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--after", metavar="STACK", help="stack to judge (default: the one made last)")
    parser.add_argument("--before", metavar="STACK", help="stack to compare it with (default: what it was made of)")
    parser.add_argument(
        "--matches",
        metavar="COLLECTION",
        action="append",
        help="match collection; may be repeated (default: those that the stacks were made with, or all)",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=DEFAULT_LIMIT,
        help="residual in px above which a match within a section is marked (default: %(default)s)",
    )
    parser.add_argument(
        "--between_limit",
        type=float,
        default=DEFAULT_BETWEEN_LIMIT,
        help="the same for matches between sections, which deform (default: %(default)s)",
    )
    parser.add_argument(
        "--num_local_transforms",
        type=int,
        metavar="N",
        help="transforms of a tile that the matches contain already (default: as the stacks tell)",
    )
    parser.add_argument(
        "--seams", type=int, default=DEFAULT_SEAMS, help="worst seams to show at full resolution (default: %(default)s)"
    )
    parser.add_argument(
        "--pictures",
        type=int,
        default=DEFAULT_PICTURED_SECTIONS,
        metavar="N",
        help="sections to show, evenly spread, beside those with problems (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("report.html"),
        help="the page; its numbers go beside it as .json (default: %(default)s)",
    )
    parser.add_argument(
        "--check", action="store_true", help="exit status 1 when a section is beyond a threshold, or missing"
    )


def _run(options: argparse.Namespace) -> int:
    from rendermodules.command.report.numbers import report_numbers
    from rendermodules.command.survey import survey
    from rendermodules.io.files import write_bytes_whole
    from rendermodules.module.json_values import plain_json
    from rendermodules.module.terminal_log import logging_to_terminal

    with logging_to_terminal(__name__):
        render = connection(options)
        found = survey(render)
        numbers = report_numbers(render, found, _choice(render, found, options))
        page = _page(render, numbers, options)
    write_bytes_whole(options.out, page.encode())
    json_file = options.out.with_suffix(".json")
    document = {"made": _made(), **plain_json(dataclasses.asdict(numbers))}
    for seam in [*document["within"]["worst"], *document["between"]["worst"]]:
        # the points of the matches are in the collections
        del seam["p_world"], seam["q_world"]
    write_bytes_whole(json_file, json.dumps(document, indent=1).encode())
    marked, missing = len(numbers.marked), len(numbers.missing)
    sys.stdout.write(f"{options.out.absolute()}\n{json_file.absolute()}\n")
    sys.stdout.write(f"{marked} of {len(numbers.sections)} sections are beyond a threshold\n")
    for section in numbers.marked[:_LISTED_SECTIONS]:
        sys.stdout.write(f"  z {section.z:g}: {'; '.join(section.problems)}\n")
    if marked > _LISTED_SECTIONS:
        sys.stdout.write(f"  and {marked - _LISTED_SECTIONS} more\n")
    for stack in found.stacks if options.after is None else ():
        if stack.state == "LOADING" and stack.z_values:
            sys.stdout.write(f"not looked at, as it is LOADING: {stack.name}; --after {stack.name} does\n")
    if missing:
        sys.stdout.write(f"sections of {numbers.choice.before} that are not in {numbers.choice.after}: {missing}\n")
    return int(bool(options.check and (marked or missing)))


def _choice(render: Any, found: "ProjectSurvey", options: argparse.Namespace) -> "Choice":
    from rendermodules.command.report.numbers import Choice, collections_of, num_local_transforms_of
    from rendermodules.module.errors import RenderModuleError

    finished = [stack for stack in found.stacks if stack.z_values and stack.state != "LOADING"]
    # of stacks that nobody noted the making of, the last one is as good as any
    made = [stack for stack in finished if stack.module] or finished
    if options.after is None and not made:
        raise RenderModuleError(f"project {found.project} has no finished stack; name one: --after STACK")
    after = found.stack(options.after or made[-1].name)
    chain = found.ancestors(after.name)
    before = found.stack(options.before) if options.before else chain[0]
    collections = options.matches or collections_of(found, chain)
    unknown = set(collections) - {collection.name for collection in found.collections}
    if unknown:
        raise RenderModuleError(f"{found.owner} has no match collection {', '.join(sorted(unknown))}")
    local = options.num_local_transforms
    if local is None:
        local = num_local_transforms_of(render, found, after.name, collections)
    return Choice(before.name, after.name, collections, options.limit, options.between_limit, local, options.seams)


def _page(render: Any, numbers: "ReportNumbers", options: argparse.Namespace) -> str:
    from rendermodules.command.report.page import report_page
    from rendermodules.command.report.pictures import seam_pictures, thumbnail

    choice = numbers.choice
    every = max(1, -(-len(numbers.sections) // max(options.pictures, 1)))
    shown = {section.z for index, section in enumerate(numbers.sections) if index % every == 0 or section.problems}

    def thumbnails(section: Any) -> tuple[Any, Any]:
        if section.z not in shown:
            return None, None
        first = thumbnail(render, choice.before, section.z) if section.tiles_before else None
        return first, thumbnail(render, choice.after, section.z)

    return report_page(numbers, _made(), thumbnails, lambda seam: seam_pictures(render, choice.after, seam))


def _made() -> dict[str, str]:
    import rendermodules
    from rendermodules.module.provenance import now

    return {"made": now(), "by rendermodules": rendermodules.__version__}


COMMAND = Subcommand(
    "report", "how good a stack is: a page with pictures, residuals, dropped tiles, provenance", _run, _add_arguments
)
