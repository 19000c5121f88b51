import numpy as np

from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, placed_grids, section_specs, section_tiles, true_grids

SETTINGS = SyntheticSettings(rows=2, columns=2, tile_width=64, tile_height=48, lens_distortion=2.0, deformation=0.0)


def test_the_true_transforms_give_the_true_grids():
    section = section_specs(SETTINGS, 0.0, placement="true")
    tiles = section_tiles(SETTINGS, 0.0)
    assert np.abs(placed_grids(section, tiles) - true_grids(tiles)).max() < 1e-6


def test_missing_tiles_are_nan():
    section = section_specs(SETTINGS, 0.0)
    grids = placed_grids(Section(0.0, section.tiles[1:]), section_tiles(SETTINGS, 0.0), size=3)
    assert np.isnan(grids[0]).all()
    assert np.isfinite(grids[1:]).all()
    assert grids.shape == (4, 3, 3, 2)
