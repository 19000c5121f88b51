import numpy as np
import pytest

from rendermodules.core.filters import contrast_limited
from rendermodules.core.filters.clahe import clipped

RNG = np.random.default_rng(1)
DULL = (100 + 20 * np.sin(np.arange(90) / 9)[:, None] + RNG.normal(size=(90, 120)) * 3).astype(np.uint8)


def test_peaks_are_spread_until_that_settles():
    counts = clipped(np.array([100, 0, 0, 0, 1]), 10)
    assert counts.sum() == 101
    assert counts.max() <= 21
    assert clipped(np.array([3, 4, 5]), 10).tolist() == [3, 4, 5]


@pytest.mark.parametrize("fast", [True, False])
def test_contrast_is_raised_but_not_beyond_the_slope(fast):
    steep = contrast_limited(DULL, fast, 15, 64, 5.0, 0, 255)
    flat = contrast_limited(DULL, fast, 15, 64, 1.2, 0, 255)
    inner = np.s_[10:-10, 10:-10]
    assert steep[inner].std() > 1.5 * flat[inner].std()
    assert steep[inner].std() > DULL[inner].std()
    assert steep.dtype == np.uint8


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("shape", [(93, 124), (94, 125), (95, 130), (10, 12), (1, 1)])
def test_images_of_any_size_are_filtered(fast, shape):
    image = RNG.integers(0, 256, shape, dtype=np.uint8)
    assert contrast_limited(image, fast, 15, 256, 3.0, 0, 255).shape == shape


def test_windows_hold_what_is_within_the_radius():
    """The slow filter against histograms made anew for some pixels."""
    image, radius, bins, slope = DULL[:40, :50], 7, 32, 2.5
    result = contrast_limited(image, False, radius, bins, slope, 0, 255)
    cells = np.floor(image / np.float32(255) * bins + 0.5).astype(int)
    for row, column in ((0, 0), (20, 25), (39, 49), (3, 44)):
        window = cells[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
        counts = clipped(np.bincount(window.ravel(), minlength=bins + 1), int(slope * window.size / bins + 0.5))
        sums = np.cumsum(counts)
        lowest = sums[np.flatnonzero(counts)[0]]
        share = max((sums[cells[row, column]] - lowest) / (sums[-1] - lowest), 0)
        assert result[row, column] == int(share * 255 + 0.5)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_deep_images_are_changed_in_proportion(kind):
    deep = (DULL.astype(kind) * 20).astype(kind)
    result = contrast_limited(deep, True, 15, 256, 3.0, 0, 255 * 20)
    assert result.dtype == kind
    assert result[5:-5, 5:-5].std() > 1.3 * deep[5:-5, 5:-5].std()
