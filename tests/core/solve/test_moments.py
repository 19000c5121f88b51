"""Moments of pairs, against sums over their points."""

import numpy as np
import pytest

from rendermodules.core.solve import moments as moments_module
from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.moments import TileFrames, monomial_exponents, monomials, pair_moments


@pytest.fixture
def random_matches():
    random = np.random.default_rng(0)
    counts = [4, 1, 7]
    points = random.uniform(0, 500, (2, sum(counts), 2))
    return PairMatches(
        np.array([[0, 1], [0, 2], [1, 2]]),
        np.concatenate([[0], np.cumsum(counts)]),
        points[0],
        points[1],
        random.uniform(0.5, 2, sum(counts)),
    )


FRAMES = TileFrames(np.array([[250.0, 250.0], [200.0, 260.0], [250.0, 240.0]]), 300.0)


def residuals(matches, coefficients, order):
    tiles = matches.pairs[matches.pair_of_point]
    sides = []
    for side, points in enumerate((matches.points_p, matches.points_q)):
        values = monomials(FRAMES.normalized(points, tiles[:, side]), order)
        sides.append(np.einsum("ncb,nb->nc", coefficients[tiles[:, side]], values))
    return sides[0] - sides[1]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_errors_and_gradients_are_those_of_the_points(random_matches, order):
    basis = polynomial_basis(order)
    coefficients = np.random.default_rng(1).normal(size=(3, 2, basis.size)) * 100
    moments = pair_moments(random_matches, FRAMES, basis.values, basis.size)
    by_point = residuals(random_matches, coefficients, order)
    squared = random_matches.weights * (by_point**2).sum(axis=1)
    expected = np.bincount(random_matches.pair_of_point, squared)
    np.testing.assert_allclose(moments.squared_errors(coefficients), expected, rtol=1e-10)

    step = np.zeros_like(coefficients)
    step[1, 0, 1] = 1e-3
    change = moments.squared_errors(coefficients + step) - moments.squared_errors(coefficients - step)
    at_p, at_q = moments.gradients(coefficients)
    assert change[0] / 4e-3 == pytest.approx(-at_q[0, 0, 1], rel=1e-6)
    assert change[2] / 4e-3 == pytest.approx(at_p[2, 0, 1], rel=1e-6)


def test_sums_and_counts(random_matches):
    moments = pair_moments(random_matches, FRAMES, polynomial_basis(1).values, 3)
    np.testing.assert_allclose(
        moments.weights, np.bincount(random_matches.pair_of_point, random_matches.weights), rtol=1e-12
    )
    assert moments.counts.tolist() == [4, 1, 7]
    np.testing.assert_allclose(moments.gram, moments.gram.transpose(0, 2, 1))
    np.testing.assert_allclose(moments.scaled(np.array([1.0, 2.0, 0.0])).weights, moments.weights * [1, 2, 0])
    assert moments.subset(np.array([True, False, True])).pairs.tolist() == [[0, 1], [1, 2]]


def test_chunks_change_nothing(random_matches, monkeypatch):
    whole = pair_moments(random_matches, FRAMES, polynomial_basis(2).values, 6).gram
    monkeypatch.setattr(moments_module, "POINTS_PER_CHUNK", 2)
    assert np.array_equal(pair_moments(random_matches, FRAMES, polynomial_basis(2).values, 6).gram, whole)


def test_reduced_basis(random_matches):
    full = pair_moments(random_matches, FRAMES, polynomial_basis(2).values, 6)
    affine = pair_moments(random_matches, FRAMES, polynomial_basis(1).values, 3)
    np.testing.assert_allclose(full.reduced(np.eye(3, 6)).gram, affine.gram, rtol=1e-12)


def test_order_of_monomials():
    assert monomial_exponents(3) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3)]
    assert monomials(np.array([[2.0, 3.0]]), 2).tolist() == [[1, 2, 3, 4, 6, 9]]
