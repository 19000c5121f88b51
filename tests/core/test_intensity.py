import numpy as np
import pytest

from rendermodules.core.intensity import (
    IntensityRange,
    IntensityRangeError,
    background_range,
    median_range,
    percentile_range,
    sampled,
    value_counts,
)


def power_law_picture(exponent: float = 2.5, background: int = 1200) -> np.ndarray:
    """16 bit: background, and bright pixels whose counts per bin fall as a power of the grey value."""
    centres = (np.arange(512) + 0.5) * 128
    counts = np.zeros(512, dtype=int)
    tail = centres > background
    counts[tail] = (3e5 * (centres[tail] / background) ** -exponent).astype(int)
    counts[background // 128] = 10**6
    return np.repeat(centres.astype(np.uint16), counts)


def test_counts_of_8_and_16_bit_colour_and_mask() -> None:
    image = np.array([[1, 1, 255], [0, 1, 7]], dtype=np.uint8)
    counts = value_counts(image)
    assert counts.shape == (256,)
    assert (counts[0], counts[1], counts[7], counts[255], counts.sum()) == (1, 3, 1, 1, 6)
    masked = value_counts(image, np.array([[255, 0, 0], [1, 0, 0]]))
    assert (masked[0], masked[1], masked.sum()) == (1, 1, 2)
    assert value_counts(image.astype(np.uint16) * 257).shape == (65536,)
    assert value_counts(np.zeros((2, 2, 3), np.uint8))[0] == 12


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        value_counts(np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match=r"mask of shape \(3, 2\)"):
        value_counts(np.zeros((2, 2), np.uint8), np.zeros((3, 2)))


def test_percentiles_are_those_of_all_pixels() -> None:
    random = np.random.default_rng(0)
    images = [random.normal(mean, 2000, (80, 90)).clip(0, 65535).astype(np.uint16) for mean in (20000, 30000)]
    found = percentile_range(sum(value_counts(image) for image in images), 1, 98)
    expected = np.percentile(np.concatenate([image.ravel() for image in images]), [1, 98], method="lower")
    assert found == tuple(expected)


def test_dust_and_padding_do_not_decide() -> None:
    image = np.random.default_rng(0).integers(100, 151, (100, 100), dtype=np.uint8)
    image[0, :40] = 255
    assert percentile_range(value_counts(image)) == (100, 150)
    image[:60] = 0
    assert percentile_range(value_counts(image)).low == 0
    assert percentile_range(value_counts(image), ends=False) == (100, 150)


@pytest.mark.parametrize("value", [0, 9])
def test_pictures_without_range_are_refused(value: int) -> None:
    counts = value_counts(np.full((5, 5), value, np.uint8))
    with pytest.raises(IntensityRangeError, match=f"grey value {value}"):
        percentile_range(counts)
    with pytest.raises(IntensityRangeError, match="tail"):
        background_range(counts, 1)
    with pytest.raises(IntensityRangeError, match="no pixels"):
        percentile_range(np.zeros(256, int))
    with pytest.raises(ValueError, match="percents"):
        percentile_range(counts, 99, 1)


def test_background_range_finds_mode_and_end_of_tail() -> None:
    counts = value_counts(power_law_picture())
    low, high = background_range(counts)
    assert low == (1200 // 128 + 0.5) * 128 - 500
    # where 3e5 (x / 1200)^-2.5 = e^4
    assert high == pytest.approx(1200 * (3e5 / np.exp(4)) ** 0.4, rel=0.05)


def test_background_range_is_never_negative() -> None:
    assert background_range(value_counts(power_law_picture(background=200))).low == 0
    assert background_range(value_counts(power_law_picture()), below_mode=1e6).low == 0


def test_rising_histogram_is_refused() -> None:
    image = np.repeat(np.arange(256, dtype=np.uint8), 100 + np.arange(256))
    counts = value_counts(np.append(image, np.zeros(100000, np.uint8)))
    with pytest.raises(IntensityRangeError, match="do not fall"):
        background_range(counts, 1)


def test_median_is_not_moved_by_an_odd_image() -> None:
    ranges = [IntensityRange(10, 200), IntensityRange(12, 210), IntensityRange(-1e9, 1e9)]
    assert median_range(ranges) == (10, 210)
    with pytest.raises(IntensityRangeError, match="no images"):
        median_range([])


def test_sample_is_in_order_without_repetition_and_repeatable() -> None:
    items = list(range(100))
    drawn = sampled(items, 10, seed=3)
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn) == sampled(items, 10, seed=3) != sampled(items, 10, seed=4)
    assert sampled(items[:5], 10) == items[:5]
