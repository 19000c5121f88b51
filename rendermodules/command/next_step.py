"""``rendermodules next``: which step usually follows, with its command filled in."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from rendermodules.command.places import add_place, answer, connection, place_of
from rendermodules.command.subcommand import Subcommand

if TYPE_CHECKING:
    from rendermodules.command.survey import ProjectSurvey
    from rendermodules.command.workflow import Facts
    from rendermodules.core.sections import Section

GUIDE = "docs/workflow.md"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--stack", help="stack that work goes on with (default: the one changed last)")
    parser.add_argument("--json", action="store_true", help="the steps as JSON")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.command.survey import survey
    from rendermodules.command.workflow import next_steps

    host, owner, project = place_of(options)
    if host is not None and not _exists(host):
        # the first import makes it
        steps = next_steps(_nothing(owner, project), None, _address(options, host, owner, project))
    else:
        render = connection(options)
        found = survey(render)
        address = _address(options, host, render.DEFAULT_OWNER, render.DEFAULT_PROJECT)
        steps = next_steps(found, _facts(render, found, options.stack), address)
    if options.json:
        json.dump([{"why": step.why, "commands": step.commands} for step in steps], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    for step in steps:
        sys.stdout.writelines(f"{line}\n" for line in step.lines())
        sys.stdout.write("\n")
    sys.stdout.write(f"The whole way: {GUIDE}\n")
    return 0


def _exists(host: str) -> bool:
    from pathlib import Path

    from rendermodules.module.connection import is_store_path

    return not is_store_path(host) or Path(host).expanduser().is_file()


def _nothing(owner: str | None, project: str | None) -> "ProjectSurvey":
    from rendermodules.command.survey import ProjectSurvey

    return ProjectSurvey(owner or "", project or "", [], [])


def _address(options: argparse.Namespace, host: str | None, owner: str | None, project: str | None) -> dict[str, Any]:
    return {
        "host": host or "render.db",
        "port": options.port,
        "owner": owner or "OWNER",
        "project": project or "PROJECT",
    }


def _facts(render: Any, found: "ProjectSurvey", name: str | None) -> "Facts | None":
    from rendermodules.command.workflow import Facts
    from rendermodules.module.stacks import read_section

    candidates = [stack for stack in found.stacks if stack.z_values and stack.state != "LOADING"]
    if name is None and not candidates:
        return None
    stack = found.stack(name) if name else candidates[-1]
    if not stack.z_values:
        return None
    first, *following = [read_section(render, stack.name, z) for z in stack.z_values[:2]]
    collections = [collection.name for collection in found.collections]
    return Facts(
        stack,
        found.ancestors(stack.name),
        len(first.tiles),
        _levels(first),
        [one for one in collections if _has_matches(render, one, first, None)],
        [one for one in collections for second in following if _has_matches(render, one, first, second)],
    )


def _levels(section: "Section") -> int:
    tile = section.tiles[0]
    return len((tile.get("channels") or [tile])[0].get("mipmapLevels") or {})


def _has_matches(render: Any, collection: str, first: "Section", second: "Section | None") -> bool:
    """Return whether a collection has matches of the tiles of a section with each other, or with those of another.

    Collections belong to an owner, and sections of several projects often have the same ids.
    """
    first_ids, second_ids = ({tile["tileId"] for tile in one.tiles} for one in (first, second or first))
    base = ("owner", render.DEFAULT_OWNER, "matchCollection", collection, "group")
    for group in _groups(first):
        questions = [("matchesWithinGroup",)] if second is None else [("matchesWith", one) for one in _groups(second)]
        for question in questions:
            for pair in answer(render, *base, group, *question, excludeMatchDetails="true"):
                ids = (pair["pId"], pair["qId"])
                if any(p in first_ids and q in second_ids for p, q in (ids, ids[::-1])):
                    return True
    return False


def _groups(section: "Section") -> list[str]:
    return sorted({str((tile.get("layout") or {}).get("sectionId")) for tile in section.tiles})


COMMAND = Subcommand("next", "which step usually follows, with its command", _run, _add_arguments)
