import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.box_pyramid import (
    Overview,
    children_of,
    label_image,
    parent_image,
    parents_of,
    tiles_of_cells,
)


def test_boxes_exist_where_tiles_overlap_them():
    boxes = [[0, 0, 100, 50], [90, 40, 130, 60], [-50, -50, 0, 10], [-30, -30, 5, 5]]
    found = {cell: tiles.tolist() for cell, tiles in tiles_of_cells(boxes, 100, 50).items()}
    assert found == {(0, 0): [0, 1, 3], (0, 1): [1], (1, 0): [1], (1, 1): [1]}
    assert (0, 1) in tiles_of_cells(boxes[:1], 100, 50, margin=1.0)
    assert tiles_of_cells([], 100, 50) == {}
    assert tiles_of_cells([[-9, -9, -1, -1]], 100, 50) == {}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-12, 25), st.integers(-12, 25), st.integers(1, 20), st.integers(1, 20)), max_size=6),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_they_are_those_of_a_search(tiles, width, height):
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in tiles]).reshape(-1, 4)
    expected = {}
    for row in range(45 // height + 1):
        for column in range(45 // width + 1):
            low, high = np.array([column * width, row * height]), np.array([(column + 1) * width, (row + 1) * height])
            hits = np.flatnonzero(((boxes[:, :2] < high) & (boxes[:, 2:] > low)).all(axis=1))
            if len(hits):
                expected[row, column] = hits.tolist()
    assert {cell: hits.tolist() for cell, hits in tiles_of_cells(boxes, width, height).items()} == expected


def test_levels():
    assert parents_of([(0, 0), (1, 1), (2, 5), (3, 4)]) == [(0, 0), (1, 2)]
    assert parents_of([(7, 9)], 3) == [(0, 1)]
    assert children_of((1, 2)) == [(2, 4), (2, 5), (3, 4), (3, 5)]


def test_a_parent_is_half_of_its_children():
    upper, lower = np.full((4, 6), 100, np.uint8), np.full((4, 6), 51, np.uint8)
    lower[0, 0] = 0
    parent = parent_image({(2, 5): upper, (3, 4): lower}, 6, 4)
    assert parent.shape == (4, 6)
    assert (parent[:2, 3:] == 100).all()
    assert (parent[:2, :3] == 0).all()
    assert parent[2, 0] == (3 * 51) // 4
    nearest = parent_image({(3, 4): lower}, 6, 4, "nearest")
    assert (nearest[2, 0], nearest[2, 1]) == (0, 51)
    with pytest.raises(ValueError, match="a box is"):
        parent_image({(0, 0): upper, (0, 1): upper[:3]}, 6, 4)


def test_an_overview_shows_the_layer():
    rng = np.random.default_rng(0)
    layer = np.kron(rng.integers(0, 255, (4, 6), dtype=np.uint8), np.ones((32, 32), np.uint8))
    overview = Overview((180.0, 128.0), 90)
    assert (overview.width, overview.height, overview.scale) == (90, 64, 0.5)
    assert (overview.level(0), overview.level(5)) == (0, 1)
    for row in range(2):
        for column in range(3):
            box = layer[row * 64 : (row + 1) * 64, column * 64 : (column + 1) * 64]
            overview.put((row, column), 0, box)
    np.testing.assert_array_equal(overview.image, layer[::2, ::2][:64, :90])


def test_labels():
    square = np.array([[10, 20], [20, 20], [20, 30], [10, 30]])
    image = label_image([square, square + 5], [7, 65535], (20, 10), 20, 10)
    assert (image.dtype, image.shape) == (np.uint16, (10, 20))
    assert image[2, 2] == 7
    assert image[7, 7] == 65535
    assert image[2, 18] == 0
