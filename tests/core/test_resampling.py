import numpy as np
import pytest

from rendermodules.core.resampling import drawn_through, halved
from rendermodules.core.transforms import Affine, Polynomial, TransformList


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


def smooth(rows=120, columns=160, kind=np.uint8):
    y, x = np.mgrid[0:rows, 0:columns]
    return (100 + 60 * np.sin(x / 17) + 50 * np.cos(y / 11)).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_an_image_that_is_not_moved_is_itself(kind):
    image = smooth(kind=kind)
    pixels, coverage = drawn_through(image, TransformList([]), (0, 0, 160, 120))
    assert pixels.dtype == kind
    assert np.array_equal(pixels, image)
    assert (coverage == 255).all()


@pytest.mark.parametrize("bent", [False, True])
def test_images_are_where_the_transform_takes_them(bent):
    image = smooth()
    turn = Affine([[0.8, -0.6, 500], [0.6, 0.8, 700]])
    bend = Polynomial([[0, 1, 0, 1e-4, 0, 0], [0, 0, 1, 0, 0, 2e-4]])
    transform = TransformList([bend, turn]) if bent else turn
    pixels, coverage = drawn_through(image, transform, (400, 690, 260, 220), mesh_cell_size=16)
    points = np.array([[20.0, 30], [140, 60], [80, 110]])
    for (x, y), world in zip(points, transform.apply(points), strict=True):
        column, row = np.rint(world - [400, 690]).astype(int)
        assert coverage[row, column] == 255
        assert abs(int(pixels[row, column]) - int(image[int(y), int(x)])) < 12
    assert 0.2 < (coverage == 255).mean() < 0.5
    assert not pixels[coverage == 0].any()


def test_reduced_images_are_averaged():
    noise = np.random.default_rng(1).integers(0, 256, (256, 256), dtype=np.uint8)
    pixels, _ = drawn_through(noise, TransformList([]), (0, 0, 256, 256), scale=0.125)
    assert pixels.shape == (32, 32)
    assert pixels.std() < 20


def test_masks_and_colours_go_along():
    image = np.dstack([smooth(), smooth() // 2, smooth() // 3])
    mask = np.zeros((120, 160), np.uint8)
    mask[:, 80:] = 255
    pixels, coverage = drawn_through(image, TransformList([]), (0, 0, 160, 120), mask=mask)
    assert np.array_equal(coverage, mask)
    assert np.array_equal(pixels[:, 80:], image[:, 80:])
    assert not pixels[:, :80].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2)])
def test_tiny_images_are_drawn_or_not_but_do_no_harm(shape):
    pixels, coverage = drawn_through(np.full(shape, 9, np.uint8), TransformList([]), (-5, -5, 70, 70), scale=0.5)
    assert pixels.shape == coverage.shape == (35, 35)
