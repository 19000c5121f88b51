import numpy as np
import pytest

from rendermodules.core.consensus import ConsensusParameters, filtered_candidates
from rendermodules.core.estimation import PlanarModel, transformed

ROTATION = np.array([[np.cos(0.3), -np.sin(0.3), 20.0], [np.sin(0.3), np.cos(0.3), -7.0]])
EXACT = {
    "TRANSLATION": np.array([[1.0, 0.0, 12.5], [0.0, 1.0, -3.25]]),
    "RIGID": ROTATION,
    "SIMILARITY": ROTATION * [[1.1, 1.1, 1.0]],
    "AFFINE": np.array([[1.02, 0.03, 400.0], [-0.05, 0.97, -1e4]]),
}


def parameters(model="AFFINE", match_filter="SINGLE_SET", **changes):
    values = {
        "iterations": 1000,
        "max_epsilon": 2.0,
        "min_inlier_ratio": 0.0,
        "min_num_inliers": 7,
        "max_trust": 4.0,
    }
    return ConsensusParameters(PlanarModel(model), match_filter, **(values | changes))


def random_points(count, seed=0, size=1000.0):
    return np.random.default_rng(seed).uniform(0, size, (count, 2))


@pytest.mark.parametrize("model", EXACT)
def test_consensus_among_mostly_wrong_pairs(model):
    rng = np.random.default_rng(2)
    source, target = random_points(200, 3), random_points(200, 4)
    target[:60] = transformed(EXACT[model], source[:60]) + rng.normal(0, 0.3, (60, 2))
    result = filtered_candidates(source, target, parameters(model, iterations=3000), seed=1)
    (found,) = result.sets
    # the trust drops a few of the true ones; a wrong one may lie right by chance
    assert len(np.intersect1d(found.indices, np.arange(60))) > 55
    assert len(found.indices) < 62
    corners = np.array([[0, 0], [1000, 0], [0, 1000], [1000, 1000]])
    np.testing.assert_allclose(transformed(found.matrix, corners), transformed(EXACT[model], corners), atol=0.5)
    assert sum(result.dropped.values()) == 200 - len(found.indices)


def test_nothing_agrees():
    result = filtered_candidates(random_points(50, 5), random_points(50, 6), parameters(), seed=1)
    assert result.sets == []
    assert result.dropped == {"outside max_epsilon": 50, "beyond max_trust": 0, "agreeing by chance": 0}


@pytest.mark.parametrize("count", [0, 1, 2, 6])
@pytest.mark.parametrize("match_filter", ["SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"])
def test_too_few_candidates(count, match_filter):
    points = random_points(count)
    assert filtered_candidates(points, points, parameters(match_filter=match_filter), seed=1).sets == []


def test_candidates_on_one_spot_or_line_make_no_affine():
    line = np.column_stack([np.arange(30.0), np.zeros(30)])
    for points in (np.ones((30, 2)), line):
        assert filtered_candidates(points, points, parameters(), seed=1).sets == []
    assert len(filtered_candidates(line, line, parameters("RIGID"), seed=1).sets[0].indices) == 30


def test_inlier_ratio_has_to_be_exceeded():
    source = random_points(100, 7)
    target = random_points(100, 8)
    target[:50] = source[:50]
    assert filtered_candidates(source, target, parameters(min_inlier_ratio=0.6), seed=1).sets == []
    assert len(filtered_candidates(source, target, parameters(min_inlier_ratio=0.4), seed=1).sets) == 1


def two_motions():
    source = random_points(100, 9)
    target = source + [10.0, 0.0]
    target[60:90] = source[60:90] + [0.0, 200.0]
    target[90:] = random_points(10, 10)
    return source, target


def test_consensus_sets_come_one_after_the_other():
    source, target = two_motions()
    result = filtered_candidates(source, target, parameters("TRANSLATION", "CONSENSUS_SETS"), seed=1)
    assert [list(one.indices) for one in result.sets] == [list(range(60)), list(range(60, 90))]
    np.testing.assert_allclose([one.matrix[:, 2] for one in result.sets], [[10, 0], [0, 200]], atol=1e-9)
    assert sum(result.dropped.values()) == 10


def test_aggregated_sets_are_one():
    source, target = two_motions()
    result = filtered_candidates(source, target, parameters("TRANSLATION", "AGGREGATED_CONSENSUS_SETS"), seed=1)
    assert [list(one.indices) for one in result.sets] == [list(range(90))]


def test_no_filter_keeps_all():
    source, target = two_motions()
    result = filtered_candidates(source, target, parameters(match_filter="NONE"), seed=1)
    assert [list(one.indices) for one in result.sets] == [list(range(100))]
    assert result.sets[0].matrix is None


def test_limit_of_inliers_is_a_seeded_choice():
    source, target = two_motions()
    limited = parameters("TRANSLATION", max_num_inliers=20)
    first, again, other = (filtered_candidates(source, target, limited, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.sets[0].indices, again.sets[0].indices)
    assert len(first.sets[0].indices) == 20
    assert list(first.sets[0].indices) != list(other.sets[0].indices)
    assert first.dropped["over max_num_inliers"] == 40


def test_trust_drops_what_lies_far_from_the_rest():
    source = random_points(40, 11)
    target = source + np.random.default_rng(12).normal(0, 0.1, (40, 2))
    target[0, 0] += 8
    result = filtered_candidates(source, target, parameters("RIGID", max_epsilon=10.0, max_trust=5.0), seed=1)
    assert 0 not in result.sets[0].indices
    assert result.dropped["beyond max_trust"] >= 1


@pytest.mark.parametrize("match_filter", ["SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"])
def test_sets_that_chance_explains_are_dropped(match_filter):
    loose = parameters(match_filter=match_filter, max_epsilon=20.0, min_num_inliers=4)
    for seed in range(5):
        source, target = random_points(150, seed), random_points(150, seed + 1000)
        assert filtered_candidates(source, target, loose, seed).sets
        limited = filtered_candidates(source, target, loose, seed, max_chance=0.01, area=1e6)
        assert limited.sets == []
        assert limited.dropped["agreeing by chance"] > 0
        assert sum(limited.dropped.values()) == 150
    target[:40] = transformed(ROTATION, source[:40])
    (found,) = filtered_candidates(source, target, loose, 1, max_chance=0.01, area=1e6).sets
    assert len(np.intersect1d(found.indices, np.arange(40))) > 35
