import numpy as np
import pytest

from rendermodules.core.tile_filters import FilterError, filtered

PLAIN = {
    "invert": False,
    "saturated_percent": 0.0,
    "contrast": 1.0,
    "clahe_grid": 2,
    "clahe_clip_limit": 0.0,
    "reapply_mask": True,
    "flip": False,
}


def ramp(dtype=np.uint8, low=50, high=150):
    """Columns of one intensity each, which the bilateral filter hardly changes."""
    scale = np.iinfo(dtype).max // 255
    values = np.repeat(np.linspace(low, high, 11), 20).astype(int) * scale
    return np.tile(values, (40, 1)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_range_is_stretched_to_all_that_the_type_holds(dtype):
    result = filtered(ramp(dtype), **PLAIN)
    top = np.iinfo(dtype).max
    assert result.dtype == dtype
    assert (result[20, 10], result[20, -10]) == (0, top)
    assert result[20, 110] == pytest.approx(top / 2, rel=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_contrast_and_inversion(dtype):
    top = np.iinfo(dtype).max
    image = ramp(dtype)
    inverted = filtered(image, **{**PLAIN, "invert": True, "contrast": 0.5})
    middle = (top + 1) / 2
    assert inverted[20, 10] == pytest.approx((top - middle) * 0.5 + middle, rel=0.01)
    assert inverted[20, -10] == pytest.approx(middle / 2, rel=0.01)


def test_what_was_0_stays_0_and_does_not_count():
    image = ramp()
    image[:5] = 0
    result = filtered(image, **{**PLAIN, "invert": True, "clahe_clip_limit": 1.5})
    assert not result[:5].any()
    bright = filtered(image, **{**PLAIN, "invert": True, "reapply_mask": False})
    assert (bright[2] == 255).all()


def test_the_ends_of_the_range_are_saturated():
    image = ramp()
    image[0, :3], image[1, :3] = 1, 255
    result = filtered(image, **{**PLAIN, "saturated_percent": 0.2})
    assert (result[20, 10], result[20, -10]) == (0, 255)


def test_8_and_16_bit_agree():
    image = np.random.default_rng(1).integers(60, 200, (64, 64)).astype(np.uint8)
    options = {**PLAIN, "invert": True, "saturated_percent": 0.2, "contrast": 0.85, "clahe_clip_limit": 1.5}
    eight = filtered(image, **options).astype(float)
    sixteen = filtered(image.astype(np.uint16) * 257, **options) / 257
    assert np.abs(eight - sixteen).mean() < 3


def test_turned_upside_down():
    image = ramp().T.copy()
    np.testing.assert_array_equal(filtered(image, **{**PLAIN, "flip": True}), filtered(image, **PLAIN)[::-1])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 5), np.uint8), "all 0"),
        (np.full((5, 5), 9, np.uint16), "the intensity 9"),
        (np.zeros((5, 5, 3), np.uint8), "grey images"),
        (np.zeros((5, 5), np.float32), "grey images"),
    ],
)
def test_images_without_a_range_are_refused(image, message):
    with pytest.raises(FilterError, match=message):
        filtered(image, **PLAIN)
