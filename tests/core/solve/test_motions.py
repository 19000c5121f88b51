"""Motions of tiles by Gauss-Newton."""

import numpy as np
import pytest

from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.moments import TileFrames, pair_moments
from rendermodules.core.solve.motions import Motions, fitted_motions
from rendermodules.core.solve.system import TileSystem

COUNT = 12
SCALE = 100.0


def random_motions(unknowns, seed=0):
    random = np.random.default_rng(seed)
    angles = random.uniform(-0.3, 0.3, COUNT) if unknowns > 2 else np.zeros(COUNT)
    sizes = random.uniform(0.9, 1.1, COUNT) if unknowns > 3 else np.ones(COUNT)
    cosine, sine = sizes * np.cos(angles), sizes * np.sin(angles)
    linear = np.stack([np.stack([cosine, -sine], axis=1), np.stack([sine, cosine], axis=1)], axis=1) * SCALE
    columns, rows = np.meshgrid(np.arange(4), np.arange(3))
    positions = np.stack([columns.ravel(), rows.ravel()], axis=1) * 120.0 + random.uniform(-9, 9, (COUNT, 2))
    return Motions(positions, linear, np.eye(2))


def exact_moments(motions):
    """Give moments of matches that a set of motions explains entirely."""
    random = np.random.default_rng(1)
    pairs = np.array([(i, j) for i in range(COUNT) for j in range(i + 1, COUNT) if j - i in (1, 4)])
    world = (motions.positions[pairs[:, 0]] + motions.positions[pairs[:, 1]])[:, None] / 2
    world = world + random.uniform(-40, 40, (len(pairs), 6, 2))

    def local(tiles):
        inverse = np.linalg.inv(motions.linear[tiles] / SCALE)
        return np.einsum("mij,mnj->mni", inverse, world - motions.positions[tiles][:, None]).reshape(-1, 2)

    matches = PairMatches(
        pairs, np.arange(len(pairs) + 1) * 6, local(pairs[:, 0]), local(pairs[:, 1]), np.ones(len(pairs) * 6)
    )
    return pair_moments(matches, TileFrames(np.zeros((COUNT, 2)), SCALE), polynomial_basis(1).values, 3)


@pytest.mark.parametrize("unknowns", [2, 3])
def test_exact_matches_are_met(unknowns):
    moments = exact_moments(random_motions(unknowns))
    columns, rows = np.meshgrid(np.arange(4), np.arange(3))
    nominal = np.stack([columns.ravel(), rows.ravel()], axis=1) * 120.0
    start = Motions(nominal, np.tile(SCALE * np.eye(2), (COUNT, 1, 1)), np.eye(2))
    found, factors = fitted_motions(moments, start, TileSystem(moments.pairs, np.ones(COUNT, dtype=bool)), unknowns)
    assert np.sqrt(moments.squared_errors(found.coefficients) / moments.weights).max() < 1e-5
    assert (factors == 1).all()
    np.testing.assert_allclose(found.sizes, SCALE, rtol=1e-12)


def test_similarities_keep_their_mean_size():
    truth = random_motions(4)
    moments = exact_moments(truth)
    start = Motions(truth.positions, np.tile(SCALE * np.eye(2), (COUNT, 1, 1)), np.eye(2))
    found, _ = fitted_motions(moments, start, TileSystem(moments.pairs, np.ones(COUNT, dtype=bool)), 4)
    assert np.sqrt(moments.squared_errors(found.coefficients) / moments.weights).max() < 1e-3
    assert np.mean(found.linear[:, 0, 0]) == pytest.approx(SCALE, rel=0.02)


def test_fixed_tiles_stay_and_the_others_come_to_them():
    truth = random_motions(3)
    moments = exact_moments(truth)
    free = np.ones(COUNT, dtype=bool)
    free[[0, 5]] = False
    start = Motions(
        truth.positions + np.where(free[:, None], [4.0, -3.0], 0.0),
        np.where(free[:, None, None], SCALE * np.eye(2), truth.linear),
        np.eye(2),
    )
    found, _ = fitted_motions(moments, start, TileSystem(moments.pairs, free), 3)
    np.testing.assert_allclose(found.coefficients, truth.coefficients, atol=1e-4)


def test_start_is_not_changed():
    truth = random_motions(3)
    moments = exact_moments(truth)
    start = Motions(truth.positions + 1, truth.linear.copy(), np.eye(2))
    before = start.coefficients.copy()
    fitted_motions(moments, start, TileSystem(moments.pairs, np.ones(COUNT, dtype=bool)), 3)
    assert np.array_equal(start.coefficients, before)


def test_jacobian_is_the_derivative():
    motions = Motions(random_motions(3).positions, random_motions(3).linear, np.array([[1, 0, 0.1], [0, 1, 0.2]]))
    for unknown in range(4):
        step = np.zeros((COUNT, 4))
        step[:, unknown] = 1e-4
        moved = motions.moved(np.arange(COUNT), step).coefficients
        back = motions.moved(np.arange(COUNT), -step).coefficients
        np.testing.assert_allclose((moved - back) / 2e-4, motions.jacobian(4)[:, unknown], atol=1e-6)
