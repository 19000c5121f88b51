import marshmallow
import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import path_of_url, url_of_path
from rendermodules.module.errors import SectionError
from rendermodules.tile import FilterTiles


@pytest.fixture
def raw(write_stack, tile_spec, tmp_path):
    """Tiles of 8 and 16 bit with a black border; the images of the stack are turned, the originals beside them."""
    random = np.random.default_rng(1)
    folder = tmp_path / "my data ö"
    tiles = []
    for name, dtype in (("small", np.uint8), ("large", np.uint16)):
        image = random.integers(60, 200, (40, 60)).astype(dtype) * (np.iinfo(dtype).max // 255)
        image[:, :4] = 0
        write_image(folder / f"{name}.tif", image)
        write_image(folder / f"{name}_flip.tif", image[::-1].copy())
        level = {"imageUrl": url_of_path(folder / f"{name}_flip.tif"), "maskUrl": "file:///mask.png"}
        tiles.append(tile_spec(name, 1.0, width=60.0, height=40.0, mipmapLevels={"0": level, "1": level}))
    write_stack("raw", Section(1.0, tiles))
    return folder


@pytest.fixture
def run(render_parameters, tmp_path):
    parameters = {"render": render_parameters, "input_stack": "raw", "output_stack": "new", "clahe_size": 4}
    return lambda **more: FilterTiles({**parameters, "output_directory": str(tmp_path / "new"), **more}).run()


def images(section):
    return {tile["tileId"]: read_image(tile["mipmapLevels"]["0"]["imageUrl"]) for tile in section.tiles}


def test_images_are_filtered_in_their_own_depth(run, raw, sections_of):
    run(pool_size=2)
    section = sections_of("new")[1.0]
    for tile in section.tiles:
        assert list(tile["mipmapLevels"]) == ["0"]
        assert tile["mipmapLevels"]["0"]["maskUrl"] == "file:///mask.png"
    for name, image in images(section).items():
        original = read_image(raw / f"{name}_flip.tif")
        assert image.dtype == original.dtype
        assert not image[:, :4].any()
        assert np.corrcoef(image[:, 4:].ravel(), original[:, 4:].ravel())[0, 1] < -0.8


def test_originals_are_found_and_turned(run, raw, sections_of, tmp_path):
    rule = {"source_find": r"_flip\.tif$", "source_replace": ".tif"}
    run(**rule, vert_flip=True)
    section = sections_of("new")[1.0]
    assert path_of_url(section.tiles[0]["mipmapLevels"]["0"]["imageUrl"]).name == "large.tif"
    by_rule = images(section)
    run(output_stack="direct", output_directory=str(tmp_path / "direct"))
    for name, image in images(sections_of("direct")[1.0]).items():
        assert np.abs(image[:, 4:].astype(float) - by_rule[name][:, 4:]).mean() < 0.01 * np.iinfo(image.dtype).max
    with pytest.raises(InputError, match=r"has no _turned that could be replaced"):
        run(source_find="_turned", output_directory=str(tmp_path / "third"))


def test_images_without_contrast_are_named(run, raw):
    write_image(raw / "small_flip.tif", np.full((40, 60), 7, np.uint8))
    with pytest.raises(InputError, match=r"small \(nearly all pixels of the image have the intensity 248\)"):
        run()


def test_what_is_no_regular_expression_is_refused(run):
    with pytest.raises(marshmallow.ValidationError, match="is no regular expression"):
        run(source_find="(")


def test_unknown_channels_are_refused(run, raw):
    with pytest.raises(SectionError, match="no tile has the channel DAPI"):
        run(channels=["DAPI"])
