"""Which step usually follows, from what is in a project."""

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rendermodules.command.survey import ProjectSurvey, StackSurvey
from rendermodules.module.schemas import ENVIRONMENT

MONTAGE, VOLUME = "montage", "3D"
_SOLVER = "solver.solve_transforms"
_STITCHING = "stitching.stitch_section"


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
    run = _Commands(connection)
    steps = list(_unfinished(found, run))
    if facts is None:
        return [*steps, *_first_steps(run)]
    return [*steps, *_steps_of_stack(facts, run)]


class _Commands:
    """Commands with the connection filled in."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
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

    def about_project(self, command: str, *options: str) -> list[str]:
        """Return a command that is about the project."""
        port = [] if self._port is None else ["--port", str(self._port)]
        return [command, self._project, "--host", self.host, *port, *options]


def _unfinished(found: ProjectSurvey, run: _Commands) -> Iterator[Step]:
    for stack in found.stacks:
        if stack.state == "LOADING":
            maker = f" {stack.module}" if stack.module else ""
            yield Step(
                f"{stack.name} is LOADING: start{maker} again, which goes on where it stopped; or, if it is whole:",
                [run.run("stack.manage_stack", stacks=stack.name, state="COMPLETE")],
            )


def _first_steps(run: _Commands) -> Iterator[Step]:
    yield Step(
        "There is no tile yet. Import images with a table of their positions:",
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
                    output_stack=f"{name}_mipmaps",
                    output_dir="mipmaps",
                )
            ],
        )
    if facts.tiles_in_section > 1 and not facts.solved(MONTAGE):
        yield from _montage_steps(facts, run)
    elif len(facts.stack.z_values) > 1 and not facts.solved(VOLUME):
        yield from _volume_steps(facts, run)
    if facts.solved(MONTAGE) or facts.solved(VOLUME):
        yield Step("See how good it is, and where it is not:", [run.about_project("report", "--after", name)])
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
        yield Step(
            "Or find the pairs, match and place them in one call:",
            [run.run(_STITCHING, input_stack=name, output_stack=f"{name}_montage", output_collection="montage")],
        )
        return
    yield Step(
        "Place the tiles of each section by their matches:",
        [
            run.run(
                _SOLVER,
                input_stack=name,
                output_stack=f"{name}_montage",
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
    collections = dict.fromkeys([*facts.within, *facts.between])
    yield Step(
        "Place the tiles of all sections together:",
        [
            run.run(
                _SOLVER,
                input_stack=name,
                output_stack=f"{name}_aligned",
                match_collections=",".join(collections),
                solve_type=VOLUME,
            )
        ],
    )


def _matching(run: _Commands, stack: str, collection: str, **pairs: Any) -> list[list[str]]:
    file = f"{collection}_pairs.json"
    return [
        run.run("pointmatch.create_tilepairs", input_stack=stack, tile_pair_file=file, **pairs),
        run.run("pointmatch.generate_point_matches", pairJson=file, output_collection=collection),
    ]
