import numpy as np
import pytest

from rendermodules.core.depths import as_kind_of, luminance, shown, with_range

BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)
SHORTS = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)


def test_full_range_shows_bytes_as_they_are():
    assert shown(BYTES, 0, 255) is BYTES


def test_bytes_are_stretched_over_their_range():
    table = shown(BYTES, 50, 150).ravel().tolist()
    assert table[:51] == [0] * 51
    assert table[151:] == [255] * 105
    assert table[51] == int(256 * 1 / 100)
    assert table[100] == 128
    assert table[150] == 255


def test_a_range_upside_down_is_none():
    assert np.array_equal(shown(BYTES, 150, 50), BYTES)
    assert shown(BYTES, 100, 100).ravel()[[99, 100]].tolist() == [0, 255]


def test_shorts_are_rounded_over_their_range():
    values = np.array([[0, 1000, 1001, 1500, 2000, 60000]], np.uint16)
    expected = [0, 0, int(256 / 1001 + 0.5), int(500 * 256 / 1001 + 0.5), 255, 255]
    assert shown(values, 1000, 2000).tolist() == [expected]
    assert shown(values, 1000.9, 2000.9).tolist() == [expected]
    assert shown(values, -5, 1e9).max() == 234
    for low, high in ((5, 4), (65535, 0)):
        assert set(np.unique(shown(values, low, high))) <= {0, 255}


def test_floats_are_rounded_over_their_range():
    values = np.array([[-1e30, 0.4, 0.6, 100.2, 255, 1e30, np.nan]], np.float32)
    assert shown(values, 0, 255).tolist() == [[0, 0, 1, 100, 255, 255, 0]]
    assert shown(values, 100, 100).dtype == np.uint8


def test_colours_are_shown_each_alone():
    colours = np.stack([BYTES, BYTES[::-1], BYTES], axis=-1)
    assert np.array_equal(shown(colours, 10, 90)[:, :, 1], shown(BYTES[::-1], 10, 90))


def test_luminance_is_the_mean():
    assert luminance(np.array([[[10, 20, 31]]], np.uint8)).tolist() == [[20]]
    assert luminance(BYTES) is BYTES


@pytest.mark.parametrize("kind", [BYTES, SHORTS, SHORTS.astype(np.float32), np.dstack([BYTES] * 3)])
def test_images_of_one_kind_stay_as_they_are(kind):
    assert as_kind_of(kind, kind, 3, 7) is kind


def test_images_become_others():
    colours = np.dstack([BYTES] * 3)
    assert np.array_equal(as_kind_of(SHORTS, BYTES, 1000, 2000), shown(SHORTS, 1000, 2000))
    assert np.array_equal(as_kind_of(BYTES, SHORTS, 5, 9), BYTES.astype(np.uint16))
    assert np.array_equal(as_kind_of(SHORTS, colours, 0, 65535)[:, :, 2], shown(SHORTS, 0, 65535))
    assert np.array_equal(as_kind_of(colours, SHORTS, 5, 9), BYTES.astype(np.uint16))
    assert as_kind_of(SHORTS, BYTES.astype(np.float32), 5, 9).dtype == np.float32


def test_ranges_are_moved():
    assert with_range(BYTES, 0, 255, 0, 255) is BYTES
    moved = with_range(BYTES, 100, 150, 0, 255).ravel().tolist()
    assert [moved[value] for value in (0, 100, 110, 150, 200)] == [0, 0, 51, 255, 255]
    assert with_range(SHORTS.astype(np.float32), 0, 65535, 0, 1).max() == pytest.approx(1, abs=0.01)
    assert with_range(BYTES, 5, 5, 0, 255) is BYTES
