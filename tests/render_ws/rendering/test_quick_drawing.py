"""The default renderer against the strict one: the same to one grey level, but for what Java does wrong."""

import numpy as np
import pytest

from rendermodules.core.transforms import Affine, LensCorrection, ThinPlateSpline
from rendermodules.render_ws.rendering.output import argb, gray

TURNED = [[0.98, -0.1, 30.3], [0.1, 0.98, -12.7]]
SHIFTED = [[1.01, 0.02, 110.25], [-0.02, 0.99, 40.5]]


def lens():
    factors = np.zeros((6, 2))
    factors[:2] = np.eye(2) * 60
    factors[2:5] = [[1.5, -1], [0.5, 0.8], [-1, 1.2]]
    factors[5] = [1, 0.75]
    return LensCorrection(2, factors, [100, 75, 1e4, 7500, 5600, 0], [60, 60, 9e3, 7e3, 5e3, 1], 200, 150)


def spline():
    landmarks = np.array([[0, 0], [200, 0], [0, 150], [200, 150], [90, 70.0]])
    return ThinPlateSpline(landmarks, np.random.default_rng(4).normal(size=(5, 2)) * 3e-5, np.zeros((2, 3)))


def flat(tile_specs, tile):
    """Return tile specs whose images have one value each: what differs in their boxes is which covers what."""
    return [
        {
            **tile(np.full((spec["height"], spec["width"]), 100 * number, np.uint8), name=f"flat{number}"),
            "transforms": spec["transforms"],
        }
        for number, spec in enumerate(tile_specs, 1)
    ]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("scale", [1.0, 0.4, 2.3])
@pytest.mark.parametrize("bent", [False, True])
def test_pixels_inside_of_tiles_differ_by_one_grey_level_at_most(tiles, texture, draw, kind, scale, bent):
    transforms = [[lens(), Affine(TURNED), spline()], [lens(), Affine(SHIFTED), spline()]] if bent else None
    specs = [
        tiles.tile(texture(n, kind=kind), matrix, name=f"t{n}", transforms=transforms and transforms[n])
        for n, matrix in enumerate((TURNED, SHIFTED))
    ]
    box = {"x": 3.7, "y": -8.1, "scale": scale}
    quick, strict = (draw(specs, 300, 200, strict, **box).pixels.astype(float) for strict in (False, True))
    plain = flat(specs, tiles.tile)
    covered, covered_by_java = (draw(plain, 300, 200, strict, **box).pixels for strict in (False, True))
    same = covered == covered_by_java
    # the mesh of a mipmap is a little larger than Java's, and bends elsewhere
    reduced = bent and scale < 0.5
    level = {np.uint8: 1, np.uint16: 257 if reduced else 1, np.float32: 1 if reduced else 0.001}[kind]
    assert np.abs(quick - strict)[same].max() <= level
    assert same.mean() > 0.95
    assert (covered[~same] > covered_by_java[~same]).all()


def test_last_rows_and_columns_have_their_values(tiles, texture, draw):
    image = texture(1)
    tile = tiles.tile(image)
    assert np.array_equal(draw([tile], 200, 150).pixels, image)
    strict = draw([tile], 200, 150, strict=True).pixels
    assert not strict[-1].any()
    assert not strict[:, -1].any()


def test_no_seam_shows_where_tiles_lie_over_each_other(tiles, texture, draw):
    below, above = texture(1, 100, 200), texture(2, 100, 120)
    specs = [tiles.tile(below, name="below"), tiles.tile(above, name="above")]
    assert draw(specs, 200, 100).pixels.min() > 0
    assert (draw(specs, 200, 100, strict=True).pixels[:99, 119] == 0).all()


@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_a_tile_covers_its_box_at_every_level(tiles, texture, draw, scale):
    tile = tiles.tile(texture(1, 160, 200))
    assert draw([tile], 200, 160, scale=scale).pixels.min() > 0
    assert not draw([tile], 200, 160, strict=True, scale=scale).pixels[0].any()


def test_masks_do_not_darken_what_lies_over_nothing(tiles, texture, draw):
    image, mask = texture(1), np.full((150, 200), 128, np.uint8)
    tile = tiles.tile(image, mask=mask)
    quick, strict = draw([tile], 200, 150), draw([tile], 200, 150, strict=True)
    assert np.array_equal(quick.pixels, image)
    assert (quick.mask == 128).all()
    assert np.median(strict.pixels[:-1, :-1] / image[:-1, :-1]) == pytest.approx(0.5, abs=0.02)


def test_black_pixels_are_not_empty_under_masks(tiles, draw):
    black = tiles.tile(np.zeros((50, 60), np.uint8), mask=np.full((50, 60), 255, np.uint8), name="black")
    white = tiles.tile(np.full((50, 60), 200, np.uint8), mask=np.full((50, 60), 128, np.uint8), name="white")
    quick, strict = draw([black, white], 60, 50), draw([black, white], 60, 50, strict=True)
    assert (quick.pixels[5:40, 5:50] == 100).all()
    assert (quick.mask[5:40, 5:50] == 255).all()
    assert (strict.mask[5:40, 5:50] == 128).all()


def test_edges_of_the_mesh_do_not_show_under_masks(tiles, draw):
    # vertices at whole pixels, so that pixels lie exactly on edges
    level = np.full((129, 129), 100, np.uint8)
    tile = tiles.tile(level, mask=np.full((129, 129), 100, np.uint8))
    quick, strict = draw([tile], 129, 129), draw([tile], 129, 129, strict=True)
    assert len(np.unique(quick.mask)) == 1
    assert len(np.unique(strict.mask[:128, :128])) > 1


def test_each_tile_is_shown_in_its_own_range(tiles, texture, draw):
    dim = tiles.tile(texture(1, 40, 50) // 4, name="dim", minIntensity=0, maxIntensity=63)
    full = tiles.tile(texture(2, 40, 50), [[1, 0, 60], [0, 1, 0]], name="full")
    for specs in ([dim, full], [full, dim]):
        image = gray(draw(specs, 110, 40))
        assert image[:, :50].max() > 240
        assert image[:, 60:].max() > 240
        assert 100 < image[:, 60:].mean() < 160
    strict = gray(draw([full, dim], 110, 40, strict=True))
    assert strict[:-1, 60:109].mean() > 200


def test_values_are_kept_for_deep_formats(tiles, texture, draw):
    image = texture(1, 40, 50) // 4
    dim = tiles.tile(image, name="dim", minIntensity=0, maxIntensity=63)
    full = tiles.tile(texture(2, 40, 50), [[1, 0, 60], [0, 1, 0]], name="full")
    assert np.array_equal(draw([dim, full], 110, 40, keep_values=True).pixels[:, :50], image)


@pytest.mark.parametrize("order", [1, -1])
def test_tiles_of_other_depths_are_shown_like_the_first(tiles, texture, draw, order):
    deep = tiles.tile(texture(1, 40, 50, np.uint16) // 16 + 800, name="d", minIntensity=800, maxIntensity=4896)
    plain = tiles.tile(texture(2, 40, 50), [[1, 0, 60], [0, 1, 0]], name="p")
    image = gray(draw([deep, plain][::order], 110, 40))
    for part in (image[:, :50], image[:, 60:]):
        assert part.min() < 20
        assert part.max() > 235


def test_colours_and_gray_may_be_mixed(tiles, texture, draw):
    colours = np.dstack([texture(n, 40, 50) for n in range(3)])
    specs = [tiles.tile(colours, name="c"), tiles.tile(texture(5, 40, 50), [[1, 0, 60], [0, 1, 0]], name="g")]
    image = draw(specs, 110, 40).pixels
    assert np.array_equal(image[:, :50], colours)
    assert np.array_equal(image[:, 60:, 1], texture(5, 40, 50))
    assert draw(specs[::-1], 110, 40).pixels.ndim == 2


def test_backgrounds_are_behind_everything(tiles, texture, draw):
    tile = tiles.tile(texture(1, 40, 50), [[1, 0, 10], [0, 1, 0]])
    image = argb(draw([tile], 80, 40, backgroundRGBColor=0x204060))
    assert image[20, 5].tolist() == [0x20, 0x40, 0x60, 255]
    assert image[20, 70].tolist() == [0x20, 0x40, 0x60, 255]
    assert np.array_equal(image[:, 10:60, 0], texture(1, 40, 50))
    assert argb(draw([], 8, 4, backgroundRGBColor=0x204060))[3, 7].tolist() == [0x20, 0x40, 0x60, 255]
    strict = argb(draw([tile], 80, 40, strict=True, backgroundRGBColor=0x204060))
    assert strict[20, 5].tolist() == [0, 0, 0, 255]
    assert len(np.unique(argb(draw([tile], 80, 40, fillWithNoise=True))[:, :10, 0])) > 50


@pytest.mark.parametrize("masked", [False, True])
def test_pixels_do_not_hang_on_threads(tiles, texture, draw, masked):
    mask = np.clip(np.arange(200) * 3, 0, 255).astype(np.uint8) * np.ones((150, 1), np.uint8) if masked else None
    specs = [
        tiles.tile(texture(n), mask=mask, name=f"t{n}", transforms=[lens(), Affine([[2, 0, 90 * n], [0, 2, 200 * n]])])
        for n in range(3)
    ]
    one, three = (draw(specs, 500, 700, threads=threads) for threads in (1, 3))
    assert np.array_equal(one.pixels, three.pixels)
    assert np.array_equal(one.mask, three.mask)


def test_nearest_pixels_and_hard_masks(tiles, texture, draw):
    image = texture(1)
    mask = np.zeros((150, 200), np.uint8)
    mask[:, 50:] = np.arange(150)[:, None]
    tile = tiles.tile(image, [[1, 0, 0.4], [0, 1, 0.4]], mask=mask)
    nearest = draw([tile], 200, 150, skipInterpolation=True, excludeMask=True)
    assert nearest.mask is None
    assert np.array_equal(nearest.pixels[1:, 1:], image[1:, 1:])
    hard = draw([tile], 200, 150, binaryMask=True)
    assert set(np.unique(hard.mask)) == {0, 255}
    assert not hard.pixels[:, :49].any()
