"""Placing components and tiles without matches."""

import numpy as np
import pytest

from rendermodules.core.solve.moments import TileFrames
from rendermodules.core.solve.placement import (
    aligned_to_prior,
    coefficients_of,
    matrices_of,
    moved_with_neighbours,
    rigid_motion,
    tile_corners,
)

FRAMES = TileFrames(np.array([[50.0, 40.0], [30.0, 30.0], [50.0, 50.0]]), 60.0)
MATRICES = np.random.default_rng(0).normal(size=(3, 2, 3))
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def test_coefficients_and_matrices_are_the_same_maps():
    np.testing.assert_allclose(matrices_of(coefficients_of(MATRICES, FRAMES), FRAMES), MATRICES, atol=1e-12)


def test_corners():
    sizes = FRAMES.centres * 2
    corners = tile_corners(coefficients_of(MATRICES, FRAMES), sizes, FRAMES)
    far = MATRICES[0] @ [100.0, 80.0, 1.0]
    np.testing.assert_allclose(corners[0, 3], far)


def test_rigid_motion_of_each_group():
    points = np.random.default_rng(1).normal(size=(8, 2))
    group = np.repeat([0, 1], 4)
    target = np.where(group[:, None] == 0, points @ TURN.T + 5, points - 3)
    turns, shifts = rigid_motion(points, target, group, may_turn=True)
    np.testing.assert_allclose(turns, [TURN, np.eye(2)], atol=1e-12)
    np.testing.assert_allclose(shifts, [[5, 5], [-3, -3]], atol=1e-12)
    turns, _ = rigid_motion(points, target, group, may_turn=False)
    np.testing.assert_allclose(turns, np.tile(np.eye(2), (2, 1, 1)))


def test_loose_components_come_back_and_held_ones_stay():
    prior = coefficients_of(np.tile(np.eye(2, 3), (3, 1, 1)), FRAMES)
    moved = TURN @ prior
    moved[:, :, 0] += 100
    sizes = FRAMES.centres * 2
    labels, movable = np.array([0, 0, 1]), np.array([True, True, False])
    back = aligned_to_prior(moved, prior, sizes, FRAMES, labels, movable, may_turn=True)
    np.testing.assert_allclose(back[:2], prior[:2], atol=1e-9)
    np.testing.assert_allclose(back[2], moved[2])


@pytest.mark.parametrize("others", [1, 6])
def test_isolated_tiles_move_with_those_about_them(others):
    count = others + 1
    prior = np.zeros((count, 2, 3))
    prior[:, :, 0] = np.random.default_rng(0).uniform(0, 100, (count, 2))
    prior[:, :, 1:] = np.eye(2)
    turn = TURN if others > 2 else np.eye(2)
    solved = np.concatenate([(prior[:, :, 0] @ turn.T + 7)[:, :, None], np.tile(turn, (count, 1, 1))], axis=2)
    isolated = np.arange(count) == others
    start = np.where(isolated[:, None, None], prior, solved)
    found = moved_with_neighbours(start, prior, np.zeros(count), isolated)
    np.testing.assert_allclose(found, solved, atol=1e-9)
    assert np.array_equal(start[others], prior[others])


@pytest.mark.parametrize("count", [1, 2])
def test_few_neighbours_tell_a_turn_too(count):
    prior = np.zeros((count + 1, 2, 3))
    prior[:, :, 1:3] = 60 * np.eye(2)
    prior[:, 0, 0] = 100.0 * np.arange(count + 1)
    solved = TURN @ prior
    start = solved.copy()
    start[count] = prior[count]
    found = moved_with_neighbours(start, prior, np.zeros(count + 1), np.arange(count + 1) == count)
    np.testing.assert_allclose(found, solved, atol=1e-9)


def test_the_nearest_section_is_asked_when_a_section_has_no_placed_tile():
    prior = np.zeros((3, 2, 3))
    solved = prior.copy()
    solved[:, :, 0] = [[1, 1], [9, 9], [0, 0]]
    found = moved_with_neighbours(solved, prior, np.array([0.0, 10.0, 2.0]), np.array([False, False, True]))
    assert found[2, :, 0].tolist() == [1, 1]


def test_nothing_placed_at_all():
    prior = np.ones((2, 2, 3))
    assert np.array_equal(moved_with_neighbours(prior, prior, np.zeros(2), np.ones(2, dtype=bool)), prior)
