"""``rendermodules doctor``: whether this machine and this project can be worked with, and what to do where not."""

import argparse
import dataclasses
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rendermodules.command.places import add_place, place_of
from rendermodules.command.subcommand import Subcommand

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE_BYTES = 5 << 30
NO_SPACE_BYTES = 200 << 20

_WIDTH = 4


@dataclass(frozen=True)
class Finding:
    """What one look has found.

    Attributes
    ----------
    state : {"ok", "note", "bad"}
        A note does not stop anybody.
    about : str
    message : str
    remedy : str
        What to do; empty where nothing is to be done.
    """

    state: str
    about: str
    message: str
    remedy: str = ""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def _run(options: argparse.Namespace) -> int:
    findings = list(_findings(options))
    if options.json:
        json.dump([dataclasses.asdict(one) for one in findings], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(findings))
    return 1 if any(one.state == "bad" for one in findings) else 0


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    for one in findings:
        yield f"{one.state:<{_WIDTH}}  {one.about}: {one.message}"
        if one.remedy:
            yield f"{'':<{_WIDTH}}    -> {one.remedy}"


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    from rendermodules.command.doctor_libraries import libraries
    from rendermodules.command.doctor_project import project

    yield _python()
    yield _machine()
    yield from libraries()
    yield from _folders(options)
    yield from project(options)


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return Finding("bad", "Python", version, f"install Python {wanted} or newer")
    return Finding("ok", "Python", f"{version}, {sys.executable}")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return Finding("ok", "machine", f"{cores} cores, {memory:.1f} GiB of memory; --pool_size {cores} uses all of them")


def _folders(options: argparse.Namespace) -> Iterator[Finding]:
    from rendermodules.module.connection import is_store_path
    from rendermodules.module.journal import STATE_VARIABLE

    state = os.environ.get(STATE_VARIABLE) or Path.home() / ".local" / "state" / "rendermodules"
    places = {
        "this folder": (Path.cwd(), "run from a folder that you may write in"),
        "journals": (Path(state), f"set {STATE_VARIABLE} to a folder that you may write in"),
        "temporary files": (Path(tempfile.gettempdir()), "set TMPDIR to a folder that you may write in"),
    }
    host = place_of(options)[0]
    if host is not None and is_store_path(host):
        places["store"] = (Path(host).expanduser().absolute().parent, "SQLite needs to write beside the store")
    for about, (folder, remedy) in places.items():
        yield _folder(about, folder, remedy)


def _folder(about: str, folder: Path, remedy: str) -> Finding:
    present = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not present.is_dir() or not os.access(present, os.W_OK | os.X_OK):
        return Finding("bad", about, f"{folder} cannot be written", remedy)
    free = shutil.disk_usage(present).free
    message = f"{folder}, {free / (1 << 30):.1f} GiB free"
    if free < NO_SPACE_BYTES:
        return Finding("bad", about, message, "free some space, or work on another disk")
    if free < LITTLE_SPACE_BYTES:
        return Finding("note", about, message, "rendered volumes may not find room there")
    return Finding("ok", about, message)


COMMAND = Subcommand(
    "doctor", "whether this machine and a project can be worked with, and what to do where not", _run, _add_arguments
)
