import json

import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.io.images import read_image, write_image
from rendermodules.module.tile_image_module import RECORD, ImageTask, TileImageModule


def brighter(image):
    return image + np.uint16(1)


class Brighten(TileImageModule):
    """Make images brighter."""

    def image_task(self):
        return ImageTask(brighter)


IMAGE = np.arange(200, dtype=np.uint16).reshape(10, 20)


@pytest.fixture
def raw(write_stack, tile_spec, tmp_path):
    for name in "ab":
        write_image(tmp_path / "raw" / f"{name}.tif", IMAGE)
    levels = {"0": {"imageUrl": str(tmp_path / "raw" / "a.tif"), "maskUrl": "mask.png"}, "1": {"imageUrl": "nowhere"}}
    builder = {"rootPath": "/mips", "numberOfLevels": 3, "extension": "tif"}
    first = tile_spec("a", 1.0, mipmapLevels=levels, mipmapPathBuilder=builder)
    write_stack(
        "raw", Section(1.0, [first]), Section(2.5, [tile_spec("b", 2.5, image=str(tmp_path / "raw" / "b.tif"))])
    )
    return tmp_path / "new"


@pytest.fixture
def run(render_parameters, raw):
    parameters = {
        "render": render_parameters,
        "input_stack": "raw",
        "output_stack": "new",
        "output_directory": str(raw),
    }
    return lambda **more: Brighten({**parameters, **more}).run()


def test_masks_stay_and_coarser_levels_go(run, raw, sections_of):
    assert run(compression="zstd")["tile_count"] == 2
    tile = sections_of("new")[1.0].tiles[0]
    assert list(tile["mipmapLevels"]) == ["0"]
    assert tile["mipmapLevels"]["0"]["maskUrl"] == "mask.png"
    assert "mipmapPathBuilder" not in tile
    image = read_image(tile["mipmapLevels"]["0"]["imageUrl"])
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, IMAGE + 1)
    assert json.loads((raw / RECORD).read_bytes())["image"] == "brighter"


def test_the_old_stack_stays_as_it_was(run, sections_of):
    before = sections_of("raw")
    run(z=2.5)
    assert sections_of("raw") == before
    assert list(sections_of("new")) == [2.5]


def test_in_place_a_run_that_is_killed_anywhere_is_completed_by_the_next(raw, killed_runs):
    runs = killed_runs("tile.flip_tiles", input_stack="raw", output_stack="raw", output_directory=str(raw), z=2.5)
    assert len(runs) > 6
    old, new = runs[0][0]["raw"], runs[-1][1]
    for after_kill, after in runs:
        assert after == new
        assert after_kill.get("raw", old) in (old, new["raw"])
    (tile,) = new["raw"]["2.5"][0]
    np.testing.assert_array_equal(read_image(tile["mipmapLevels"]["0"]["imageUrl"]), IMAGE[::-1])
