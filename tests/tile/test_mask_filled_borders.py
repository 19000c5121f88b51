import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import path_of_url, url_of_path
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.images import box_image
from rendermodules.tile import MaskFilledBorders


def affine(x):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} 0"}


@pytest.fixture
def raw(write_stack, tile_spec, tmp_path):
    """A grey tile, over its right part another whose left 40 columns are filled, and inside a dark spot."""
    below = np.full((60, 100), 200, np.uint16)
    above = np.full((60, 100), 100, np.uint16)
    above[:, :40] = 0
    above[20:40, 60:80] = 0
    for name, image in (("below", below), ("über", above)):
        write_image(tmp_path / "im ages" / f"{name}.tif", image)
        write_image(tmp_path / "im ages" / f"{name}_half.tif", image[::2, ::2])
    tiles = []
    for number, (name, x) in enumerate((("below", 0), ("über", 50))):
        levels = {
            "0": {"imageUrl": url_of_path(tmp_path / "im ages" / f"{name}.tif")},
            "1": {"imageUrl": url_of_path(tmp_path / "im ages" / f"{name}_half.tif")},
        }
        size = {"width": 100.0, "height": 60.0, "maxIntensity": 255.0}
        tiles.append(tile_spec(f"tile{number}", 1.0, affine(x), mipmapLevels=levels, **size))
    write_stack("raw", Section(1.0, tiles), stackResolutionX=4.0)


@pytest.fixture
def run(render_parameters, tmp_path):
    data = {"render": render_parameters, "input_stack": "raw", "output_stack": "masked"}
    return lambda **more: MaskFilledBorders({**data, "mask_dir": str(tmp_path / "masks"), **more}).run()


def test_what_is_below_a_filled_border_is_seen(raw, run, render, tmp_path):
    before = box_image(render, "raw", 1.0, 0, 0, 150, 60, dtype="uint16")
    assert (before[:, 51:88] == 0).all()
    run(margin=2)
    after = box_image(render, "masked", 1.0, 0, 0, 150, 60, dtype="uint16")
    assert (after[:, 1:91] == 200).all()
    assert (after[1:18, 94:148] == 100).all()
    assert (after[22:38, 112:128] == 0).all(), "a dark spot inside is tissue"
    below, above = stacks.read_section(render, "masked", 1.0).tiles
    assert "maskUrl" not in below["mipmapLevels"]["0"]
    masks = {level: read_image(path_of_url(above["mipmapLevels"][level]["maskUrl"])) for level in ("0", "1")}
    assert masks["0"].shape == (60, 100)
    assert masks["1"].shape == (30, 50)
    assert set(np.unique(masks["0"])) == {0, 255}


def test_masks_that_are_there_are_kept(raw, run, tmp_path):
    run()
    (file,) = (tmp_path / "masks").rglob("*tif_mask.png")
    stamp = file.stat().st_mtime_ns
    run(overwrite_zlayer=True)
    assert file.stat().st_mtime_ns == stamp


def test_a_missing_image_is_named(raw, run, render, tmp_path):
    (tmp_path / "im ages" / "below.tif").unlink()
    with pytest.raises(SectionError, match=r"z=1.0 of raw: .*below.tif"):
        run()
    assert stacks.stack_metadata(render, "masked")["state"] == "LOADING"
