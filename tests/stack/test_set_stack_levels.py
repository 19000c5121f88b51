import marshmallow
import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path
from rendermodules.module.errors import SectionError
from rendermodules.stack import SetStackLevels


@pytest.fixture
def picture(tmp_path):
    """Function that writes an image and returns its URL."""

    def write(name, image):
        path = tmp_path / "my data ö" / f"{name}.tif"
        write_image(path, image)
        return url_of_path(path)

    return write


def fluorescence(background, dtype=np.uint16, step=128):
    """Background, and every step-th intensity v above it on step * 1e8 / v^2 pixels."""
    levels = np.arange(background + step, np.iinfo(dtype).max, step)
    values = np.repeat(levels, np.ceil(step * 1e8 / levels.astype(float) ** 2).astype(int))
    values = np.concatenate([values, np.full(2 * values.size, background)]).astype(dtype)
    return np.resize(values, (values.size // 100, 100))


@pytest.fixture
def raw(write_stack, tile_spec, picture):
    """Two sections with channels of different brightness; the second section is brighter."""
    sections = []
    for z, background in ((1.0, 1000), (2.5, 3000)):
        tiles = []
        for index in range(3):
            channels = []
            for name, factor in (("DAPI", 1), ("GFP", 2)):
                images = {"0": {"imageUrl": picture(f"{z}_{index}_{name}", fluorescence(factor * background))}}
                channels.append({"name": name, "minIntensity": 0.0, "maxIntensity": 255.0, "mipmapLevels": images})
            tiles.append({**tile_spec(f"{z} {index}", z, channels=channels), "mipmapLevels": {}})
        sections.append(Section(z, tiles))
    write_stack("raw", *sections)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: SetStackLevels(
        {"render": render_parameters, "input_stack": "raw", "output_stack": "new", **parameters}
    ).run()


def levels(section, name):
    (found,) = {
        (channel["minIntensity"], channel["maxIntensity"])
        for tile in section.tiles
        for channel in tile["channels"]
        if channel["name"] == name
    }
    return found


def test_fixed_levels_of_one_channel_in_place(run, raw, sections_of):
    run(output_stack="raw", maxIntensity=5000, channels=["GFP"], z=2.5)
    sections = sections_of("raw")
    assert levels(sections[2.5], "GFP") == (0.0, 5000.0)
    assert levels(sections[2.5], "DAPI") == levels(sections[1.0], "GFP") == (0.0, 255.0)


def test_levels_are_found_for_each_section_and_channel(run, raw, sections_of):
    run(mode="auto", num_samples=2, pool_size=2)
    for z, background in ((1.0, 1000), (2.5, 3000)):
        section = sections_of("new")[z]
        for name, factor in (("DAPI", 1), ("GFP", 2)):
            low, high = levels(section, name)
            assert low == pytest.approx(factor * background - 500, abs=64)
            assert high > factor * background


def test_a_given_minimum_wins(run, raw, sections_of):
    run(mode="percentile", minIntensity=10, high_percentile=90, channels=["DAPI"])
    low, high = levels(sections_of("new")[1.0], "DAPI")
    assert low == 10.0
    assert 1000 < high < 65535
    assert levels(sections_of("new")[1.0], "GFP") == (0.0, 255.0)


def test_8_bit_with_a_mask(run, write_stack, tile_spec, picture, sections_of):
    image = fluorescence(20, np.uint8, step=1)
    mask = np.full(image.shape, 255, np.uint8)
    spoiled = np.vstack([image, np.full_like(image, 200)])
    masked = {"imageUrl": picture("image", spoiled), "maskUrl": picture("mask", np.vstack([mask, 0 * mask]))}
    write_stack("raw", Section(1.0, [tile_spec("a", 1.0, mipmapLevels={"0": masked, "3": {"imageUrl": "nowhere"}})]))
    run(mode="auto", mip_level=2)
    (tile,) = sections_of("new")[1.0].tiles
    assert tile["minIntensity"] == 18.5
    assert tile["maxIntensity"] > 100


def test_what_shows_no_levels_is_refused(run, write_stack, tile_spec, picture):
    flat = picture("flat", np.full((9, 9), 7, np.uint8))
    write_stack("raw", Section(1.0, [tile_spec("a", 1.0, image=flat)]))
    with pytest.raises(SectionError, match=r"section z=1.0 of raw: .*no levels for the images"):
        run(mode="auto")
    write_stack("lost", Section(1.0, [tile_spec("a", 1.0)]))
    with pytest.raises(SectionError, match=r"nowhere/a\.tif"):
        run(input_stack="lost", mode="percentile")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "mode fixed needs"),
        ({"minIntensity": 9, "maxIntensity": 9}, "must be less than maxIntensity"),
        ({"mode": "percentile", "low_percentile": 60, "high_percentile": 50}, "less than high_percentile"),
    ],
)
def test_levels_that_are_upside_down_or_missing(run, parameters, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        run(**parameters)
