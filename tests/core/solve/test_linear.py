"""Linear models, against systems and solutions that BigFeta 1.1.4 wrote for the same tiles and matches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.lens import monomial_expansion
from rendermodules.core.solve.linear import (
    coefficient_model,
    fitted_linear,
    regularized_system,
    similarity_model,
    solved,
)
from rendermodules.core.solve.matches import PairMatches, checked_matches
from rendermodules.core.solve.moments import TileFrames, monomials, pair_moments
from rendermodules.core.solve.motions import Motions
from rendermodules.core.solve.reweighting import Reweighting
from rendermodules.core.solve.stages import pixel_cost
from rendermodules.core.solve.system import TileSystem

RECORDED = Path(__file__).parents[2] / "data" / "solve" / "recorded_systems.npz"
STRENGTH = 100.0
CASES = {"affine": (1, (1e-3, 1.0), [1, 2, 0]), "polynomial": (2, (1e-3, 1.0, 1e6), [0, 1, 2, 3, 4, 5])}
"""Order, factors of the degrees, and where the recorded unknowns of a tile are among our terms."""


@pytest.fixture(scope="module")
def recorded():
    return dict(np.load(RECORDED))


def equations(recorded, order, factors, frames):
    raw = PairMatches(*(recorded[name] for name in ("pairs", "offsets", "points_p", "points_q", "weights")))
    basis = polynomial_basis(order)
    count = len(recorded["priors"])
    matches = checked_matches(raw, count).matches
    moments = pair_moments(matches, frames, basis.values, basis.size)
    reference = np.zeros((count, 2, basis.size))
    priors = recorded["priors"]
    positions = priors[:, :, :2] @ frames.centres[:, :, None] + priors[:, :, 2:]
    reference[:, :, :3] = np.concatenate([positions, priors[:, :, :2] * frames.scale], axis=2)
    model = coefficient_model(reference, pixel_cost(frames, order, factors))
    system = TileSystem(moments.pairs, np.ones(count, dtype=bool))
    return regularized_system(model, moments, system, hold_mean=False)


@pytest.mark.parametrize("name", CASES)
def test_system_matrix_is_the_recorded_one(recorded, name):
    order, factors, places = CASES[name]
    count = len(recorded["priors"])
    matrix = equations(recorded, order, factors, TileFrames(np.zeros((count, 2)), 1.0)).matrix(STRENGTH).toarray()
    size = len(places)
    rows = (np.arange(count)[:, None] * size + places).ravel()
    entries = (recorded[f"{name}_value"], (recorded[f"{name}_row"], recorded[f"{name}_col"]))
    expected = sparse.coo_matrix(entries, shape=matrix.shape).toarray()
    np.testing.assert_allclose(matrix[np.ix_(rows, rows)], expected, rtol=1e-12, atol=1e-12 * expected.max())


@pytest.mark.parametrize("name", CASES)
def test_solution_is_the_recorded_one(recorded, name):
    order, factors, places = CASES[name]
    sizes = recorded["sizes"]
    frames = TileFrames(sizes / 2, float(np.linalg.norm(sizes[0]) / 2))
    solution = solved(equations(recorded, order, factors, frames), STRENGTH)
    assert solution.precision < 1e-12
    ours = solution.coefficients @ monomial_expansion(frames.centres[0], frames.scale, order)
    theirs = np.empty_like(ours)
    theirs[:, :, places] = recorded[f"{name}_solution"].reshape(len(ours), -1, 2).transpose(0, 2, 1)
    corners = monomials(np.array([[0, 0], [2048, 0], [0, 2048], [2048, 2048]], dtype=float), order)
    # the recorded system of the polynomials is of powers of pixels and hardly conditioned
    np.testing.assert_allclose(ours @ corners.T, theirs @ corners.T, atol=1e-4)


def test_mean_shape_is_held_however_weak_the_regularisation(montage):
    made = montage(noise=2.0)
    frames = TileFrames(made.tiles.sizes / 2, 724.0)
    moments = pair_moments(made.matches, frames, polynomial_basis(1).values, 3)
    count = len(made.tiles)
    reference = np.concatenate([made.tiles.priors[:, :, 2:] + 512.0, 724.0 * made.tiles.priors[:, :, :2]], axis=2)
    cost = np.tile(polynomial_basis(1).cost(1.4, 1.4), (count, 1, 1))
    cost[:, 0, 0] = 1e-6
    system = TileSystem(moments.pairs, np.ones(count, dtype=bool))
    model = coefficient_model(reference, cost)
    free = solved(regularized_system(model, moments, system, hold_mean=False), 1e-2).coefficients
    held = solved(regularized_system(model, moments, system, hold_mean=True), 1e-2).coefficients
    assert free[:, 0, 1].mean() / 724.0 < 0.99
    np.testing.assert_allclose(held[:, :, 1:].mean(axis=0) / 724.0, np.eye(2), atol=1e-9)
    assert np.isfinite(held).all()


def test_similarity_model_is_a_similarity(montage):
    made = montage()
    frames = TileFrames(made.tiles.sizes / 2, 724.0)
    moments = pair_moments(made.matches, frames, polynomial_basis(1).values, 3)
    positions = made.tiles.priors[:, :, 2] + 512.0
    start = Motions(positions, 724.0 * made.tiles.priors[:, :, :2], np.eye(2))
    system = TileSystem(moments.pairs, np.ones(len(positions), dtype=bool))
    factors = np.ones(len(moments.pairs))
    solution, _ = fitted_linear(similarity_model(start), moments, system, 1.0, True, None, factors)
    linear = solution.coefficients[:, :, 1:]
    np.testing.assert_allclose(linear[:, 0, 0], linear[:, 1, 1], atol=1e-9)
    np.testing.assert_allclose(linear[:, 0, 1], -linear[:, 1, 0], atol=1e-9)
    assert moments.squared_errors(solution.coefficients).sum() < 0.01 * moments.squared_errors(start.coefficients).sum()


def test_wrong_pairs_lose_their_weight(montage):
    made = montage().with_wrong_pairs([7])
    frames = TileFrames(made.tiles.sizes / 2, 724.0)
    moments = pair_moments(made.matches, frames, polynomial_basis(1).values, 3)
    positions = np.array([(tile.x, tile.y) for tile in made.truth]) + 512.0
    start = Motions(positions, 724.0 * made.tiles.priors[:, :, :2], np.eye(2))
    system = TileSystem(moments.pairs, np.ones(len(positions), dtype=bool))
    reweighting = Reweighting(np.zeros(len(moments.pairs), dtype=int))
    model = similarity_model(start)
    model = replace(model, cost=model.cost * 1e-3)
    first = reweighting.weights(np.ones(len(moments.pairs)))
    _, factors = fitted_linear(model, moments, system, 1.0, True, reweighting, first)
    assert factors[7] < 0.01
    assert np.median(factors) > 0.2
