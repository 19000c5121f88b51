from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.estimation import transformed
from rendermodules.core.match_frames import match_frame
from rendermodules.core.resampling import halved
from rendermodules.io.images import ImageError, write_image
from rendermodules.io.tile_images import LocalTileImages, TileImageOptions, fine_mesh_cell_size

OPTIONS = TileImageOptions(1.0, None, True, False)
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
ROWS, COLUMNS = 90, 130


def spots(shape=(ROWS, COLUMNS), points=((20.0, 30.0), (100.0, 15.0), (60.0, 70.0))):
    """Return an image with soft bright spots at points x, y."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for spot_x, spot_y in points:
        image += 200 * np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / (2 * 4.0**2))
    return np.rint(image).astype(np.uint8)


def brightest(pixels, around, reach=12):
    """Return the middle x, y of the brightness around a point."""
    x, y = np.rint(around).astype(int)
    first_x, first_y = max(x - reach, 0), max(y - reach, 0)
    part = pixels[first_y : y + reach + 1, first_x : x + reach + 1].astype(float)
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
    return np.array([(columns * part).sum(), (rows * part).sum()]) / part.sum() + [first_x, first_y]


@pytest.fixture
def tile(tmp_path):
    write_image(tmp_path / "a.tif", spots())

    def make(*transforms, **more):
        specs = [{"type": "leaf", "className": AFFINE, "dataString": numbers} for numbers in transforms]
        return {
            "tileId": "a",
            "width": float(COLUMNS),
            "height": float(ROWS),
            "mipmapLevels": {"0": {"imageUrl": str(tmp_path / "a.tif")}},
            "transforms": {"type": "list", "specList": specs},
            **more,
        }

    return make


def image_of(tile, count=0, **options):
    frame = match_frame(tile, None, count)
    return LocalTileImages(replace(OPTIONS, **options), 1 << 20)(tile, frame), frame


def test_a_raw_image_is_taken_as_it_is(tile):
    image, _ = image_of(tile("1 0 0 1 500 0"))
    np.testing.assert_array_equal(image.pixels, spots())
    assert image.mask is None
    np.testing.assert_array_equal(image.to_frame, np.eye(2, 3))


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.3, 0.25])
@pytest.mark.parametrize("local", ["1 0 0 1 0 0", "1.01 0 0 0.99 30 -20", "0.8 0.5 -0.5 0.8 300 40", "-1 0 0 1 200 5"])
def test_what_is_in_the_image_stays_where_it_is(tile, scale, local):
    image, frame = image_of(tile(local), 1, scale=scale)
    size = image.pixels.shape
    assert abs(np.sqrt(size[0] * size[1] / (ROWS * COLUMNS)) - scale) < 0.4
    for spot in ((20.0, 30.0), (100.0, 15.0), (60.0, 70.0)):
        in_frame = frame.local.apply([spot])
        linear = image.to_frame[:, :2]
        guess = np.linalg.solve(linear, in_frame[0] - image.to_frame[:, 2])
        found = transformed(image.to_frame, brightest(image.pixels, guess, round(12 * scale) + 1)[None])
        np.testing.assert_allclose(found, in_frame, atol=0.25)


def test_turned_images_are_drawn_upright_and_masked_outside(tile):
    image, _ = image_of(tile("0.8 0.6 -0.6 0.8 0 0"), 1)
    assert image.mask is not None
    assert image.mask[0, 0] == 0
    assert image.mask[60, 50] == 255
    np.testing.assert_allclose(image.to_frame[:, :2], np.eye(2))


def test_the_level_that_fits_is_read(tile, tmp_path):
    write_image(tmp_path / "a1.tif", np.full((ROWS // 2, COLUMNS // 2), 77, np.uint8))
    levels = {"0": {"imageUrl": str(tmp_path / "a.tif")}, "1": {"imageUrl": str(tmp_path / "a1.tif")}}
    pyramid = tile(mipmapLevels=levels)
    assert image_of(pyramid, scale=0.51)[0].pixels.max() > 100
    for scale in (0.5, 0.25):
        assert (image_of(pyramid, scale=scale)[0].pixels == 77).all()
    only_coarse = tile(mipmapLevels={"1": levels["1"]})
    image, _ = image_of(only_coarse, scale=1.0)
    assert image.pixels.shape == (ROWS // 2, COLUMNS // 2)
    np.testing.assert_allclose(image.to_frame, [[2, 0, 0.5], [0, 2, 0.5]])


def test_masks(tile, tmp_path):
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[:, :65] = 100
    write_image(tmp_path / "mask.tif", mask)
    level = {"imageUrl": str(tmp_path / "a.tif"), "maskUrl": str(tmp_path / "mask.tif")}
    masked = tile(mipmapLevels={"0": level})
    image, _ = image_of(masked)
    np.testing.assert_array_equal(image.mask > 0, mask > 0)
    half, _ = image_of(masked, scale=0.5)
    np.testing.assert_array_equal(half.mask > 0, halved(np.where(mask > 0, 255, 0).astype(np.uint8)) == 255)
    assert image_of(masked, masked=False)[0].mask is None
    write_image(tmp_path / "mask.tif", mask[:-1])
    with pytest.raises(ImageError, match=r"mask\.tif: a mask of \(89, 130\) does not fit the image of \(90, 130\)"):
        image_of(masked)


def test_channels_and_colours(tile, tmp_path):
    colours = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    colours[..., 0] = 200
    write_image(tmp_path / "red.png", colours)
    several = tile(
        channels=[
            {"name": "first", "mipmapLevels": {"0": {"imageUrl": str(tmp_path / "a.tif")}}},
            {"name": "red", "mipmapLevels": {"0": {"imageUrl": str(tmp_path / "red.png")}}},
        ]
    )
    np.testing.assert_array_equal(image_of(several)[0].pixels, spots())
    assert np.unique(image_of(several, channel="red")[0].pixels).tolist() == [60]
    with pytest.raises(ImageError, match="tile a: has no channel blue; there are first, red"):
        image_of(several, channel="blue")
    with pytest.raises(ImageError, match="tile a: has no mipmapLevels"):
        image_of(tile(mipmapLevels={}))


def test_local_contrast(tile, tmp_path):
    rng = np.random.default_rng(0)
    write_image(tmp_path / "a.tif", (100 + rng.normal(0, 3, (ROWS, COLUMNS))).astype(np.uint8))
    assert image_of(tile(), filtered=True)[0].pixels.std() > 30


def test_images_are_kept_and_read_again_when_their_file_has_changed(tile, tmp_path):
    images = LocalTileImages(OPTIONS, 1 << 20)
    one = tile()
    frame = match_frame(one, None, 0)
    first = images(one, frame)
    assert images(one, frame) is first
    write_image(tmp_path / "a.tif", np.full((ROWS, COLUMNS + 1), 9, np.uint8))
    again = images(one, frame)
    assert again.pixels.max() == 9
    assert again.key != first.key
    images.clear()
    assert images(one, frame) is not again


def test_triangles_are_small_in_small_images(tile):
    assert fine_mesh_cell_size(match_frame({**tile(), "width": 4096.0, "height": 4096.0}, None, 0)) == 32
    assert fine_mesh_cell_size(match_frame(tile(), None, 0)) == 8
