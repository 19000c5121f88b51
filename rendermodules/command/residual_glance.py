"""How good a stack is, at a glance: the residuals of one section."""

from typing import Any

import numpy as np

from rendermodules.command.places import answer
from rendermodules.command.report.numbers import (
    Choice,
    collections_of,
    num_local_transforms_of,
    placed_of_sections,
)
from rendermodules.command.survey import ProjectSurvey, StackSurvey, path_of_stack
from rendermodules.module.stacks import read_section

MOST_TILES = 3000
"""A section of more tiles is not read for a glance."""


def median_residual(render: Any, found: ProjectSurvey, stack: StackSurvey) -> float | None:
    """Return the median distance of the matches within the middle section of a stack, in world pixels.

    None where it has a single tile or very many, or no matches.
    """
    z = stack.z_values[len(stack.z_values) // 2]
    parts = answer(render, *path_of_stack(render, stack.name), "z", repr(float(z)), "sectionData")
    if not 1 < sum(part["tileCount"] for part in parts) <= MOST_TILES:
        return None
    collections = collections_of(found, found.ancestors(stack.name))
    local = num_local_transforms_of(render, found, stack.name, collections)
    choice = Choice(stack.name, stack.name, collections, 0.0, 0.0, local, 0)
    residuals = placed_of_sections(render, choice, read_section(render, stack.name, z)).residuals
    return float(np.median(residuals)) if len(residuals) else None
