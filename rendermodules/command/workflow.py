"""Which step usually follows, from what is in a project."""

import itertools
import os
import shlex
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rendermodules.command.survey import ProjectSurvey, StackSurvey
from rendermodules.module.schemas import ENVIRONMENT

MONTAGE, VOLUME = "montage", "3D"
_SOLVER = "solver.solve_transforms"
_STITCHING = "stitching.stitch_section"

_SUFFIXES = ("_mipmaps", "_montage", "_aligned")
"""What names of stacks end in that follow from these steps; each step replaces that of the one before."""


@dataclass(frozen=True)
class Facts:
    """What has to be looked up beside the survey, for the stack that work goes on with.

    Attributes
    ----------
    stack : StackSurvey
    chain : list of StackSurvey
        The stack and what it was made of, itself last.
    tiles_in_section : int
    mipmap_levels : int
        Levels that the tiles have, full scale included.
    within, between : list of str
        Match collections with matches within its sections, and from one to the next.
    """

    stack: StackSurvey
    chain: list[StackSurvey]
    tiles_in_section: int
    mipmap_levels: int
    within: list[str]
    between: list[str]

    def solved(self, solve_type: str) -> bool:
        """Return whether a solve of this type is among what the stack was made by."""
        return any(
            stack.module == _STITCHING
            and solve_type == MONTAGE
            or stack.module == _SOLVER
            and (stack.provenance.get("parameters") or {}).get("solve_type") == solve_type
            for stack in self.chain
        )


@dataclass(frozen=True)
class Step:
    """A step to take.

    Attributes
    ----------
    why : str
    commands : list of list of str
        The words of each command, ``rendermodules`` left out.
    """

    why: str
    commands: list[list[str]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Give the step as text."""
        yield self.why
        for command in self.commands:
            yield f"  rendermodules {shlex.join(command)}"


def next_steps(found: ProjectSurvey, facts: Facts | None, connection: Mapping[str, Any]) -> list[Step]:
    """Return what usually follows, the most likely first.

    Parameters
    ----------
    found : ProjectSurvey
    facts : Facts, optional
        None where no stack holds a tile yet.
    connection : mapping
        ``host`` and the like, for the commands.
    """
    run = _Commands(found, connection)
    steps = list(_unfinished(found, run))
    if facts is None:
        return [*steps, *_first_steps(run)]
    return [*steps, *_steps_of_stack(facts, run)]


class _Commands:
    """Commands with the connection filled in, and names for what they write that nothing in the project has."""

    def __init__(self, found: ProjectSurvey, connection: Mapping[str, Any]) -> None:
        self._found = found
        # what the environment says already need not be repeated
        told = {name: os.environ.get(variable) for name, variable in ENVIRONMENT.items()}
        self._connection = [
            word
            for name, value in connection.items()
            if value is not None and str(value) != told[name]
            for word in (f"--render.{name}", str(value))
        ]
        self.host = str(connection.get("host") or "")
        self._port = connection.get("port")
        self._project = f"{connection.get('owner')}/{connection.get('project')}"

    def run(self, module: str, **parameters: Any) -> list[str]:
        """Return the command that runs a module."""
        given = [word for name, value in parameters.items() for word in (f"--{name}", str(value))]
        return ["run", module, *given, *self._connection]

    def new_stack(self, source: str, suffix: str) -> str:
        """Return a name for the stack that is made of another."""
        for earlier in _SUFFIXES:
            source = source.removesuffix(earlier)
        return _free(f"{source}{suffix}", {stack.name for stack in self._found.stacks})

    def new_collection(self, kind: str) -> str:
        """Return a name for matches; collections belong to the owner, and so to all projects alike."""
        taken = {collection.name for collection in self._found.collections}
        return kind if kind not in taken else _free(f"{self._found.project}_{kind}", taken)

    def about_project(self, command: str, *options: str) -> list[str]:
        """Return a command that is about the project."""
        port = [] if self._port is None else ["--port", str(self._port)]
        return [command, self._project, "--host", self.host, *port, *options]


def _free(wanted: str, taken: Container[str]) -> str:
    numbered = (f"{wanted}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


def _unfinished(found: ProjectSurvey, run: _Commands) -> Iterator[Step]:
    for stack in found.stacks:
        if stack.state == "LOADING":
            maker = stack.module or "the run"
            yield Step(
                f"{stack.name} is LOADING: {maker} is still writing it, or was stopped, or failed. Started again it "
                "goes on where it stopped. See what is there so far; if it is whole after all, say so:",
                [
                    run.about_project("report", "--after", stack.name),
                    run.run("stack.manage_stack", stacks=stack.name, state="COMPLETE"),
                ],
            )


def _first_steps(run: _Commands) -> Iterator[Step]:
    yield Step(
        "There is no tile yet. Import images with a table of their positions (columns file, x, y in pixels, z):",
        [run.run("dataimport.import_image_directory", positions_file="positions.csv", output_stack="raw")],
    )
    yield Step("Other importers, such as for microscopes and OME files:", [["list", "dataimport"]])


def _steps_of_stack(facts: Facts, run: _Commands) -> Iterator[Step]:
    name = facts.stack.name
    if facts.mipmap_levels <= 1:
        yield Step(
            f"The tiles of {name} have no reduced images; with them views and matching are quicker:",
            [
                run.run(
                    "dataimport.generate_mipmaps",
                    input_stack=name,
                    output_stack=run.new_stack(name, "_mipmaps"),
                    output_dir="mipmaps",
                )
            ],
        )
    if facts.solved(MONTAGE) or facts.solved(VOLUME):
        yield Step("See how good it is, and where it is not:", [run.about_project("report", "--after", name)])
    if facts.tiles_in_section > 1 and not facts.solved(MONTAGE):
        yield from _montage_steps(facts, run)
    elif len(facts.stack.z_values) > 1 and not facts.solved(VOLUME):
        yield from _volume_steps(facts, run)
    if facts.solved(VOLUME) or len(facts.stack.z_values) == 1 and facts.solved(MONTAGE):
        yield Step(
            "Draw the volume for other programs:",
            [run.run("materialize.render_volume", input_stacks=name, volume_dir="volume", format="ome_zarr")],
        )
    if run.host and "://" not in run.host:
        yield Step("Look at it in a browser:", [["serve", "--store", run.host]])


def _montage_steps(facts: Facts, run: _Commands) -> Iterator[Step]:
    name = facts.stack.name
    if not facts.within:
        yield Step(
            f"No matches connect the tiles of a section of {name}. Find the pairs, then their matches:",
            _matching(run, name, "montage", zNeighborDistance=0),
        )
        stitched = {"output_stack": run.new_stack(name, "_montage"), "output_collection": run.new_collection("montage")}
        yield Step(
            "Or find the pairs, match and place them in one call:", [run.run(_STITCHING, input_stack=name, **stitched)]
        )
        return
    yield _coverage_step(name, facts.within, run)
    yield Step(
        "Place the tiles of each section by their matches:",
        [
            run.run(
                _SOLVER,
                input_stack=name,
                output_stack=run.new_stack(name, "_montage"),
                match_collections=",".join(facts.within),
                solve_type=MONTAGE,
            )
        ],
    )


def _volume_steps(facts: Facts, run: _Commands) -> Iterator[Step]:
    name = facts.stack.name
    if not facts.between:
        yield Step(
            f"No matches connect the sections of {name}. Find the pairs, then their matches:",
            _matching(run, name, "sections", zNeighborDistance=1, excludeSameLayerNeighbors=True),
        )
        return
    collections = list(dict.fromkeys([*facts.within, *facts.between]))
    yield _coverage_step(name, collections, run)
    yield Step(
        "Place the tiles of all sections together:",
        [
            run.run(
                _SOLVER,
                input_stack=name,
                output_stack=run.new_stack(name, "_aligned"),
                match_collections=",".join(collections),
                solve_type=VOLUME,
            )
        ],
    )


def _coverage_step(stack: str, collections: Sequence[str], run: _Commands) -> Step:
    return Step(
        "See whether tiles are left without matches, or fall into parts that nothing joins:",
        [run.run("pointmatch.qc_point_matches", input_collections=",".join(collections), input_stack=stack)],
    )


def _matching(run: _Commands, stack: str, kind: str, **pairs: Any) -> list[list[str]]:
    collection = run.new_collection(kind)
    file = f"{collection}_pairs.json"
    return [
        run.run("pointmatch.create_tilepairs", input_stack=stack, tile_pair_file=file, **pairs),
        run.run("pointmatch.generate_point_matches", pairJson=file, output_collection=collection),
    ]
