"""The compiled spans are held against the plain ones in ``test_spans``; here is what only they can get wrong."""

import numpy as np

from rendermodules.core.rasterising.layers import read_only
from rendermodules.core.rasterising.span_kernels import draw_spans

NOTHING = np.zeros((0, 0), np.uint8)
NO_MASK = read_only(NOTHING)


def test_triangles_partly_outside_stay_within_the_canvas():
    corners = np.array([[[-500.0, -500], [700, 20], [30, 900]]])
    image = read_only(np.full((50, 50), 9, np.uint8))
    memory = np.zeros((300, 100), np.uint8)
    canvas = memory[100:200]
    draw_spans(corners, np.eye(2, 3)[None], image, NO_MASK, canvas, NOTHING, 0, 100, False, False)
    assert (canvas == 9).any()
    canvas[:] = 0
    assert not memory.any()


def test_positions_far_outside_of_the_image_are_those_of_its_border():
    corners = np.array([[[0.0, 0], [90, 0], [0, 90]]])
    image = read_only(np.arange(1, 7, dtype=np.uint8).reshape(2, 3))
    for factor in (1e3, 1e9, 1e18):
        canvas = np.zeros((40, 40), np.uint8)
        inverse = np.array([[[factor, 0, 0], [0, factor, 0]]])
        draw_spans(corners, inverse, image, NO_MASK, canvas, NOTHING, 0, 40, False, False)
        assert canvas[0, 0] == 1
        assert canvas[3, 3] == 6
        assert canvas[0, 3] == 3
