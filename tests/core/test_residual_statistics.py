"""Figures of residuals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.residual_statistics import group_statistics, residual_statistics, robust_scale


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 10**6))
def test_groups_are_as_numpy_has_them(count, groups, seed):
    random = np.random.default_rng(seed)
    values, group = random.normal(size=count), random.integers(0, groups, count)
    found = group_statistics(values, group, groups)
    for number in range(groups):
        members = values[group == number]
        assert found.count[number] == len(members)
        if not len(members):
            assert np.isnan([found.mean[number], found.median[number], found.greatest[number]]).all()
            continue
        assert found.mean[number] == pytest.approx(members.mean())
        assert found.median[number] == pytest.approx(np.median(members))
        assert found.percentile_95[number] == pytest.approx(np.percentile(members, 95))
        assert found.greatest[number] == members.max()
        assert found.root_mean_square[number] == pytest.approx(np.sqrt(np.mean(members**2)))


def test_weights():
    found = group_statistics(np.array([1.0, 3.0, 100.0]), np.zeros(3, dtype=int), 1, np.array([3.0, 1.0, 0.0]))
    assert (found.count[0], found.mean[0], found.greatest[0]) == (2, 1.5, 3.0)


def test_no_values():
    assert np.isnan(group_statistics(np.empty(0), np.empty(0, dtype=int), 2).mean).all()
    assert np.isnan(robust_scale(np.empty(0)))


def test_robust_scale_is_the_deviation_of_a_normal_distribution():
    values = np.random.default_rng(0).normal(3, 2, 20000)
    values[:1000] = 1e6
    assert robust_scale(values) == pytest.approx(2, rel=0.1)


def test_residuals_of_pairs_tiles_and_sections():
    residuals = np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 2.0]])
    found = residual_statistics(
        residuals, np.array([0, 1, 1]), np.array([[0, 1], [2, 1]]), np.array([5.0, 5.0, 4.0, 9.0])
    )
    assert found.pairs.mean.tolist() == [5.0, 1.5]
    assert found.tiles.count.tolist() == [1, 3, 2, 0]
    assert found.tiles.mean[1] == pytest.approx(8 / 3)
    assert found.section_pairs.tolist() == [[4.0, 5.0], [5.0, 5.0]]
    assert found.sections.greatest.tolist() == [2.0, 5.0]
    assert found.everything.median[0] == 2.0
