"""Graphs of matched tiles."""

import numpy as np

from rendermodules.core.connectivity import (
    branch_pairs,
    component_labels,
    connected_sample,
    pair_counts,
    pairs_within,
    split_off,
)

PAIRS = np.array([[0, 1], [1, 2], [4, 5]])


def test_components_in_the_order_of_their_first_tile():
    assert component_labels(7, PAIRS).tolist() == [0, 0, 0, 1, 2, 2, 3]


def test_no_pairs_and_no_tiles():
    assert component_labels(3, np.empty((0, 2), dtype=int)).tolist() == [0, 1, 2]
    assert component_labels(0, np.empty((0, 2), dtype=int)).tolist() == []
    assert connected_sample(0, np.empty((0, 2), dtype=int), 5).tolist() == []


def test_pairs_of_each_tile():
    assert pair_counts(7, PAIRS).tolist() == [1, 2, 1, 0, 1, 1, 0]


def test_pairs_within_members():
    assert pairs_within(np.array([True, True, False, True, True, True, True]), PAIRS).tolist() == [True, False, True]


def test_branches_are_all_that_is_on_no_cycle_nor_between_cycles():
    triangle, further = [[0, 1], [1, 2], [0, 2]], [[5, 6], [6, 7], [5, 7]]
    between, branch, apart = [[2, 5]], [[1, 3], [3, 4]], [[8, 9]]
    found = branch_pairs(10, np.array([*triangle, *further, *between, *branch, *apart]))
    assert found.tolist() == [False] * 7 + [True] * 3
    assert branch_pairs(3, np.empty((0, 2), dtype=int)).tolist() == []


def test_tiles_that_lose_their_component():
    pairs = np.array([[0, 1], [1, 2], [2, 3], [5, 6]])
    assert split_off(7, pairs, np.ones(4, dtype=bool)).tolist() == [False] * 7
    assert split_off(7, pairs, np.array([True, False, True, False])).tolist() == [
        *[False] * 2,
        *[True] * 2,
        False,
        False,
        True,
    ]
    assert split_off(7, pairs, np.array([False, True, True, True])).tolist() == [True, *[False] * 6]
    assert split_off(0, pairs[:0], np.ones(0, dtype=bool)).tolist() == []


def test_sample_is_a_connected_part_of_the_largest_component():
    side = 12
    tiles = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.stack([tiles[:, :-1].ravel(), tiles[:, 1:].ravel()], axis=1),
            np.stack([tiles[:-1].ravel(), tiles[1:].ravel()], axis=1),
            [[side * side, side * side + 1]],
        ]
    )
    count = side * side + 2
    sample = connected_sample(count, pairs, 40)
    assert sample.sum() == 40
    inside = component_labels(count, pairs[pairs_within(sample, pairs)])[sample]
    assert len(np.unique(inside)) == 1
    assert connected_sample(count, pairs, 10**6).sum() == side * side
