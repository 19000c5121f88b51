import numpy as np
import pytest

from rendermodules.io.image_cache import ImageCache
from rendermodules.io.images import ImageSource, write_image
from rendermodules.render_ws.rendering import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.parameters import PathBuilder
from rendermodules.render_ws.rendering.sources import channel_source

LEVELS = {str(level): {"imageUrl": f"/images/{level}.tif", "maskUrl": f"/masks/{level}.tif"} for level in (0, 2, 10)}
PLAIN = RenderParameters.of({})
IMAGES = ImageCache()


def test_a_tile_without_channels_has_one_without_name():
    tile = {"tileId": "t", "minIntensity": 5, "maxIntensity": 99, "mipmapLevels": LEVELS}
    source = channel_source(tile, None, PLAIN)
    assert (source.low, source.high) == (5, 99)
    assert source.has_mask
    assert source.finest_image() == ImageSource("/images/0.tif")
    assert channel_source(tile, "DAPI", PLAIN) is None


def test_channels_stand_over_the_tile():
    channels = [{"name": "A", "maxIntensity": 7, "mipmapLevels": LEVELS}, {"name": "B", "mipmapLevels": {}}]
    tile = {"tileId": "t", "maxIntensity": 99, "mipmapLevels": {}, "channels": channels}
    assert channel_source(tile, None, PLAIN).high == 7
    assert channel_source(tile, "A", PLAIN).has_mask
    assert (channel_source(tile, "B", PLAIN).low, channel_source(tile, "B", PLAIN).high) == (0, 255)
    assert channel_source(tile, "C", PLAIN) is None


def test_the_range_of_the_parameters_stands_over_that_of_tiles():
    tile = {"tileId": "t", "minIntensity": 5, "maxIntensity": 999, "mipmapLevels": LEVELS}
    source = channel_source(tile, None, RenderParameters.of({"maxIntensity": 50}))
    assert (source.low, source.high, source.own_high) == (5, 50, 999)


@pytest.mark.parametrize(
    ("wanted", "level", "halvings"), [(0, 0, 0), (1, 0, 1), (2, 2, 0), (3, 2, 1), (9, 2, 7), (10, 10, 0), (12, 10, 2)]
)
def test_the_coarsest_file_is_taken_that_is_fine_enough(wanted, level, halvings):
    found = channel_source({"tileId": "t", "mipmapLevels": LEVELS}, None, PLAIN).level(wanted, IMAGES)
    assert (found.level, found.halvings) == (level, halvings)
    assert found.image.url == f"/images/{level}.tif"
    assert found.mask.url == f"/masks/{level}.tif"


def test_what_is_missing_is_named():
    coarse = {"tileId": "t", "mipmapLevels": {"2": LEVELS["2"]}}
    with pytest.raises(RenderingError, match="tile t: mipmap level 1 is wanted, but the finest is 2"):
        channel_source(coarse, None, PLAIN).level(1, IMAGES)
    for levels, message in ({}, "has no mipmapLevels"), (None, "has no mipmapLevels"), ({"0": {}}, "has no imageUrl"):
        with pytest.raises(RenderingError, match=f"tile t: .*{message}"):
            channel_source({"tileId": "t", "mipmapLevels": levels}, None, PLAIN).level(0, IMAGES)
    with pytest.raises(RenderingError, match="tile t: mipmapLevels must be numbered"):
        channel_source({"tileId": "t", "mipmapLevels": {"fine": {}}}, None, PLAIN)
    with pytest.raises(RenderingError, match="tile t: maxIntensity must be a number"):
        channel_source({"tileId": "t", "maxIntensity": "bright", "mipmapLevels": LEVELS}, None, PLAIN)


@pytest.fixture
def built(tmp_path):
    """A tile whose levels 1 and 2 lie where a path builder expects them."""
    gray = np.zeros((8, 8), np.uint8)
    write_image(tmp_path / "raw" / "a.tif", gray)
    for level in (1, 2):
        write_image(f"{tmp_path}/mipmaps/{level}{tmp_path}/raw/a.tif.png", gray)
    spec = {"rootPath": f"{tmp_path}/mipmaps", "numberOfLevels": 2, "extension": "png"}
    url = f"file://{tmp_path}/raw/a.tif"
    return {"tileId": "t", "mipmapLevels": {"0": {"imageUrl": url}}, "mipmapPathBuilder": spec}


@pytest.mark.parametrize(("wanted", "level", "halvings"), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (4, 2, 2)])
def test_path_builders_find_what_is_not_listed(built, tmp_path, wanted, level, halvings):
    found = channel_source(built, None, PLAIN).level(wanted, IMAGES)
    assert (found.level, found.halvings) == (level, halvings)
    if level:
        assert found.image.url == f"{tmp_path}/mipmaps/{level}{tmp_path}/raw/a.tif.png".replace("//", "/")


def test_the_finest_is_taken_where_what_a_builder_derives_is_missing(built, tmp_path):
    mask = tmp_path / "raw" / "m.png"
    write_image(mask, np.zeros((8, 8), np.uint8))
    built["mipmapLevels"]["0"]["maskUrl"] = str(mask)  # has no mipmaps
    found = channel_source(built, None, PLAIN).level(2, IMAGES)
    assert (found.level, found.halvings, found.mask.url) == (0, 2, str(mask))


def test_builders_of_tiles_stand_over_those_of_parameters(built):
    other = RenderParameters.of({"mipmapPathBuilder": {"rootPath": "/elsewhere", "numberOfLevels": 9}})
    assert channel_source(built, None, other).path_builder.levels == 2
    assert channel_source({**built, "mipmapPathBuilder": None}, None, other).path_builder == PathBuilder(
        "/elsewhere", 9, ""
    )


def test_computed_masks_are_derived_by_level(built):
    built["mipmapLevels"]["0"]["maskUrl"] = "mask://outside-box?minX=0&minY=0&maxX=4&maxY=4&width=8&height=8"
    found = channel_source(built, None, PLAIN).level(1, IMAGES)
    assert found.mask.url.endswith("&level=1")
    assert IMAGES.image(found.mask).shape == (4, 4)
