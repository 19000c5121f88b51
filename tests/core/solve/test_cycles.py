"""Motions of pairs and how they close cycles."""

import numpy as np
import pytest

from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.cycles import closure_errors, pair_motions
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.moments import TileFrames, pair_moments


def test_motion_of_a_pair():
    random = np.random.default_rng(0)
    p = random.uniform(-50, 50, (8, 2))
    z = p[:, 0] + 1j * p[:, 1]
    turn, shift = np.exp(0.7j), 30 - 12j
    w = turn * z + shift
    matches = PairMatches(np.array([[0, 1]]), np.array([0, 8]), p, np.stack([w.real, w.imag], axis=1), np.ones(8))
    moments = pair_moments(matches, TileFrames(np.zeros((2, 2)), 10.0), polynomial_basis(1).values, 3)
    found_turn, found_shift = pair_motions(moments, np.tile(10.0 * np.eye(2), (2, 1, 1)))
    assert found_turn[0] == pytest.approx(turn)
    assert found_shift[0] == pytest.approx(shift)


def test_points_that_coincide_tell_no_turn():
    point = np.tile([[3.0, 4.0]], (5, 1))
    matches = PairMatches(np.array([[0, 1]]), np.array([0, 5]), point, point + 1, np.ones(5))
    moments = pair_moments(matches, TileFrames(np.zeros((2, 2)), 1.0), polynomial_basis(1).values, 3)
    turn, shift = pair_motions(moments, np.tile(np.eye(2), (2, 1, 1)))
    assert abs(turn[0]) == pytest.approx(1)
    assert np.isfinite(shift[0])


def ring(count, positions):
    pairs = np.array([sorted((i, (i + 1) % count)) for i in range(count)])
    return pairs, positions[pairs[:, 0]] - positions[pairs[:, 1]]


@pytest.mark.parametrize(("count", "closes"), [(3, True), (4, True), (5, False)])
def test_cycles_of_three_and_four(count, closes):
    positions = np.exp(2j * np.pi * np.arange(count) / count) * 100
    pairs, shift = ring(count, positions)
    errors = closure_errors(count, pairs, np.ones(count, dtype=complex), shift, 50.0)
    assert np.isfinite(errors).all() == closes
    if closes:
        np.testing.assert_allclose(errors, 0, atol=1e-9)
        shift[0] += 7
        np.testing.assert_allclose(
            closure_errors(count, pairs, np.ones(count, dtype=complex), shift, 50.0), 7, atol=1e-9
        )


def test_a_wrong_turn_counts_at_the_size_of_a_tile():
    pairs, shift = ring(4, np.zeros(4, dtype=complex))
    turn = np.array([np.exp(0.01j), 1, 1, 1])
    np.testing.assert_allclose(closure_errors(4, pairs, turn, shift, 50.0), 0.5, rtol=1e-3)


def test_the_best_cycle_counts():
    # two squares share the pair 1-2; the wrong pair 0-1 spoils only the one
    pairs = np.array([[0, 1], [1, 2], [2, 3], [0, 3], [1, 4], [4, 5], [2, 5]])
    positions = np.array([0, 1, 1 + 1j, 1j, 2, 2 + 1j]) * 100
    shift = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    shift[0] += 9
    errors = closure_errors(6, pairs, np.ones(7, dtype=complex), shift, 50.0)
    np.testing.assert_allclose(errors, [9, 0, 9, 9, 0, 0, 0], atol=1e-9)
