import numpy as np
import pytest

from rendermodules.core.match_frames import match_frame
from rendermodules.io.images import write_image
from rendermodules.io.tile_images import LocalTileImages, TileImageOptions
from rendermodules.module.service_images import ServiceTileImages

OPTIONS = TileImageOptions(1.0, None, True, False)
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def tile(tile_spec, tmp_path):
    y, x = np.mgrid[:80, :100]
    write_image(tmp_path / "a.tif", (100 + 60 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8))
    mask = np.full((80, 100), 255, np.uint8)
    mask[:, :30] = 0
    write_image(tmp_path / "mask.tif", mask)
    place = {"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 5000 7000"}

    def make(*local, masked=False):
        specs = [{"type": "leaf", "className": AFFINE, "dataString": numbers} for numbers in local]
        tile = tile_spec("a", 1.0, *specs, place, image=str(tmp_path / "a.tif"), width=100.0, height=80.0)
        if masked:
            tile["mipmapLevels"]["0"]["maskUrl"] = str(tmp_path / "mask.tif")
        return tile

    return make


@pytest.mark.parametrize("local", [(), ("0.9 0.1 -0.1 0.9 30 40",)])
def test_the_service_draws_what_is_in_the_file(tile, render_parameters, local):
    one = tile(*local)
    frame = match_frame(one)
    drawn = ServiceTileImages(render_parameters, OPTIONS, 1 << 20)(one, frame)
    read = LocalTileImages(OPTIONS, 1 << 20)(one, frame)
    # both are in the frame, the first pixels need not be the same
    off = np.rint(read.to_frame[:, 2] - drawn.to_frame[:, 2]).astype(int)
    assert (off == 0).all()
    rows, columns = (min(sizes) for sizes in zip(drawn.pixels.shape, read.pixels.shape, strict=True))
    inside = drawn.mask[:rows, :columns] > 0
    difference = np.abs(drawn.pixels[:rows, :columns].astype(int) - read.pixels[:rows, :columns])
    assert inside.mean() > 0.7
    assert difference[inside].max() <= 1


def test_masks_and_scales(tile, render_parameters):
    one = tile(masked=True)
    frame = match_frame(one)
    drawn = ServiceTileImages(render_parameters, OPTIONS, 1 << 20)(one, frame)
    assert not drawn.mask[:, :30].any()
    assert drawn.mask[40, 60] == 255
    half = TileImageOptions(0.5, None, False, False)
    small = ServiceTileImages(render_parameters, half, 1 << 20)(one, frame)
    assert small.pixels.shape == (40, 50)
    np.testing.assert_array_equal(small.to_frame, [[2, 0, 0], [0, 2, 0]])
    assert small.mask[20, 5] == 255


def test_images_are_kept(tile, render_parameters):
    images = ServiceTileImages(render_parameters, OPTIONS, 1 << 20)
    frame = match_frame(tile())
    assert images(tile(), frame) is images(tile(), frame)
