"""Turns of tiles from the turns of pairs."""

import numpy as np
import pytest

from rendermodules.core.solve.rotation import synchronized_turns


def chain_and_skips(count):
    return np.array([(i, j) for i in range(count) for j in (i + 1, i + 2) if j < count])


def differences(found, truth):
    return np.angle(np.exp(1j * (found - truth)))


@pytest.mark.parametrize("step", [0.01, 1.0, 2.5])
def test_turns_of_any_size(step):
    truth = np.arange(30) * step
    pairs = chain_and_skips(30)
    random = np.random.default_rng(0)
    turn = np.exp(1j * (truth[pairs[:, 0]] - truth[pairs[:, 1]] + random.normal(0, 1e-4, len(pairs))))
    found = synchronized_turns(30, pairs, turn, np.ones(len(pairs)), np.zeros(30, dtype=bool))
    off = differences(found, truth)
    assert np.abs(differences(off, np.angle(np.exp(1j * off).sum()))).max() < 1e-3


def test_mean_of_each_component_is_kept_and_fixed_tiles_stay():
    pairs = np.array([[0, 1], [1, 2], [3, 4]])
    turn = np.exp(1j * np.array([0.2, 0.2, 0.5]))
    fixed = np.array([False, False, False, True, False])
    found = synchronized_turns(5, pairs, turn, np.ones(3), fixed)
    np.testing.assert_allclose(found, [0.2, 0.0, -0.2, 0.0, -0.5], atol=1e-4)


def test_few_matched_tiles_among_many_others():
    turn = np.exp(1j * np.array([1.0, -2.0]))
    found = synchronized_turns(9, np.array([[4, 5], [5, 6]]), turn, np.ones(2), np.arange(9) == 5)
    np.testing.assert_allclose(found, [0, 0, 0, 0, 1.0, 0, 2.0, 0, 0], atol=1e-4)


def test_weights_of_any_size():
    pairs = chain_and_skips(20)
    truth = np.arange(20) * 0.5
    turn = np.exp(1j * (truth[pairs[:, 0]] - truth[pairs[:, 1]]))
    weights = np.where(np.arange(len(pairs)) == 0, 1e12, 1.0)
    found = synchronized_turns(20, pairs, turn, weights, np.arange(20) == 0)
    np.testing.assert_allclose(differences(found, truth), 0, atol=1e-4)


def test_wrong_pairs_are_outvoted():
    truth = np.arange(40) * 0.8
    pairs = np.array([(i, j) for i in range(40) for j in range(i + 1, min(i + 5, 40))])
    turn = np.exp(1j * (truth[pairs[:, 0]] - truth[pairs[:, 1]]))
    turn[::20] *= np.exp(2j)
    found = synchronized_turns(40, pairs, turn, np.ones(len(pairs)), np.zeros(40, dtype=bool))
    off = differences(found, truth)
    assert np.abs(differences(off, np.angle(np.exp(1j * off).sum()))).max() < 0.01
