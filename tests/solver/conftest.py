"""Stacks with known truth and their matches."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rendermodules.core.pointmatches import canvas_matches, parsed_matches
from rendermodules.core.synthetic import (
    SyntheticSettings,
    placed_grids,
    section_specs,
    section_tiles,
    solution_errors,
    synthetic_matches,
)
from rendermodules.module import matches, stacks


@dataclass
class TrueStack:
    """A stack ``raw`` of an embedded store with a match collection ``found``, and the truth about it."""

    settings: SyntheticSettings
    documents: list[dict]

    def errors(self, sections, frame="section"):
        """Return the errors of solved sections, by z."""
        truth = {z: section_tiles(self.settings, z) for z in self.settings.zvalues}
        return solution_errors(truth, {z: placed_grids(sections[z], tiles) for z, tiles in truth.items()}, frame)


@pytest.fixture
def true_stack(render, write_stack) -> Callable[..., TrueStack]:
    """Function that makes the stack and the collection."""

    def make(*, noise: float = 0.1, depth: int = 0, change=lambda document: document, **settings) -> TrueStack:
        made = SyntheticSettings(
            **{
                "rows": 3,
                "columns": 3,
                "sections": 2,
                "first_z": 99.0,
                "tile_width": 512,
                "tile_height": 512,
                "section_rotation": 0.0,
                "section_shift": 0.0,
                "deformation": 0.0,
                **settings,
            }
        )
        tiles = {z: section_tiles(made, z) for z in made.zvalues}
        documents = []
        for index, low in enumerate(made.zvalues):
            documents += synthetic_matches(tiles[low], noise=noise, count=30).to_json(tiles[low])
            for high in made.zvalues[index + 1 : index + 1 + depth]:
                found = synthetic_matches(tiles[low], tiles[high], noise=noise, count=30, smallest_overlap=100)
                documents += found.to_json(tiles[low], tiles[high])
        documents = [changed for changed in map(change, documents) if changed is not None]
        write_stack("raw", *(section_specs(made, z) for z in made.zvalues), stackResolutionX=4.0)
        parsed = [parsed_matches(document) for document in documents]
        matches.write_matches(matches.match_collection(render, "found"), parsed)
        return TrueStack(made, [canvas_matches(one) for one in parsed])

    return make


@pytest.fixture
def states(render) -> Callable[[str], str]:
    """Function that returns the state of a stack."""
    return lambda name: stacks.stack_metadata(render, name)["state"]
