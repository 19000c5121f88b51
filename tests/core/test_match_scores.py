import numpy as np
import pytest

from rendermodules.core.match_frames import match_frame
from rendermodules.core.match_scores import match_score
from rendermodules.core.pointmatches import point_matches

FRAME = match_frame({"tileId": "a", "width": 1000.0, "height": 800.0})


def score(p, noise, seed=0):
    off = np.random.default_rng(seed).normal(0, noise, p.shape)
    return match_score(point_matches(("1", "p"), ("1", "q"), p, p - [800, 0] + off), FRAME, FRAME)


def spread(count, width=200.0, height=800.0, seed=1):
    return np.random.default_rng(seed).uniform([800, 0], [800 + width, height], (count, 2))


def test_figures_of_a_pair():
    found = score(spread(400), 2.0)
    assert found.count == 400
    assert found.residual == pytest.approx(2 * np.sqrt(2), rel=0.1)
    assert found.coverage == 1
    assert 0.2 < found.uncertainty < 0.6


def test_uncertainty_is_the_error_that_comes_about():
    p, corner = spread(40), np.array([1000.0, 800.0])
    errors = []
    for seed in range(200):
        off = np.random.default_rng(seed).normal(0, 2.0, p.shape)
        design = np.column_stack([np.ones(40), p])
        solved, *_ = np.linalg.lstsq(design, off, rcond=None)
        errors.append(np.array([1, *corner]) @ solved)
    expected = np.sqrt(np.square(errors).mean())
    assert score(p, 2.0).uncertainty == pytest.approx(expected, rel=0.35)


def test_matches_that_lie_together_are_less_certain():
    few, together = spread(400, height=800.0), spread(400, height=100.0)
    assert score(together, 2.0).uncertainty > 3 * score(few, 2.0).uncertainty
    assert score(together, 2.0).coverage == pytest.approx(0.2)
    assert score(spread(20), 2.0).uncertainty > 2 * score(few, 2.0).uncertainty


def test_too_few_matches_have_no_figures():
    assert score(spread(3), 1.0) is None
    line = np.column_stack([np.linspace(800, 1000, 9), np.full(9, 5.0)])
    assert score(line, 0.0) is None
