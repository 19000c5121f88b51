from rendermodules.core.sections import Section
from rendermodules.core.subvolumes import section_in_box


def tile(tile_id, left, upper, right, lower):
    return {"tileId": tile_id, "minX": left, "minY": upper, "maxX": right, "maxY": lower}


def test_tiles_that_overlap_the_box_stay():
    tiles = [
        tile("inside", 2.0, 2.0, 3.0, 3.0),
        tile("around", -100.0, -100.0, 100.0, 100.0),
        tile("corner", 9.5, 9.5, 20.0, 20.0),
        tile("touching", 10.0, 0.0, 20.0, 10.0),
        tile("beside", 0.0, 11.0, 10.0, 20.0),
    ]
    section = Section(1.5, tiles, {"lens": {}})
    found = section_in_box(section, {"minX": 0.0, "minY": 0.0, "maxX": 10.0, "maxY": 10.0})
    assert [one["tileId"] for one in found.tiles] == ["inside", "around", "corner"]
    assert found.transforms == {"lens": {}}
    assert [one["tileId"] for one in section_in_box(section, {"minX": 15.0, "maxX": None}).tiles] == [
        "around",
        "corner",
        "touching",
    ]
