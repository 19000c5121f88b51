"""Synthetic serial sections with known truth: images, tile specs and point matches for tests, demonstrations and benchmarks.

A data set is described by :class:`SyntheticSettings` and never held as a whole: every tile is computed by itself, and is
the same whatever was computed before it::

    settings = SyntheticSettings(sections=3, rows=3, columns=3)
    for z in settings.zvalues:
        for tile in section_tiles(settings, z):
            image = tile_image(settings, tile)
"""

from rendermodules.core.synthetic.acquisition import section_tiles, section_truth, tile_image
from rendermodules.core.synthetic.geometry import Fold, Lens, SectionTruth, TileTruth, Wave
from rendermodules.core.synthetic.settings import SyntheticSettings

__all__ = [
    "Fold",
    "Lens",
    "SectionTruth",
    "SyntheticSettings",
    "TileTruth",
    "Wave",
    "section_tiles",
    "section_truth",
    "tile_image",
]
