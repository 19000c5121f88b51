"""Weights against wrong pairs."""

import numpy as np
import pytest

from rendermodules.core.solve.reweighting import ALWAYS_KEPT, Reweighting


def test_weights_fall_with_the_residual_and_reject_beyond_four_and_a_half_medians():
    residuals = np.array([1.0] * 10 + [4.4, 4.6, 100.0])
    reweighting = Reweighting(np.zeros(13, dtype=int))
    weights = reweighting.weights(residuals)
    assert (np.diff(weights[9:]) < 0).all()
    assert reweighting.kept(weights).tolist() == [True] * 11 + [False, False]


def test_kinds_are_judged_apart():
    residuals = np.array([0.5] * 9 + [6.0] * 9)
    assert not Reweighting(np.zeros(18, dtype=int)).kept(np.zeros(18)).any()
    weights = Reweighting(np.repeat([0, 1], 9)).weights(residuals)
    assert len(np.unique(weights)) == 1


def test_small_residuals_are_never_wrong():
    residuals = np.array([0.0] * 10 + [0.7])
    reweighting = Reweighting(np.zeros(11, dtype=int))
    assert reweighting.kept(reweighting.weights(residuals)).all()


def test_wishes_are_not_judged():
    reweighting = Reweighting(np.array([0, 0, 0, ALWAYS_KEPT]))
    residuals = np.array([1.0, 1.0, 1.0, 1e6])
    assert reweighting.weights(residuals)[3] == 1
    assert reweighting.agreeing(residuals, np.array([True, True, True, False])).all()


def test_pairs_come_back_when_those_kept_are_no_better():
    residuals = np.array([4.0, 4.0, 4.0, 10.0, 30.0])
    kept = np.array([True, True, True, False, False])
    assert Reweighting(np.zeros(5, dtype=int)).agreeing(residuals, kept).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("shift", [30.0, 150.0])
def test_first_weights_find_wrong_pairs_before_any_solve(montage, shift):
    from rendermodules.core.solve.bases import polynomial_basis
    from rendermodules.core.solve.moments import TileFrames, pair_moments

    wrong = [5, 20]
    made = montage().with_wrong_pairs(wrong, shift)
    frames = TileFrames(made.tiles.sizes / 2, 700.0)
    moments = pair_moments(made.matches, frames, polynomial_basis(1).values, 3)
    linear = made.tiles.priors[:, :, :2] * 700.0
    weights = Reweighting(np.zeros(len(made.matches.pairs), dtype=int)).first_weights(
        moments, linear, np.full(len(made.matches.pairs), 10.0)
    )
    assert weights[wrong].max() < 0.011
    assert np.median(weights) > 0.5
