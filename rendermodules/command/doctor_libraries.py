"""Whether the libraries are there, new enough, and load."""

import importlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import rendermodules
from rendermodules.command.doctor import Finding

# those with compiled parts that a system may lack something for
_COMPILED = ("numpy", "scipy", "numba", "cv2", "imagecodecs", "lxml", "orjson", "msgspec", "shapely", "zstandard")

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^>=<!~;]*(?:>=\s*(?P<least>[0-9.]+))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)")


def libraries() -> Iterator[Finding]:
    """Give what is to be said about the libraries: all is well in a line, or a line for each that is not."""
    requirements = _requirements()
    wanted = [one for one in requirements if not _EXTRA.search(one)]
    problems = [problem for one in wanted if (problem := _problem(one))]
    problems += [problem for name in _COMPILED if (problem := _loading_problem(name))]
    yield from problems
    if not problems:
        yield Finding("ok", "libraries", f"all {len(wanted)} are there and load")
    extras: dict[str, list[str]] = {}
    for one in requirements:
        if match := _EXTRA.search(one):
            extras.setdefault(match["extra"], []).append(one)
    for extra, members in extras.items():
        yield _extra(extra, members)


def _requirements() -> Sequence[str]:
    """Return the requirements as metadata write them, from the checkout where the package is not installed."""
    project = Path(rendermodules.__file__).parents[1] / "pyproject.toml"
    if not project.is_file():
        return metadata.requires("rendermodules") or ()
    described = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = described.get("optional-dependencies", {})
    return [
        *described["dependencies"],
        *(f"{one}; extra == '{extra}'" for extra, members in extras.items() for one in members),
    ]


def _problem(requirement: str) -> Finding | None:
    match = _REQUIREMENT.match(requirement)
    if match is None:
        return None
    name, least = match["name"], match["least"]
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding("bad", f"library {name}", "is not installed", f"pip install '{requirement.split(';')[0]}'")
    if least and _numbers(version) < _numbers(least):
        return Finding("bad", f"library {name}", f"{version} is too old", f"pip install '{name}>={least}'")
    return None


def _loading_problem(name: str) -> Finding | None:
    try:
        importlib.import_module(name)
    except (ImportError, OSError) as error:
        remedy = "install the system's library that the message names, or install the package again"
        return Finding("bad", f"library {name}", f"does not load: {error}", remedy)
    return None


def _extra(extra: str, members: Sequence[str]) -> Finding:
    if all(_problem(one) is None for one in members):
        return Finding("ok", f"extra {extra}", "installed")
    return Finding("note", f"extra {extra}", "not installed", f"if you want it: pip install 'rendermodules[{extra}]'")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])
