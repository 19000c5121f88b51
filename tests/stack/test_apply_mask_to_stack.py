import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.io.images import ImageError, read_image, write_image
from rendermodules.io.paths import path_of_url
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.stack import ApplyMaskToStack

MASK = np.full((10, 20), 255, np.uint8)
MASK[:3, :5] = 0


@pytest.fixture
def mask_file(tmp_path):
    path = tmp_path / "my masks ö" / "corner.png"
    write_image(path, MASK)
    return path


@pytest.fixture
def raw(write_stack, tile_spec):
    """Two sections of a tile with a pyramid and a channel, and one with neither."""
    levels = {"0": {"imageUrl": "file:/a.tif", "imageSliceNumber": 2}, "2": {"imageUrl": "file:/a2.tif"}}
    channel = {"name": "A", "minIntensity": 0.0, "maxIntensity": 1.0, "mipmapLevels": {"1": {"imageUrl": "c.tif"}}}
    sections = [
        Section(z, [tile_spec(f"a{z}", z, mipmapLevels=levels, channels=[channel]), tile_spec(f"b{z}", z)])
        for z in (1.0, 2.5)
    ]
    write_stack("raw", *sections)


@pytest.fixture
def run(render_parameters, mask_file):
    parameters = {"render": render_parameters, "input_stack": "raw", "mask_file": str(mask_file)}
    return lambda **more: ApplyMaskToStack({**parameters, "output_stack": "masked", **more}).run()


def test_every_image_gets_the_mask_of_its_level(run, raw, sections_of, mask_file):
    run(pool_size=2)
    for section in sections_of("masked").values():
        first, second = section.tiles
        levels = first["mipmapLevels"]
        assert levels["0"]["imageSliceNumber"] == 2
        assert path_of_url(levels["0"]["maskUrl"]) == mask_file
        np.testing.assert_array_equal(read_image(levels["0"]["maskUrl"]), MASK)
        assert path_of_url(levels["2"]["maskUrl"]) == mask_file.with_name("corner_mip02.png")
        expected = np.full((2, 5), 255, np.uint8)
        expected[0, :2] = 0
        np.testing.assert_array_equal(read_image(levels["2"]["maskUrl"]), expected)
        assert path_of_url(first["channels"][0]["mipmapLevels"]["1"]["maskUrl"]).name == "corner_mip01.png"
        assert path_of_url(second["mipmapLevels"]["0"]["maskUrl"]) == mask_file


def masked(section):
    return ["maskUrl" in tile["mipmapLevels"]["0"] for tile in section.tiles]


def test_sections_that_are_not_chosen_stay_without(run, raw, sections_of, tmp_path):
    run(z=2.5, mask_dir=str(tmp_path / "elsewhere"))
    assert {z: masked(section) for z, section in sections_of("masked").items()} == {
        1.0: [False, False],
        2.5: [True, True],
    }
    assert len(list((tmp_path / "elsewhere").iterdir())) == 2
    run(z=2.5, output_stack="chosen", clone_rest=False)
    assert list(sections_of("chosen")) == [2.5]
    run(z=2.5, output_stack="raw")
    assert [masked(section) for section in sections_of("raw").values()] == [[False, False], [True, True]]


def test_chosen_channels(run, raw, sections_of):
    run(channels=["A"])
    first, second = sections_of("masked")[1.0].tiles
    assert "maskUrl" in first["channels"][0]["mipmapLevels"]["1"]
    assert masked(Section(1.0, [first, second])) == [False, False]


def test_a_mask_of_another_size_is_refused(run, raw, mask_file, render):
    write_image(mask_file, MASK[:, :10])
    with pytest.raises(SectionError, match=r"z=1.0 of raw: .*10 x 10 pixels, but not the tiles a1\.0, b1\.0"):
        run()
    assert stacks.stack_metadata(render, "masked")["state"] == "LOADING"


def test_what_is_no_image_is_refused_before_anything_is_written(run, raw, mask_file, render):
    mask_file.write_text("not an image")
    with pytest.raises(ImageError, match=r"corner\.png"):
        run()
    assert stacks.stack_names(render) == ["raw"]


@pytest.mark.parametrize(
    ("old", "chosen"),
    [
        ({"minz": -1, "maxz": -1}, {1.0: True, 2.5: True}),
        ({"minz": 0, "maxz": -1}, {1.0: True, 2.5: True}),
        ({"minz": 0, "maxz": 2.5}, {1.0: True, 2.5: False}),
        ({"minz": 2, "maxz": 3}, {1.0: False, 2.5: True}),
    ],
)
def test_a_former_range_excludes_its_end_and_has_minus_one_for_no_limits(run, raw, sections_of, old, chosen):
    with pytest.warns(FutureWarning, match="minz and maxz are now minZ and maxZ"):
        run(**old)
    assert {z: all(masked(section)) for z, section in sections_of("masked").items()} == chosen
