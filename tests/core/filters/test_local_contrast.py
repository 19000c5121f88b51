import numpy as np
import pytest

from rendermodules.core.filters import local_contrast_normalized

IMAGE = np.random.default_rng(1).integers(50, 120, (30, 40), dtype=np.uint8)


@pytest.mark.parametrize(("center", "stretch"), [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_windows_are_cut_at_the_border(center, stretch, kind):
    image = IMAGE.astype(kind)
    result = local_contrast_normalized(image, 5, 3, 2.0, center, stretch, 10, 210)
    assert result.dtype == kind
    for row, column in ((0, 0), (15, 20), (29, 39), (2, 37)):
        window = image[max(row - 3, 0) : row + 4, max(column - 5, 0) : column + 6].astype(float)
        value, mean, deviation = float(image[row, column]), window.mean(), window.std(ddof=1)
        if center and stretch:
            value = (value - (mean - 2 * deviation)) / (4 * deviation) * 200 + 10
        elif center:
            value = value - mean + 110
        elif stretch:
            value = (value - 110) / (4 * deviation) * 200 + 110
        largest = 1e9 if kind is np.float32 else np.iinfo(kind).max
        expected = np.clip(value, 0 if kind is not np.float32 else -1e9, largest)
        assert float(result[row, column]) == pytest.approx(expected, abs=0.51 if kind is not np.float32 else 1e-3)


def test_where_nothing_varies_nothing_is_stretched():
    flat = np.full((10, 10), 70, np.uint8)
    assert (local_contrast_normalized(flat, 2, 2, 3.0, True, True, 0, 255) == 0).all()


def test_colours_are_normalized_each_alone():
    colours = np.dstack([IMAGE, IMAGE[::-1], IMAGE // 2])
    result = local_contrast_normalized(colours, 5, 5, 3.0, True, True, 0, 255)
    assert np.array_equal(result[:, :, 1], local_contrast_normalized(IMAGE[::-1], 5, 5, 3.0, True, True, 0, 255))
