import re

import pytest

from rendermodules.core.scapes import Canvas, canvas_of_section, new_z_of_scapes, scape_prefix, scape_tile
from rendermodules.core.sections import Section


def tile(left, top):
    return {
        "tileId": f"t{left}",
        "minX": left,
        "minY": top,
        "maxX": left + 100,
        "maxY": top + 50.6,
        "layout": {"camera": "c"},
    }


SECTION = Section(7.5, [tile(-20, 10), tile(60, 0)])


def test_canvas():
    canvas = canvas_of_section(SECTION)
    assert canvas == Canvas(-20, 0, 180, 61)
    assert canvas.picture_size(0.1) == (18, 6)
    with pytest.raises(ValueError, match=r"z=7.5 have no bounding boxes"):
        canvas_of_section(Section(7.5, [{"tileId": "a"}]))


def test_new_z():
    zs = [3.0, 4.5, 9.0]
    assert new_z_of_scapes(zs, "keep", 5.0) == {3.0: 3.0, 4.5: 4.5, 9.0: 9.0}
    assert new_z_of_scapes(zs, "offset", 0.0) == {3.0: 0.0, 4.5: 1.5, 9.0: 6.0}
    assert new_z_of_scapes(zs, "consecutive", 5.0) == {3.0: 5.0, 4.5: 6.0, 9.0: 7.0}


@pytest.mark.parametrize(
    ("apply_scale", "apply_offset", "numbers"),
    [
        (False, False, [1, 0, 0, 1, 0, 0]),
        (True, False, [10, 0, 0, 10, 0, 0]),
        (True, True, [10, 0, 0, 10, -20, 0]),
        (False, True, [1, 0, 0, 1, -2, 0]),
    ],
)
def test_tile(apply_scale, apply_offset, numbers):
    made = scape_tile(
        SECTION,
        2.0,
        "file:///a.tif",
        canvas_of_section(SECTION),
        0.1,
        apply_scale=apply_scale,
        apply_offset=apply_offset,
        intensities=(0.0, 255.0),
        prefix="ds1_",
    )
    data = made["transforms"]["specList"][0].pop("dataString")
    assert [float(number) for number in data.split()] == pytest.approx(numbers)
    assert (made["tileId"], made["z"], made["width"], made["height"]) == ("ds1_t-20", 2.0, 18, 6)
    assert made["layout"] == {"camera": "c", "sectionId": "2.0"}
    assert made["mipmapLevels"] == {"0": {"imageUrl": "file:///a.tif"}}


def test_prefix_is_the_same_for_the_same_scape():
    one = scape_prefix({"stack": "a", "z": 1.0}, 5)
    assert re.fullmatch("ds[0-9a-f]{5}_", one)
    assert one == scape_prefix({"z": 1.0, "stack": "a"}, 5)
    assert one != scape_prefix({"z": 2.0, "stack": "a"}, 5)
