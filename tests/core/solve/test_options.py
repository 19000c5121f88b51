"""Checks of what a solve is asked."""

import numpy as np
import pytest

from rendermodules.core.solve.options import tile_set

PRIORS = np.tile(np.eye(2, 3), (2, 1, 1))
SIZES = np.full((2, 2), 100.0)


def test_defaults():
    tiles = tile_set(PRIORS, SIZES)
    assert len(tiles) == 2
    assert not tiles.fixed.any()
    assert tiles.lens_groups.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("priors", "sizes", "message"),
    [
        (PRIORS, SIZES[:1], "shapes"),
        (np.where(PRIORS == 1, np.nan, PRIORS), SIZES, "not finite"),
        (PRIORS, SIZES * 0, "no width or no height"),
        (PRIORS * [[[1.0], [0.0]]], SIZES, "prior of tile 0 maps everything to a line"),
    ],
)
def test_bad_tiles_are_refused(priors, sizes, message):
    with pytest.raises(ValueError, match=message):
        tile_set(priors, sizes)
