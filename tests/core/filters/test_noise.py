import numpy as np
import pytest

from rendermodules.core.filters import value_replaced_by_noise

IMAGE = np.array([[0, 5, 0, 255], [7, 0, 8, 255]], np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_only_the_value_is_replaced(kind):
    image = np.tile(IMAGE.astype(kind), (50, 50))
    result = value_replaced_by_noise(image, 0, 64, 191)
    assert result.dtype == kind
    assert np.array_equal(result[image != 0], image[image != 0])
    noise = result[image == 0]
    assert noise.min() >= 64
    assert noise.max() <= 191
    assert 110 < noise.mean() < 145


def test_noise_is_the_same_for_the_same_seed():
    first, again, other = (value_replaced_by_noise(IMAGE, 0, 64, 191, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_values_that_are_no_numbers_are_found_in_floats():
    image = np.array([[np.nan, 1]], np.float32)
    assert value_replaced_by_noise(image, np.nan, 7, 7).tolist() == [[7, 1]]
    assert np.array_equal(value_replaced_by_noise(IMAGE, np.nan, 7, 7), IMAGE)
