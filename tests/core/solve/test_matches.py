"""Checking, merging and weighting of matches."""

import copy
from dataclasses import fields

import numpy as np
import pytest

from rendermodules.core.solve.matches import (
    PairMatches,
    checked_matches,
    concatenated,
    depth_factors,
    z_distances,
    z_pairs,
)


def matches(*pairs, weights=None):
    """Make matches of (p, q, points of p, points of q)."""
    counts = [len(pair[2]) for pair in pairs]
    points = sum(counts)
    return PairMatches(
        np.array([pair[:2] for pair in pairs], dtype=np.int64).reshape(-1, 2),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([point for pair in pairs for point in pair[2]], dtype=float).reshape(-1, 2),
        np.array([point for pair in pairs for point in pair[3]], dtype=float).reshape(-1, 2),
        np.ones(points) if weights is None else np.array(weights, dtype=float),
    )


def test_distances_between_whole_numbers_of_z_are_equal():
    z = np.array([0.1, 0.2, 0.3])
    assert z_distances(z, np.array([[0, 1], [2, 1], [0, 2]])).tolist() == [0.1, 0.1, 0.2]
    assert z_pairs(z.tolist(), [0.0, 0.1]) == [(0.1, 0.1), (0.1, 0.2), (0.2, 0.2), (0.2, 0.3), (0.3, 0.3)]


def test_pairs_are_merged_whatever_their_orientation():
    given = matches((2, 1, [[1, 1]], [[2, 2]]), (0, 1, [[3, 3]], [[4, 4]]), (1, 2, [[5, 5], [6, 6]], [[7, 7], [8, 8]]))
    before = copy.deepcopy(given)
    checked = checked_matches(given, 3)
    assert checked.matches.pairs.tolist() == [[0, 1], [1, 2]]
    assert checked.matches.offsets.tolist() == [0, 1, 4]
    assert checked.matches.points_p.tolist() == [[3, 3], [2, 2], [5, 5], [6, 6]]
    assert checked.matches.points_q.tolist() == [[4, 4], [1, 1], [7, 7], [8, 8]]
    assert checked.source.tolist() == [1, 0, 1]
    assert checked.dropped == {}
    assert all(np.array_equal(getattr(given, part.name), getattr(before, part.name)) for part in fields(given))


def test_reasons_of_dropping():
    given = matches(
        (0, 3, [[0, 0]] * 2, [[0, 0]] * 2),
        (-1, 0, [[0, 0]] * 2, [[0, 0]] * 2),
        (1, 1, [[0, 0]] * 2, [[0, 0]] * 2),
        (0, 1, [[np.nan, 0], [0, 0]], [[0, 0], [np.inf, 0]]),
        (0, 2, [[0, 0]], [[0, 0]]),
        (1, 2, [[0, 0]] * 3, [[0, 0]] * 3),
        weights=[1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, np.nan, 1][:9] + [1, 1, 1],
    )
    checked = checked_matches(given, 3, minimum_points=2)
    assert {reason: indices.tolist() for reason, indices in checked.dropped.items()} == {
        "unknown tile": [0, 1],
        "a tile with itself": [2],
        "no usable points": [3],
        "too few points": [4],
    }
    assert checked.source.tolist() == [-1, -1, -1, -1, -1, 0]
    assert checked.points_dropped == {"coordinates not finite": 2}


def test_points_without_weight_are_dropped_and_counted():
    given = matches((0, 1, [[0, 0]] * 4, [[0, 0]] * 4), weights=[1, 0, np.nan, -1])
    checked = checked_matches(given, 2)
    assert checked.matches.offsets.tolist() == [0, 1]
    assert checked.points_dropped == {"weight zero": 1, "weight not finite or negative": 2}


def test_most_points_are_chosen_by_the_seed():
    given = matches((0, 1, [[i, 0] for i in range(50)], [[i, 0] for i in range(50)]), (1, 2, [[0, 0]], [[0, 0]]))
    first, same, other = (checked_matches(given, 3, maximum_points=8, seed=seed).matches for seed in (1, 1, 2))
    assert first.counts.tolist() == [8, 1]
    assert np.array_equal(first.points_p, same.points_p)
    assert not np.array_equal(first.points_p, other.points_p)
    assert np.array_equal(first.points_p, first.points_q)


@pytest.mark.parametrize("tiles", [0, 1, 3])
def test_no_pairs(tiles):
    checked = checked_matches(matches(), tiles)
    assert checked.matches.pairs.shape == (0, 2)
    assert checked.dropped == {}


def test_nothing_left():
    checked = checked_matches(matches((0, 1, [[0, 0]], [[0, 0]])), 1)
    assert checked.matches.pairs.shape == (0, 2)
    assert checked.dropped["unknown tile"].tolist() == [0]


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("pairs", np.zeros((1, 3), dtype=int), r"not \(m, 2\)"),
        ("weights", np.ones(3), "not"),
        ("offsets", np.array([0, 1]), "do not divide 2 points"),
        ("offsets", np.array([0, 3, 2]), "do not divide|decrease"),
    ],
)
def test_arrays_must_fit(part, value, message):
    good = matches((0, 1, [[0, 0]] * 2, [[0, 0]] * 2))
    parts = {field.name: getattr(good, field.name) for field in fields(good)} | {part: value}
    with pytest.raises(ValueError, match=message):
        PairMatches(**parts)


def test_collections_one_after_the_other():
    one, two = matches((0, 1, [[1, 1]], [[2, 2]])), matches((0, 1, [[3, 3]], [[4, 4]]), (1, 2, [[5, 5]], [[6, 6]]))
    both = concatenated([one, two])
    assert both.pairs.tolist() == [[0, 1], [0, 1], [1, 2]]
    assert checked_matches(both, 3).matches.counts.tolist() == [2, 1]
    assert concatenated([]).pairs.shape == (0, 2)


def test_weights_by_depth():
    distances = np.array([0.0, 1.0, 2.0])
    assert depth_factors(distances, 2.0, 0.6, inverse_distance=True).tolist() == pytest.approx([2.0, 0.3, 0.2])
    assert depth_factors(distances, 2.0, 0.6, inverse_distance=False).tolist() == [2.0, 0.6, 0.6]
    assert depth_factors(distances, 2.0, 0.6, inverse_distance=True, by_depth=[5.0, 4.0]).tolist() == [5.0, 4.0, 0.0]
