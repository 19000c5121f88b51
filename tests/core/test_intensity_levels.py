import numpy as np
import pytest

from rendermodules.core.intensity_levels import automatic_intensities, with_intensities
from rendermodules.core.sections import Section

OPTIONS = {"bin_width": None, "log_count_cut": 4.0, "below_mode": None}


def fluorescence(factor, background, dtype, step=1):
    """Background of one intensity, and factor / v^2 pixels of every step-th intensity v above it."""
    levels = np.arange(background + step, np.iinfo(dtype).max, step)
    values = np.repeat(levels, np.floor(factor / levels.astype(float) ** 2).astype(int))
    return np.concatenate([values, np.full(2 * values.size, background)]).astype(dtype)


def test_white_is_where_the_power_law_reaches_the_cut():
    image = fluorescence(128e8, 200, np.uint16, step=128)
    minimum, maximum = automatic_intensities(image, **OPTIONS)
    # the counts in a bin of 128 fall to e^4 where 128 * 1e8 / v^2 = e^4
    assert maximum == pytest.approx((128e8 / np.exp(4)) ** 0.5, rel=0.1)
    assert minimum == 0.0
    higher = automatic_intensities(image + np.uint16(3000), **OPTIONS)[0]
    assert higher == pytest.approx(3200 - 500, abs=64)


def test_8_bit():
    image = fluorescence(1e6, 20, np.uint8)
    minimum, maximum = automatic_intensities(image, **OPTIONS)
    assert minimum == 18.5
    assert maximum == pytest.approx((1e6 / np.exp(4)) ** 0.5, rel=0.05)
    minimum, maximum = automatic_intensities(image, bin_width=1.0, log_count_cut=7.0, below_mode=5.0)
    assert minimum == 15.5
    assert maximum == pytest.approx((1e6 / np.exp(7)) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    "image",
    [
        np.full((50, 50), 700, np.uint16),
        np.zeros((3, 3), np.uint8),
        np.repeat(np.arange(100, 120), np.arange(1, 21) * 100).astype(np.uint8),
        np.full((50, 50), 0.5, np.float32),
    ],
)
def test_images_without_a_falling_histogram_have_none(image):
    assert automatic_intensities(image, **OPTIONS) is None


def test_intensities_of_tiles_and_channels():
    channels = [{"name": name, "mipmapLevels": {}, "maxIntensity": 9.0} for name in "AB"]
    section = Section(1.0, [{"tileId": "t", "mipmapLevels": {"0": {}}, "channels": channels}])
    everything = with_intensities(section, 1.0, 60000.0, None).tiles[0]
    assert (everything["minIntensity"], everything["maxIntensity"]) == (1.0, 60000.0)
    assert [channel["maxIntensity"] for channel in everything["channels"]] == [60000.0, 60000.0]
    one = with_intensities(section, None, 5.0, ["B"]).tiles[0]
    assert "maxIntensity" not in one
    assert [channel["maxIntensity"] for channel in one["channels"]] == [9.0, 5.0]
    assert "minIntensity" not in one["channels"][1]
