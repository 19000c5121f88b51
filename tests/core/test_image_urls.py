from rendermodules.core.image_urls import urls_of_tile, with_urls
from rendermodules.core.sections import Section

TILE = {
    "tileId": "a",
    "mipmapLevels": {"0": {"imageUrl": "a0", "imageSliceNumber": 3}, "1": {"imageUrl": "a1", "maskUrl": "m1"}},
    "channels": [{"name": "c", "mipmapLevels": {"0": {"imageUrl": "c0", "maskUrl": None}}}],
}


def test_all_levels_masks_and_channels_change():
    section = Section(1.0, [TILE])
    (tile,) = with_urls(section, str.upper).tiles
    assert tile["mipmapLevels"] == {
        "0": {"imageUrl": "A0", "imageSliceNumber": 3},
        "1": {"imageUrl": "A1", "maskUrl": "M1"},
    }
    assert tile["channels"][0]["mipmapLevels"] == {"0": {"imageUrl": "C0", "maskUrl": None}}
    assert list(urls_of_tile(tile)) == ["A0", "A1", "M1", "C0"]
    assert list(urls_of_tile(TILE)) == ["a0", "a1", "m1", "c0"]
