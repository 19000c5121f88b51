import pytest

from rendermodules.core.masks import check_tile_size, levels_of, with_masks
from rendermodules.core.sections import Section

URLS = {0: "m0", 2: "m2"}


def section():
    masked = {"imageUrl": "b", "maskUrl": "old", "maskLoaderType": "X", "maskSliceNumber": 3}
    channel = {"name": "A", "mipmapLevels": {"0": {"imageUrl": "c"}}}
    tile = {"tileId": "t ö", "width": 20.0, "height": 10.0, "mipmapLevels": {"0": {"imageUrl": "a"}, "2": masked}}
    return Section(1.0, [{**tile, "channels": [channel]}])


def test_every_level_gets_its_mask():
    (tile,) = with_masks(section(), URLS, None).tiles
    assert tile["mipmapLevels"] == {
        "0": {"imageUrl": "a", "maskUrl": "m0"},
        "2": {"imageUrl": "b", "maskUrl": "m2"},
    }
    assert tile["channels"][0]["mipmapLevels"] == {"0": {"imageUrl": "c", "maskUrl": "m0"}}


def test_chosen_channels_alone():
    (tile,) = with_masks(section(), URLS, ["A"]).tiles
    assert tile["mipmapLevels"] == section().tiles[0]["mipmapLevels"]
    assert tile["channels"][0]["mipmapLevels"]["0"]["maskUrl"] == "m0"


def test_levels_and_sizes():
    assert levels_of(section()) == {0, 2}
    check_tile_size(section(), 20, 10)
    with pytest.raises(ValueError, match="the mask has 10 x 20 pixels, but not the tiles t ö"):
        check_tile_size(section(), 10, 20)
