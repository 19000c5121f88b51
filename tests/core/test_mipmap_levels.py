import pytest

from rendermodules.core.mipmap_levels import full_scale_levels, with_mipmap_levels
from rendermodules.core.sections import Section


def owner(url):
    return {"mipmapLevels": {"0": {"imageUrl": url, "maskUrl": "m"}, "10": {"imageUrl": "old"}}}


TILE = {"tileId": "t", **owner("a"), "channels": [{"name": "c", **owner("b")}, {"name": "d", **owner("e")}]}
SECTION = Section(1.0, [TILE])


def levels_of(tile, level):
    return {level_number: {"imageUrl": f"{level['imageUrl']}{level_number}"} for level_number in (2, 1)}


def test_levels_are_set_and_others_kept():
    (tile,) = with_mipmap_levels(SECTION, levels_of, None).tiles
    assert tile["mipmapLevels"] == {
        "0": {"imageUrl": "a", "maskUrl": "m"},
        "10": {"imageUrl": "old"},
        "1": {"imageUrl": "a1"},
        "2": {"imageUrl": "a2"},
    }
    assert tile["channels"][1]["mipmapLevels"]["2"] == {"imageUrl": "e2"}


def test_channels():
    (tile,) = with_mipmap_levels(SECTION, levels_of, ["d"]).tiles
    assert tile["mipmapLevels"] == TILE["mipmapLevels"]
    assert tile["channels"][0] == TILE["channels"][0]
    assert tile["channels"][1]["mipmapLevels"]["1"] == {"imageUrl": "e1"}
    assert [level["imageUrl"] for _, level in full_scale_levels(SECTION, None)] == ["a", "b", "e"]
    assert [level["imageUrl"] for _, level in full_scale_levels(SECTION, ["c"])] == ["b"]
    with pytest.raises(ValueError, match="no tile has the channel x; there are c, d"):
        list(full_scale_levels(SECTION, ["x"]))


def test_no_level_0():
    with pytest.raises(ValueError, match="tile t has no image at level 0"):
        with_mipmap_levels(Section(1.0, [{"tileId": "t", "mipmapLevels": {"1": {"imageUrl": "a"}}}]), levels_of, None)
