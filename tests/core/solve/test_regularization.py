"""The learnt strength of regularisation, against the best of a sweep that knows the truth."""

import numpy as np
import pytest

from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.linear import coefficient_model, regularized_system
from rendermodules.core.solve.moments import TileFrames, pair_moments
from rendermodules.core.solve.regularization import evidence, likeliest_strength, strength_sweep
from rendermodules.core.solve.system import TileSystem

SCALE = 724.0


def sheared(made, strength, seed):
    """Return a montage whose tiles are deformed by random affines of some pixels at the corner, and the affines."""
    from dataclasses import replace

    random = np.random.default_rng(seed)
    shapes = np.eye(2) + random.normal(size=(len(made.tiles), 2, 2)) * strength / SCALE
    tiles = made.matches.pairs[made.matches.pair_of_point]
    points = []
    for side, old in enumerate((made.matches.points_p, made.matches.points_q)):
        inverse = np.linalg.inv(shapes[tiles[:, side]])
        points.append(np.einsum("nij,nj->ni", inverse, old - 512.0) + 512.0)
    return replace(made, matches=replace(made.matches, points_p=points[0], points_q=points[1])), shapes


def system_of(made):
    frames = TileFrames(made.tiles.sizes / 2, SCALE)
    moments = pair_moments(made.matches, frames, polynomial_basis(1).values, 3)
    motions = np.array([tile.motion for tile in made.truth])
    centres = np.array([tile.to_section(np.array([512.0, 512.0])) for tile in made.truth])
    reference = np.concatenate([centres[:, :, None], motions[:, :, :2] * SCALE], axis=2)
    cost = np.tile(polynomial_basis(1).cost(2 * 512 / SCALE, 2 * 512 / SCALE), (len(reference), 1, 1))
    system = TileSystem(moments.pairs, np.ones(len(reference), dtype=bool))
    return regularized_system(coefficient_model(reference, cost), moments, system, hold_mean=True), reference


def shape_error(coefficients, reference, shapes):
    truth = reference[:, :, 1:] @ shapes
    return np.sqrt(np.mean((coefficients[:, :, 1:] - truth) ** 2))


@pytest.mark.parametrize("strength", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_near_the_best(montage, strength, seed):
    made, shapes = sheared(montage(rows=6, columns=8, seed=seed), strength, seed)
    equations, reference = system_of(made)
    points = len(made.matches.weights)
    chosen = evidence(equations, likeliest_strength(equations, points), points)
    sweep = strength_sweep(equations, np.geomspace(1e-5, 1e5, 31), points)
    best = min(shape_error(one.coefficients, reference, shapes) for one in sweep)
    assert shape_error(chosen.coefficients, reference, shapes) < 1.05 * best
    assert chosen.score <= min(one.score for one in sweep) + 0.5


def test_tiles_that_do_not_depart_are_left_at_their_reference(montage):
    made = montage(rows=6, columns=8)
    equations, reference = system_of(made)
    points = len(made.matches.weights)
    chosen = evidence(equations, likeliest_strength(equations, points), points)
    assert np.abs(chosen.coefficients[:, :, 1:] - reference[:, :, 1:]).max() < 0.02


def test_weights_of_another_unit_change_nothing(montage):
    from dataclasses import replace

    made, _ = sheared(montage(), 1.0, 1)
    heavy = replace(made, matches=replace(made.matches, weights=made.matches.weights * 1000))
    points = len(made.matches.weights)
    one, other = (likeliest_strength(system_of(case)[0], points) for case in (made, heavy))
    assert other == pytest.approx(1000 * one, rel=1e-3)


def test_stronger_regularisation_leaves_larger_errors_and_smaller_departures(montage):
    made, _ = sheared(montage(), 1.0, 1)
    sweep = strength_sweep(system_of(made)[0], [1e-2, 1.0, 1e2], len(made.matches.weights))
    assert np.all(np.diff([one.squared_error for one in sweep]) > 0)
    assert np.all(np.diff([one.departure for one in sweep]) < 0)
