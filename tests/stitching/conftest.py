"""Synthetic images as a stack, and the truth about them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from rendermodules.core.synthetic import (
    SyntheticSettings,
    placed_grids,
    section_specs,
    section_tiles,
    solution_errors,
    tile_image,
)
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path


@dataclass
class TrueStack:
    """A stack ``raw`` with images, and the truth about it."""

    settings: SyntheticSettings

    def errors(self, sections):
        """Return the errors of solved sections, by z."""
        truth = {z: section_tiles(self.settings, z) for z in sections}
        return solution_errors(truth, {z: placed_grids(sections[z], tiles) for z, tiles in truth.items()})


@pytest.fixture
def true_stack(write_stack, tmp_path) -> Callable[..., TrueStack]:
    """Function that makes the stack; ``change`` gets each tile and its image, and returns another, or None."""

    def make(*, change=lambda tile, image: image, **settings) -> TrueStack:
        made = SyntheticSettings(
            **{
                "rows": 2,
                "columns": 3,
                "sections": 1,
                "first_z": 5.0,
                "tile_width": 320,
                "tile_height": 288,
                "overlap": 0.2,
                "section_rotation": 0.0,
                "section_shift": 0.0,
                "deformation": 0.0,
                **settings,
            }
        )
        sections = []
        for z in made.zvalues:
            kept = set()
            for tile in section_tiles(made, z):
                image = change(tile, tile_image(made, tile))
                if image is not None:
                    kept.add(tile.tile_id)
                    write_image(tmp_path / f"{tile.tile_id}.tif", np.ascontiguousarray(image))
            section = section_specs(
                made, z, image_url=lambda tile, channel: url_of_path(tmp_path / f"{tile.tile_id}.tif")
            )
            section.tiles[:] = [tile for tile in section.tiles if tile["tileId"] in kept]
            sections.append(section)
        write_stack("raw", *sections, stackResolutionX=4.0)
        return TrueStack(made)

    return make
