import numpy as np
import pytest

from rendermodules.core.match_filters import (
    Agreement,
    PairLimits,
    agreeing_matches,
    evenly_weighted,
    filtered_pair,
    judged_pair,
)
from rendermodules.core.pointmatches import point_matches, with_weights

ANY = PairLimits("AFFINE", None, None, 1)


def moved(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def pair(p, q, weights=None, q_id="q"):
    return point_matches(("1", "p"), ("1", q_id), p, q, weights)


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform(0, 1000, (60, 2))


def test_residual_is_the_root_mean_square_distance(points):
    off = np.random.default_rng(1).normal(0, 2, points.shape)
    judged = judged_pair(pair(points, points + [100, -5] + off), None, ANY)
    assert judged.count == 60
    assert judged.residual == pytest.approx(np.sqrt(np.square(off).sum(axis=1).mean()), rel=0.1)
    assert judged.reason is None
    assert judged.deviation is None


def test_deviation_is_taken_in_the_middle_of_the_matches(points):
    # turned about a point far away: the model's own shift says nothing about where the tiles lie
    angle = 0.01
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    p = points + [50_000, 0]
    middle = p.mean(axis=0)
    q = (p - middle) @ linear.T + middle + [3, 4]
    judged = judged_pair(pair(p, q), np.eye(2, 3), ANY)
    assert judged.deviation == pytest.approx(5, abs=1e-6)


def test_limits(points):
    matches = pair(points, points + [10, 0] + np.random.default_rng(1).normal(0, 1, points.shape))
    place = moved(10, 0)
    for limits, expected, reason in (
        (PairLimits("AFFINE", 0.5, None, 1), place, "too large residual"),
        (PairLimits("AFFINE", 5, 1.0, 1), moved(20, 0), "too far from where the tiles lie"),
        (PairLimits("AFFINE", 5, 1.0, 1), None, "place of the tiles not known"),
        (PairLimits("AFFINE", 5, 1.0, 61), place, "too few matches"),
        (PairLimits("AFFINE", 5, 1.0, 60), place, None),
    ):
        assert judged_pair(matches, expected, limits).reason == reason
        after, _ = filtered_pair(matches, expected, limits, None, 0)
        assert after.weights.max() == (0 if reason else 1)


def test_points_that_do_not_determine_the_model(points):
    two = pair(points[:2], points[:2])
    assert judged_pair(two, np.eye(2, 3), ANY).residual is None
    assert judged_pair(two, np.eye(2, 3), ANY).deviation == pytest.approx(0)
    assert judged_pair(two, None, PairLimits("AFFINE", 9.0, None, 1)).reason == "too large residual"
    assert judged_pair(two, None, PairLimits("TRANSLATION", 9.0, None, 1)).reason is None
    none = with_weights(two, 0)
    assert judged_pair(none, None, ANY).reason == "too few matches"


def test_matches_of_weight_0_take_no_part(points):
    q = points.copy()
    q[:5] += 500
    weights = np.ones(60)
    weights[:5] = 0
    judged = judged_pair(pair(points, q, weights), None, ANY)
    assert (judged.count, round(judged.residual, 9)) == (55, 0)
    assert not agreeing_matches(pair(points, q, weights), Agreement("RIGID", 3.0, None), 0)[:5].any()


def test_single_matches_that_do_not_agree(points):
    q = points + [7, 7]
    q[::10] += 100 * np.array([[1, -1]])
    matches = pair(points, q)
    agreeing = agreeing_matches(matches, Agreement("AFFINE", 2.0, None), 0)
    assert agreeing.sum() == 54
    after, judged = filtered_pair(matches, None, PairLimits("AFFINE", 0.1, None, 10), Agreement("AFFINE", 2.0, None), 0)
    assert judged.reason is None
    assert after.weights.tolist() == agreeing.astype(float).tolist()


def test_matches_of_bent_tissue_agree_with_those_around_them():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 2000, (400, 2))
    q = p + np.column_stack([40 * np.sin(p[:, 1] / 400), np.zeros(400)])
    q[:20] += rng.uniform(60, 90, (20, 2))
    matches = pair(p, q)
    together = agreeing_matches(matches, Agreement("AFFINE", 8.0, None), 0)
    clustered = agreeing_matches(matches, Agreement("AFFINE", 8.0, 20), 0)
    assert together.mean() < 0.7
    assert clustered[20:].mean() > 0.95
    assert not clustered[:20].any()
    np.testing.assert_array_equal(clustered, agreeing_matches(matches, Agreement("AFFINE", 8.0, 20), 0))


def test_pairs_of_many_matches_weigh_no_more(points):
    many, few = pair(points, points), pair(points[:15], points[:15], q_id="r")
    rejected = with_weights(pair(points, points, q_id="s"), 0)
    weights = [one.weights for one in evenly_weighted([many, few, rejected])]
    assert [float(one.sum()) for one in weights] == [60, 60, 0]
