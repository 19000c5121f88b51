import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rendermodules.core.pyramids import REDUCTIONS, deepest_level, level_size, pyramid, reduced
from rendermodules.core.resampling import halved

IMAGES = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda shape: arrays(np.uint8, shape))


def quarters(image: np.ndarray) -> np.ndarray:
    """The four pixels of each one, (4, rows, columns)."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return blocks.transpose(1, 3, 0, 2).reshape(4, rows, columns)


@settings(max_examples=40, deadline=None)
@given(IMAGES)
def test_reductions_of_four_pixels(image: np.ndarray) -> None:
    four = quarters(image)
    np.testing.assert_array_equal(reduced(image), four.sum(axis=0, dtype=int) // 4)
    np.testing.assert_array_equal(reduced(image, "minimum"), four.min(axis=0, initial=255))
    np.testing.assert_array_equal(reduced(image, "maximum"), four.max(axis=0, initial=0))
    np.testing.assert_array_equal(reduced(image, "nearest"), four[0])
    middle = np.sort(four, axis=0)[1:3].sum(axis=0, dtype=int)
    np.testing.assert_array_equal(reduced(image, "median"), middle // 2)


@pytest.mark.parametrize("method", REDUCTIONS)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(6, 9), (7, 4, 3), (1, 8), (5, 1)])
def test_type_and_size_are_kept_and_halved(method: str, kind: type, shape: tuple[int, ...]) -> None:
    image = np.full(shape, 200, dtype=kind)
    small = reduced(image, method)
    assert small.dtype == kind
    assert small.shape == (shape[0] // 2, shape[1] // 2, *shape[2:])
    assert (np.abs(small.astype(float) - 200) < 1e-3).all()


@pytest.mark.parametrize("method", ["bilinear", "hamming", "bicubic", "lanczos"])
def test_filters_are_those_of_pillow(method: str) -> None:
    from PIL import Image

    random = np.random.default_rng(0)
    image = random.integers(60, 200, (60, 80), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(image).resize((40, 30), getattr(Image.Resampling, method.upper())))
    difference = reduced(image, method).astype(int) - expected
    # Pillow has no pixels outside of the image, and rounds between the axes
    assert np.abs(difference[6:-6, 6:-6]).max() <= 1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_compiled_mean_is_that_of_drawing(kind: type) -> None:
    image = np.random.default_rng(2).integers(0, np.iinfo(kind).max + 1, (301, 259), dtype=kind)
    np.testing.assert_array_equal(reduced(image), halved(image))


def test_16_bit_keeps_its_values() -> None:
    image = np.random.default_rng(1).integers(0, 65536, (64, 64), dtype=np.uint16)
    np.testing.assert_array_equal(reduced(image), quarters(image).sum(axis=0, dtype=int) // 4)
    assert reduced(image, "median").max() > 50000
    assert abs(reduced(image, "lanczos").mean() - image.mean()) < 1000


def test_pyramid_ends_where_a_side_would_vanish() -> None:
    image = np.zeros((20, 100), dtype=np.uint8)
    assert [level.shape for level in pyramid(image, 10)] == [(10, 50), (5, 25), (2, 12), (1, 6)]
    assert deepest_level(100, 20) == 4
    assert level_size(100, 20, 4) == (6, 1)
    assert level_size(100, 20, 5) == (3, 0)
    assert len(list(pyramid(image, 2))) == 2
    assert deepest_level(1, 50) == 0


def test_each_level_is_made_from_the_one_before() -> None:
    image = np.random.default_rng(2).integers(0, 256, (37, 41), dtype=np.uint8)
    first, second = pyramid(image, 2)
    np.testing.assert_array_equal(second, reduced(first))


def test_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="cubic"):
        reduced(np.zeros((4, 4), np.uint8), "cubic")
