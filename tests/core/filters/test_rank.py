import numpy as np
import pytest

from rendermodules.core.filters import RANK_TYPES, rank_filtered
from rendermodules.core.filters.rank import _circle

IMAGE = np.random.default_rng(1).integers(0, 256, (20, 25), dtype=np.uint8)
TAKEN = {"mean": np.mean, "min": np.min, "max": np.max, "variance": np.var, "median": np.median}


def test_circles_are_those_of_imagej():
    assert _circle(0).tolist() == [[False, True, False], [True, True, True], [False, True, False]]
    assert _circle(1).all()
    assert _circle(3).sum(axis=1).tolist() == [3, 5, 7, 7, 7, 5, 3]


@pytest.mark.parametrize("rank_type", RANK_TYPES)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("radius", [1.0, 2.5, 4.0])
def test_pixels_in_a_circle_are_taken(rank_type, kind, radius):
    image = IMAGE.astype(kind)
    circle = _circle(radius)
    half = len(circle) // 2
    padded = np.pad(image, half, mode="edge")
    result = rank_filtered(image, radius, rank_type)
    assert result.dtype == kind
    for row, column in ((0, 0), (10, 12), (19, 24), (1, 23)):
        window = padded[row : row + len(circle), column : column + len(circle)][circle].astype(float)
        expected = TAKEN[rank_type](window)
        if kind is np.uint8:
            expected = min(expected, 255)
        assert float(result[row, column]) == pytest.approx(expected, abs=0.51 if kind is not np.float32 else 1e-2)
