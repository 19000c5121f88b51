"""Lenses learnt from matches."""

from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.solve.lens_fit import fitted_lens
from rendermodules.core.solve.moments import TileFrames
from rendermodules.core.solve.placement import coefficients_of
from rendermodules.core.solve.stages import prior_motions


def found_lens(made, choice):
    frames = TileFrames(made.tiles.sizes / 2, float(np.linalg.norm(made.tiles.sizes[0]) / 2))
    start = prior_motions(coefficients_of(made.tiles.priors, frames))
    kinds = np.zeros(len(made.matches.pairs), dtype=int)
    return fitted_lens(made.matches, kinds, frames, start, made.tiles.fixed, choice)


def test_a_radial_lens_is_recognised_and_recovered(montage):
    made = montage(lens=4.0)
    lens = found_lens(made, "auto")
    edge = np.linspace(0, 1023, 9)
    points = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
    assert lens.order == 3
    # what is left may be a motion and a change of scale that the tiles make good
    off = lens.applied(points) - made.truth[0].lens.undistorted(points)
    fit = np.linalg.lstsq(np.column_stack([np.ones(len(points)), points]), off, rcond=None)[0]
    assert np.abs(off - np.column_stack([np.ones(len(points)), points]) @ fit).max() < 0.15


def test_no_lens_is_invented(montage):
    assert found_lens(montage(lens=0.0), "auto") is None


def test_wrong_pairs_do_not_make_a_lens(montage):
    assert found_lens(montage().with_wrong_pairs([4, 17]), "auto") is None


@pytest.mark.parametrize("kind", ["radial5", "polynomial"])
def test_a_kind_that_is_asked_for_is_given(montage, kind):
    lens = found_lens(montage(lens=4.0), kind)
    assert lens.order == {"radial5": 5, "polynomial": 3}[kind]
    assert 2.0 < lens.largest_displacement(1024, 1024) < 8.0


def test_no_pairs_no_lens(montage):
    made = montage(rows=1, columns=1)
    assert found_lens(made, "radial") is None


def test_a_tile_that_is_only_deformed_makes_no_lens(montage):
    made = montage(rows=1, columns=2)
    shear = np.array([[1.0, 0.02], [0.03, 1.0]])
    bent = replace(made, matches=replace(made.matches, points_q=made.matches.points_q @ shear))
    assert found_lens(bent, "auto") is None
