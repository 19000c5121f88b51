import pytest

from rendermodules.core.positions import ImageShape, PlacementRules, positioned_images
from rendermodules.core.problems import InputError
from rendermodules.core.tables import Table

SHAPE = ImageShape(100, 50, 255.0)


def images(columns, rules=None, shape=SHAPE, **more):
    count = len(columns["file"])
    table = Table("t", columns, [f"line {row + 2}" for row in range(count)])
    return positioned_images(table, columns["file"], [shape] * count, rules or PlacementRules(), **more)


def places(found):
    return [image.affine[4:] for image in found]


def test_positions_in_pixels():
    found = images({"file": ["a b.tif", "ü.tif"], "x": ["1.5", "2"], "y": ["3", "-4"], "z": ["0.5", "1"]})
    assert places(found) == [(1.5, 3.0), (2.0, -4.0)]
    assert [image.z for image in found] == [0.5, 1.0]
    assert [image.tile_id for image in found] == ["a_b.0.5", "ü.1.0"]
    assert [image.section_id for image in found] == ["0.5", "1.0"]
    assert (found[0].width, found[0].height, found[0].max_intensity) == (100, 50, 255.0)


def test_positions_in_micrometres():
    rules = PlacementRules(unit="um", pixelsize=4.0, invert_y=True)
    found = images({"file": ["a", "b"], "x": [1, 2], "y": [0.5, 1], "pixelsize": [None, 2]}, rules)
    assert places(found) == [(250.0, -125.0), (1000.0, -500.0)]
    assert [image.layout["pixelsize"] for image in found] == [4.0, 2.0]
    with pytest.raises(InputError, match="positions are in um and there is no pixelsize: line 2"):
        images({"file": ["a"], "x": [1], "y": [1]}, PlacementRules(unit="um"))


def test_positions_from_rows_and_columns():
    found = images({"file": ["a", "b"], "row": ["00", "01"], "col": ["02", "00"]}, PlacementRules(overlap=0.1))
    assert places(found) == [(180.0, 0.0), (0.0, 45.0)]
    assert found[1].layout == {"imageRow": 1, "imageCol": 0}


def test_channels_of_one_place_are_one_tile():
    files = ["s7_d.tif", "s7_g.tif", "s8_d.tif"]
    columns = {"file": files, "x": [0, 0, 0], "y": [0, 0, 0], "section": [7, 7, 8], "channel": ["d", "g", "d"]}
    found = images(columns)
    assert [image.tile_id for image in found] == ["s7_d.7.0", "s7_d.7.0", "s8_d.8.0"]
    assert [image.section_id for image in found] == ["7", "7", "8"]
    assert [image.channel for image in found] == ["d", "g", "d"]


def test_several_sections_at_one_z():
    columns = {
        "z": [4.5] * 4,
        "section": ["a", "a", "b", "b"],
        "row": [0] * 4,
        "col": [0] * 4,
        "channel": ["d", "g"] * 2,
    }
    found = images({"file": ["1.tif", "2.tif", "3.tif", "4.tif"], **columns})
    assert [image.tile_id for image in found] == ["1.4.5", "1.4.5", "3.4.5", "3.4.5"]
    assert [image.section_id for image in found] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("columns", "zs"),
    [
        ({"section": ["10", "10", "12"]}, [10.0, 10.0, 12.0]),
        ({"section": ["b", "b", "a"]}, [5.0, 5.0, 6.0]),
        ({"row": [0, 1, 2], "col": [0, 0, 0]}, [5.0, 5.0, 5.0]),
        ({}, [5.0, 6.0, 7.0]),
        ({"channel": ["d", "g", "d"]}, [5.0, 5.0, 6.0]),
    ],
)
def test_z_where_no_column_says_it(columns, zs):
    found = images({"file": ["1", "2", "3"], **columns}, PlacementRules(z_start=5.0))
    assert [image.z for image in found] == zs


def test_formats_of_ids():
    rules = PlacementRules(tile_id="{section}_{row:>03}/{col}", section_id="S{z:.0f}")
    found = images({"file": ["a"], "row": ["1"], "col": [2], "section": ["4"]}, rules)
    assert (found[0].tile_id, found[0].section_id) == ("4_001_2", "4")
    assert images({"file": ["a"]}, PlacementRules(section_id="S{z:.0f}"))[0].section_id == "S0"
    with pytest.raises(InputError, match="asks for 'grid'; there are stem, z, index, file"):
        images({"file": ["a"]}, PlacementRules(tile_id="{grid}"))


def test_intensities():
    columns = {"file": ["a", "b"], "minIntensity": [None, 7], "maxIntensity": [None, 900]}
    found = images(columns, shape=ImageShape(1, 1, 65535.0), intensities=(None, 50000.0))
    assert [(image.min_intensity, image.max_intensity) for image in found] == [(0.0, 50000.0), (7.0, 900.0)]


def test_everything_wrong_is_said_at_once():
    with pytest.raises(InputError) as caught:
        images({"file": ["a", "b"], "x": ["nan", ""], "y": ["1", "one"], "z": ["1", ""]})
    text = str(caught.value)
    for part in ("x is not a number: line 2", "x is empty: line 3", "y is not a number: line 3", "z is empty: line 3"):
        assert part in text
    with pytest.raises(InputError, match="there is no column y"):
        images({"file": ["a"], "x": ["1"]})
