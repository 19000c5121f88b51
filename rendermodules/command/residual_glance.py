"""How good a stack is, at a glance: the residuals of its middle section, and of that with the next one."""

from typing import Any, NamedTuple

import numpy as np

from rendermodules.command.places import answer
from rendermodules.command.report.numbers import (
    Choice,
    collections_of,
    num_local_transforms_of,
    placed_of_sections,
)
from rendermodules.command.survey import ProjectSurvey, StackSurvey, path_of_stack
from rendermodules.core.match_placement import PlacedMatches
from rendermodules.core.sections import Section
from rendermodules.module.stacks import read_section

MOST_TILES = 3000
"""A section of more tiles is not read for a glance."""


class Glance(NamedTuple):
    """Median distances of matches in world pixels; None where there are none, or a section has very many tiles.

    Attributes
    ----------
    within : float or None
        Of matches within the middle section.
    between : float or None
        Of those between it and the next one.
    """

    within: float | None = None
    between: float | None = None


def glance(render: Any, found: ProjectSurvey, stack: StackSurvey) -> Glance:
    """Return how far matches are apart in the middle of a stack."""
    middle = (len(stack.z_values) - 1) // 2
    sections = [_section(render, stack.name, z) for z in stack.z_values[middle : middle + 2]]
    if not sections or sections[0] is None:
        return Glance()
    collections = collections_of(found, found.ancestors(stack.name))
    local = num_local_transforms_of(render, found, stack.name, collections)
    choice = Choice(stack.name, stack.name, collections, 0.0, 0.0, local, 0)
    first, following = sections[0], sections[1] if len(sections) > 1 else None
    return Glance(
        _median(placed_of_sections(render, choice, first)) if len(first.tiles) > 1 else None,
        None if following is None else _median(placed_of_sections(render, choice, first, following)),
    )


def _section(render: Any, stack: str, z: float) -> Section | None:
    parts = answer(render, *path_of_stack(render, stack), "z", repr(float(z)), "sectionData")
    return read_section(render, stack, z) if sum(part["tileCount"] for part in parts) <= MOST_TILES else None


def _median(placed: PlacedMatches) -> float | None:
    residuals = placed.residuals
    return float(np.median(residuals)) if len(residuals) else None
