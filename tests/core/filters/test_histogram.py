import numpy as np
import pytest

from rendermodules.core.filters import histogram_equalized

IMAGE = np.clip(np.random.default_rng(1).normal(90, 8, (60, 80)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_values_are_spread_over_the_whole_range(kind):
    result = histogram_equalized(IMAGE.astype(kind))
    assert result.dtype == kind
    largest = 65535 if kind is np.uint16 else 255
    assert result.std() > 0.15 * largest
    order = np.argsort(IMAGE, axis=None)
    assert (np.diff(result.ravel()[order].astype(float)) >= 0).all()


def test_ends_stay_where_they_are():
    result = histogram_equalized(np.array([[0, 0, 100, 255]], np.uint8))
    assert result.tolist()[0][:2] == [0, 0]
    assert result.tolist()[0][3] == 255
    assert (histogram_equalized(np.zeros((5, 5), np.uint8)) == 0).all()
