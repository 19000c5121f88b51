import numpy as np
import pytest

from rendermodules.core.resampling import halved


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (1, 8), (5, 4, 3), (2, 3, 3)])
def test_halving_averages_and_drops_odd_borders(kind, shape):
    image = np.random.default_rng(3).integers(0, 256, shape).astype(kind)
    small = halved(image)
    assert small.shape == (shape[0] // 2, shape[1] // 2, *shape[2:])
    assert small.dtype == kind
    for row in range(small.shape[0]):
        for column in range(small.shape[1]):
            total = image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].astype(float).sum(axis=(0, 1))
            expected = total / 4 if kind == np.float32 else total // 4
            assert np.array_equal(small[row, column], expected)


def test_halving_takes_views():
    image = np.random.default_rng(4).integers(0, 256, (20, 20), dtype=np.uint8)
    assert np.array_equal(halved(image[1:, 3:]), halved(image[1:, 3:].copy()))
