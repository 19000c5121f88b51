import numpy as np
import pytest

from rendermodules.core.filters import rolling_ball_subtracted

Y, X = np.mgrid[0:120, 0:150]
SHADE = 60 + 0.5 * X + 0.2 * Y


@pytest.mark.parametrize("radius", [5, 20, 50, 150])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_shade_goes_and_spots_stay(radius, kind):
    spots = np.zeros(SHADE.shape)
    spots[40:44, 50:54] = 80
    result = rolling_ball_subtracted((SHADE + spots).astype(kind), radius).astype(float)
    assert result.shape == SHADE.shape
    plain = np.ones(SHADE.shape, bool)
    plain[30:55, 40:65] = False
    assert result[plain].mean() < 12
    assert result[42, 52] > result[42, 70] + 50


def test_single_bright_pixels_do_not_lift_the_ball():
    image = np.full((60, 60), 50, np.uint8)
    image[30, 30] = 250
    result = rolling_ball_subtracted(image, 10)
    assert result[30, 30] > 190
    assert result[30, 40] == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (5, 90)])
def test_tiny_images_are_filtered(shape):
    assert rolling_ball_subtracted(np.full(shape, 9, np.uint8), 40).shape == shape
