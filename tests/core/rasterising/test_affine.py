import numpy as np
import pytest

from rendermodules.core.placement import affine_placement, widened_mesh
from rendermodules.core.rasterising.affine import covered_blocks, draw_affine
from rendermodules.core.rasterising.spans import draw_spans

NOTHING = np.zeros((0, 0), np.uint8)
IMAGE = np.random.default_rng(1).integers(1, 255, (300, 400), dtype=np.uint8)
MATRICES = {
    "identity": [[1, 0, 0], [0, 1, 0]],
    "shift": [[1, 0, 20.3], [0, 1, -15.8]],
    "turn": [[0.98, -0.2, 50], [0.2, 0.98, -30]],
    "mirror": [[-1, 0, 399], [0, 1, 0]],
    "quarter": [[0, -1, 299], [1, 0, 0]],
    "shear": [[1.2, 0.5, -90], [0.1, 0.7, 10]],
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_opencv_draws_what_spans_draw(matrix):
    placement = affine_placement(widened_mesh(400, 300, 2, 0), np.array(matrix, float))
    expected, canvas = np.zeros((320, 380), np.uint8), np.zeros((320, 380), np.uint8)
    mask = np.zeros_like(canvas)
    draw_spans(placement.corners, placement.inverses, IMAGE, NOTHING, expected, NOTHING, 0, 320, False, False)
    for block in covered_blocks(placement.outline, 380, 320, 128).values():
        draw_affine(block, placement.inverses[0], IMAGE, canvas, mask)
    assert np.array_equal(canvas > 0, expected > 0)
    assert np.array_equal(mask, np.where(expected > 0, 255, 0))
    assert np.abs(canvas.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_blocks_are_counted_from_the_first_row_of_the_canvas(matrix):
    outline = affine_placement(widened_mesh(400, 300, 2, 0), np.array(matrix, float)).outline
    (whole,) = covered_blocks(outline, 380, 320, 320).values()
    parts = covered_blocks(outline, 380, 320, 128)
    for number, block in parts.items():
        assert number * 128 <= block.top < block.top + len(block.starts) <= (number + 1) * 128
        assert (block.first, block.last) == (block.starts.min(), block.ends.max())
    assert np.array_equal(np.concatenate([block.starts for block in parts.values()]), whole.starts)
    assert np.array_equal(np.concatenate([block.ends for block in parts.values()]), whole.ends)


def test_left_and_upper_edges_are_covered():
    (block,) = covered_blocks(np.array([[2.0, 1], [6, 1], [6, 5], [2, 5]]), 100, 100, 128).values()
    assert block.top == 1
    assert block.starts.tolist() == [2] * 4
    assert block.ends.tolist() == [6] * 4


@pytest.mark.parametrize("shift", [-1000, 1000])
@pytest.mark.parametrize("axis", [0, 1])
def test_nothing_is_covered_outside(shift, axis):
    outline = np.array([[2.0, 1], [6, 1], [6, 5], [2, 5]])
    outline[:, axis] += shift
    canvas = np.zeros((100, 100), np.uint8)
    for block in covered_blocks(outline, 100, 100, 128).values():
        draw_affine(block, np.eye(2, 3), IMAGE, canvas, NOTHING)
    assert not canvas.any()
