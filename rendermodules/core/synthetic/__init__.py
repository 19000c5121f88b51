"""Synthetic serial sections with known truth: images, tile specs and point matches for tests and demonstrations.

A data set is described by :class:`SyntheticSettings` and never held as a whole: every tile is computed by itself, and
is the same whatever was computed before it::

    settings = SyntheticSettings(sections=3, rows=3, columns=3)
    for z in settings.zvalues:
        for tile in section_tiles(settings, z):
            image = tile_image(settings, tile)
"""

from rendermodules.core.synthetic.acquisition import section_tiles, section_truth, tile_image
from rendermodules.core.synthetic.evaluation import (
    SolutionErrors,
    affine_grids,
    nominal_grids,
    solution_errors,
    true_grids,
)
from rendermodules.core.synthetic.geometry import Fold, Lens, SectionTruth, TileTruth, Wave
from rendermodules.core.synthetic.matches import SyntheticMatches, synthetic_matches
from rendermodules.core.synthetic.placement import placed_grids
from rendermodules.core.synthetic.settings import SyntheticSettings
from rendermodules.core.synthetic.specs import lens_transform, section_specs
from rendermodules.core.synthetic.tile_table import grid_pixels
from rendermodules.core.synthetic.truth_json import truth_from_json, truth_to_json

__all__ = [
    "Fold",
    "Lens",
    "SectionTruth",
    "SolutionErrors",
    "SyntheticMatches",
    "SyntheticSettings",
    "TileTruth",
    "Wave",
    "affine_grids",
    "grid_pixels",
    "lens_transform",
    "nominal_grids",
    "placed_grids",
    "section_specs",
    "section_tiles",
    "section_truth",
    "solution_errors",
    "synthetic_matches",
    "tile_image",
    "true_grids",
    "truth_from_json",
    "truth_to_json",
]
