import pytest

from rendermodules.core.problems import InputError, Problems
from rendermodules.core.sections import Section
from rendermodules.core.tile_partners import partner_tiles, tile_key


def tile(name, row=None, section=None, frame=0):
    layout = {"sectionId": section, "imageRow": row, "imageCol": 0 if row is not None else None}
    return {
        "tileId": name,
        "layout": layout,
        "mipmapLevels": {"0": {"imageUrl": f"file:/data_F0099/{name}_F{frame:04d}.tif"}},
    }


def partners(base, other, key, missing_ok=False):
    problems = Problems("z=1")
    found = partner_tiles(Section(1.0, base), Section(1.0, other), "other", key, problems, missing_ok=missing_ok)
    problems.raise_if_any()
    return [one and one["tileId"] for one in found]


@pytest.mark.parametrize("match_by", ["layout", "frame"])
def test_partners_by_what_they_have_in_common(match_by):
    base = [tile("a", 0, frame=7), tile("b", 1, frame=8)]
    other = [tile("y", 1, frame=8), tile("x", 0, frame=7)]
    assert partners(base, other, tile_key(match_by, r"_F(\d+)")) == ["x", "y"]


def test_section_ids_decide_between_several():
    key = tile_key("layout", "")
    base = [tile("a", 0, "1a"), tile("b", 0, "1b")]
    assert partners(base, [tile("y", 0, "1b"), tile("x", 0, "1a")], key) == ["x", "y"]
    with pytest.raises(InputError, match="several partners in other: a"):
        partners(base[:1], [tile("x", 0, "1a"), tile("y", 0, "1a")], key)


def test_missing_partners():
    key = tile_key("tileId", "")
    with pytest.raises(InputError, match="without a partner in other: b"):
        partners([tile("a"), tile("b")], [tile("a")], key)
    assert partners([tile("a"), tile("b")], [tile("a")], key, missing_ok=True) == ["a", None]


def test_tiles_that_cannot_be_told_apart():
    with pytest.raises(ValueError, match="tile a has no imageRow and imageCol"):
        partners([tile("a")], [tile("x", 0)], tile_key("layout", ""))
    with pytest.raises(ValueError, match="has no frame number"):
        partners([tile("a")], [tile("x")], tile_key("frame", r"_S(\d+)"))
