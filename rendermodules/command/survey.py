"""What is in a project: its stacks with what made them, and the match collections of its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderapi.render import Render

from rendermodules.command.places import answer
from rendermodules.core.lineage import Record, input_stacks, lineage, run_record
from rendermodules.module.errors import RenderModuleError


@dataclass(frozen=True)
class StackSurvey:
    """What is known about a stack.

    Attributes
    ----------
    name, state : str
    z_values : list of float
        Ascending.
    tile_count : int or None
        None where Render has not counted yet: while the stack is LOADING.
    channels : list of str
    resolution : tuple of float or None
        Size of a pixel and a section in nm: x, y, z.
    modified : str
        Time of the last change of state, ISO 8601.
    quality : float or None
        Render's ``alignmentQuality``.
    provenance : dict
        Record of the run that made it; empty where it did not leave one.
    """

    name: str
    state: str
    z_values: list[float]
    tile_count: int | None
    channels: list[str]
    resolution: tuple[float | None, ...]
    modified: str
    quality: float | None
    provenance: Mapping[str, Any]

    @property
    def module(self) -> str | None:
        """Name of the module that made it: ``area.name``."""
        name = self.provenance.get("module")
        return None if name is None else str(name).removeprefix("rendermodules.")

    @property
    def inputs(self) -> list[str]:
        """Names of the stacks that it was made of."""
        return input_stacks(self.provenance)


@dataclass(frozen=True)
class CollectionSurvey:
    """A match collection and its number of pairs of tiles."""

    name: str
    pair_count: int


@dataclass(frozen=True)
class ProjectSurvey:
    """What is in a project, stacks in the order in which they were last changed."""

    owner: str
    project: str
    stacks: list[StackSurvey]
    collections: list[CollectionSurvey]

    def stack(self, name: str) -> StackSurvey:
        """Return the stack of that name.

        Raises
        ------
        RenderModuleError
            There is none.
        """
        for stack in self.stacks:
            if stack.name == name:
                return stack
        known = ", ".join(stack.name for stack in self.stacks) or "none"
        raise RenderModuleError(f"project {self.project} has no stack {name}; there are {known}")

    def ancestors(self, name: str) -> list[StackSurvey]:
        """Return a stack and what it was made of, step by step, as far back as is known; itself last."""
        self.stack(name)
        return [self.stack(one) for one in lineage(name, self.records)]

    @property
    def records(self) -> dict[str, Record]:
        """The records of the runs that made the stacks, by the names of the stacks."""
        return {stack.name: stack.provenance for stack in self.stacks}


def survey(render: Render) -> ProjectSurvey:
    """Return what is in the project of a connection."""
    owner, project = render.DEFAULT_OWNER, render.DEFAULT_PROJECT
    found = [one for one in answer(render, "owner", owner, "stacks") if one["stackId"]["project"] == project]
    stacks = sorted((_surveyed(render, one) for one in found), key=lambda stack: (stack.modified, stack.name))
    collections = [
        CollectionSurvey(one["collectionId"]["name"], one["pairCount"])
        for one in answer(render, "owner", owner, "matchCollections")
    ]
    return ProjectSurvey(owner, project, stacks, collections)


def path_of_stack(render: Render, stack: str) -> tuple[str, ...]:
    """Return the parts of the path of a stack of the project of a connection."""
    return "owner", render.DEFAULT_OWNER, "project", render.DEFAULT_PROJECT, "stack", stack


def _surveyed(render: Render, metadata: Mapping[str, Any]) -> StackSurvey:
    version = metadata.get("currentVersion") or {}
    # what completion counted is out of date while a stack is written
    stats = {} if metadata["state"] == "LOADING" else metadata.get("stats") or {}
    name = metadata["stackId"]["stack"]
    return StackSurvey(
        name=name,
        state=metadata["state"],
        z_values=sorted(answer(render, *path_of_stack(render, name), "zValues")),
        tile_count=stats.get("tileCount"),
        channels=stats.get("channelNames") or [],
        resolution=tuple(version.get(f"stackResolution{axis}") for axis in "XYZ"),
        modified=str(metadata.get("lastModifiedTimestamp") or ""),
        quality=version.get("alignmentQuality"),
        provenance=run_record(version.get("versionNotes")),
    )
