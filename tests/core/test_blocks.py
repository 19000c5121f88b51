from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.blocks import BlockParameters, matched_blocks
from rendermodules.core.correlation import Alignment
from rendermodules.core.estimation import transformed

PARAMETERS = BlockParameters(size=48, count=60, min_correlation=0.3, max_error=0.5, max_drift=8.0)


def alignment(matrix):
    return Alignment(np.asarray(matrix), np.array([[450.0, 200.0]]), np.zeros((1, 2)), 1.0, {})


def errors(blocks, truth):
    return np.linalg.norm(blocks.q - transformed(truth, blocks.p), axis=1)


@pytest.mark.parametrize("off", [(0, 0), (1.5, -1.0), (-2.0, 2.0)])
def test_blocks_are_found_to_hundredths_of_a_pixel(side_by_side, off):
    p, q, truth = side_by_side
    blocks = matched_blocks(p, q, alignment(truth + np.column_stack([np.zeros((2, 2)), off])), PARAMETERS)
    assert len(blocks.p) > 40
    assert np.sqrt(np.square(errors(blocks, truth)).mean()) < 0.06
    assert np.abs((blocks.q - transformed(truth, blocks.p)).mean(axis=0)).max() < 0.02
    assert blocks.correlations.min() > 0.9
    assert len(blocks.p) + sum(blocks.dropped.values()) == blocks.tried


def test_estimated_errors_are_about_right(side_by_side):
    p, q, truth = side_by_side
    noise = np.random.default_rng(0).normal(0, 20, p.shape)
    blocks = matched_blocks(p + noise, q, alignment(truth), PARAMETERS)
    measured = np.sqrt(np.square(errors(blocks, truth)).mean() / 2)
    assert 0.5 < np.median(blocks.errors) / measured < 2


def test_blocks_spread_over_the_overlap(side_by_side):
    p, q, truth = side_by_side
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert np.ptp(blocks.p[:, 1]) > 300
    assert np.ptp(blocks.p[:, 0]) > 40
    assert blocks.p[:, 0].min() > 400


def test_empty_places_do_not_count_as_missing(side_by_side):
    p, q, truth = side_by_side
    rng = np.random.default_rng(0)
    shown = np.zeros(p.shape, dtype=bool)
    shown[60:130] = True
    p = np.where(shown, p, 128 + rng.normal(size=p.shape))
    # the second tile is turned by less than this grows the place
    q = np.where(np.roll(shown, 4, axis=0), q, 128 + rng.normal(size=q.shape))
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert len(blocks.p) < 0.5 * blocks.tried
    assert blocks.found_part > 0.7
    assert blocks.agreement > 0.9


def test_what_only_one_image_shows_counts_as_missing(side_by_side, texture):
    p, q, truth = side_by_side
    q = q.copy()
    q[170:] = texture(q.shape, seed=9)[170:]
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert blocks.found_part < 0.6
    assert blocks.agreement < 0.8


@pytest.mark.parametrize("count", [1, 10, 400])
def test_count_of_blocks(side_by_side, count):
    p, q, truth = side_by_side
    tried = matched_blocks(p, q, alignment(truth), replace(PARAMETERS, count=count)).tried
    assert 0.5 * count <= tried <= 2 * count + 2


@pytest.mark.parametrize(("columns", "rows_of_blocks"), [(90, 2), (30, 1)])
def test_narrow_overlap_has_two_lines_of_blocks_if_it_can(side_by_side, columns, rows_of_blocks):
    p, q, truth = side_by_side
    blocks = matched_blocks(p[:, : 400 + columns], q, alignment(truth), PARAMETERS)
    assert len(np.unique(blocks.p[:, 0])) >= rows_of_blocks
    assert len(blocks.p) > 10
    assert errors(blocks, truth).max() < 0.3


@pytest.mark.parametrize("columns", [0, 3, 9])
def test_too_narrow_overlap(side_by_side, columns):
    p, q, truth = side_by_side
    blocks = matched_blocks(p[:, : 402 + columns], q, alignment(truth), PARAMETERS)
    assert len(blocks.p) == 0
    assert blocks.dropped == {"overlap too narrow": 1}


def test_flat_part_has_no_blocks(side_by_side):
    p, q, truth = side_by_side
    p = p.copy()
    p[:200] = 128
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert len(blocks.p) > 10
    assert blocks.p[:, 1].min() > 195
    assert errors(blocks, truth).max() < 0.3


@pytest.mark.parametrize("side", ["p", "q"])
def test_masked_part_has_no_blocks(side_by_side, side):
    p, q, truth = side_by_side
    masks = {"p": np.ones(p.shape), "q": np.ones(q.shape)}
    masks[side][150:250] = 0
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS, masks["p"], masks["q"])
    y = (blocks.p if side == "p" else blocks.q)[:, 1]
    assert not ((y > 160) & (y < 240)).any()
    assert blocks.dropped["uninformative"] > 0


def test_what_lies_elsewhere_is_dropped(side_by_side, texture):
    p, q, truth = side_by_side
    q = q.copy()
    q[200:] = texture((200, 500), seed=7)
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert len(blocks.p) > 10
    assert blocks.q[:, 1].max() < 230
    assert errors(blocks, truth).max() < 1


def test_stripes_do_not_determine_a_place():
    x = np.arange(500.0)
    stripes = np.tile(128 + 50 * np.sin(x * 2 * np.pi / 31), (400, 1))
    blocks = matched_blocks(stripes, stripes, alignment([[1, 0, -400 + 9], [0, 1, 0]]), PARAMETERS)
    assert len(blocks.p) == 0
    assert blocks.dropped["poorly determined"] > 0


def test_drift_is_limited(side_by_side):
    p, q, truth = side_by_side
    start = truth + [[0, 0, 3.0], [0, 0, 0]]
    assert len(matched_blocks(p, q, alignment(start), PARAMETERS).p) > 40
    strict = matched_blocks(p, q, alignment(start), replace(PARAMETERS, max_drift=1.0))
    assert len(strict.p) == 0
    assert strict.dropped["drifted"] > 40


def test_uncertain_places_are_dropped(side_by_side):
    p, q, truth = side_by_side
    strict = matched_blocks(p, q, alignment(truth), replace(PARAMETERS, max_error=1e-4))
    assert len(strict.p) == 0
    assert strict.dropped["poorly determined"] > 40


def test_one_wrong_place_among_neighbours_is_dropped(side_by_side, texture):
    p, q, truth = side_by_side
    wrong = q.copy()
    # a patch that was moved by three pixels
    wrong[180:220, 30:70] = q[180:220, 33:73]
    blocks = matched_blocks(p, wrong, alignment(truth), replace(PARAMETERS, size=32, count=30))
    assert blocks.dropped["unlike neighbours"] >= 1
    assert np.percentile(errors(blocks, truth), 95) < 0.5


def test_images_that_are_not_aligned_are_refused(side_by_side):
    p, q, _ = side_by_side
    nothing = np.empty((0, 2))
    with pytest.raises(ValueError, match="not aligned"):
        matched_blocks(p, q, Alignment(None, nothing, nothing, 0.0, {}), PARAMETERS)


def test_not_finite_pixels_are_left_out(side_by_side):
    p, q, truth = side_by_side
    p = p.astype(float)
    p[100:150, 400:] = np.nan
    blocks = matched_blocks(p, q, alignment(truth), PARAMETERS)
    assert np.isfinite(blocks.q).all()
    assert errors(blocks, truth).max() < 0.5
