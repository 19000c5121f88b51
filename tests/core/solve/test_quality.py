"""Figures and warnings of a solution."""

import numpy as np
import pytest

from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.moments import TileFrames, pair_moments
from rendermodules.core.solve.quality import scales, shape_warnings, shears, statistics

IDENTITY = np.tile(np.eye(2), (4, 1, 1))


def test_sound_shapes_give_no_warning():
    assert shape_warnings(IDENTITY * 1.01, IDENTITY) == []
    assert shape_warnings(IDENTITY * 0.3, IDENTITY * 0.3) == []


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (np.diag([0.4, 0.4]), "scale of the tiles is"),
        (np.diag([1.0, -1.0]), "flipped"),
        (np.array([[1.0, 0.4], [0.0, 1.0]]), "sheared"),
    ],
)
def test_unsound_shapes_are_named(shape, message):
    bad = IDENTITY.copy()
    bad[1:] = shape
    assert any(message in warning for warning in shape_warnings(bad, IDENTITY))


def test_scale_and_shear():
    assert scales(np.array([[[2.0, 0.0], [0.0, 3.0]]]))[0] == pytest.approx(np.sqrt(6))
    angle = 0.1
    assert shears(np.array([[[1.0, np.sin(angle)], [0.0, np.cos(angle)]]]))[0] == pytest.approx(angle)


def test_figures_are_those_of_the_points():
    random = np.random.default_rng(0)
    p, q = random.normal(size=(2, 9, 2))
    weights = random.uniform(0.5, 2, 9)
    matches = PairMatches(np.array([[0, 1], [1, 2]]), np.array([0, 4, 9]), p, q, weights)
    moments = pair_moments(matches, TileFrames(np.zeros((3, 2)), 1.0), polynomial_basis(1).values, 3)
    prior = np.tile(np.eye(2, 3)[:, [2, 0, 1]], (3, 1, 1))
    found = statistics(moments, prior, prior, 0.0)
    residual = p - q
    mean = np.average(residual, axis=0, weights=weights)
    np.testing.assert_allclose(found.residual_mean, mean)
    deviation = np.sqrt(np.average((residual - mean) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(found.residual_deviation, deviation)
    total = (weights * (residual**2).sum(axis=1)).sum()
    assert found.error == pytest.approx(np.sqrt(total))
    assert found.residual_rms == pytest.approx(np.sqrt(total / weights.sum()))
    assert (found.scale_mean, found.scale_deviation) == (1.0, 0.0)
