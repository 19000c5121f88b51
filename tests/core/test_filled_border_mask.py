import numpy as np
import pytest

from rendermodules.core.masks import filled_border_mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_only_large_filled_places_at_the_edge_are_hidden(dtype):
    image = np.full((50, 60), 9, dtype)
    image[:, :10] = 0
    image[20:30, 30:40] = 0
    image[0, 50:55] = 0
    mask = filled_border_mask(image, 0, 1)
    assert (mask[:, :11] == 0).all()
    assert (mask[:, 11:] == 255).all()


def test_nothing_filled_needs_no_mask():
    assert filled_border_mask(np.full((50, 60), 9, np.uint8), 0, 1) is None
    assert (filled_border_mask(np.zeros((50, 60, 3), np.uint8), 0, 0) == 0).all()


def test_feathered_edges_fade_in():
    image = np.full((40, 60), 9, np.uint8)
    image[:, :10] = 0
    mask = filled_border_mask(image, 0, 0, feather=10)
    assert (mask[:, :10] == 0).all()
    assert (np.diff(mask[20, 10:20].astype(int)) > 0).all()
    assert mask[20, 30] == 255
    assert 0 < mask[0, 30] < 60
