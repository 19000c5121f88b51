import json

import pytest
import shapely

from rendermodules.core.problems import InputError
from rendermodules.io.polygons import parsed_polygon, read_section_polygons

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}


def write(folder, name, document):
    (folder / name).write_text(json.dumps(document))


def test_polygons_by_z(tmp_path):
    write(tmp_path, "polygon_00007.json", {"z": 3.5, "filepath": "x.tif", "roi": SQUARE})
    write(tmp_path, "polygon_00012.0.json", SQUARE)
    write(tmp_path, "b.json", {"z": 3.5, "geometry": {**SQUARE, "coordinates": [[[20, 0], [30, 0], [30, 5], [20, 0]]]}})
    polygons = read_section_polygons(tmp_path)
    assert list(polygons) == [3.5, 12.0]
    assert polygons[3.5].area == 125
    assert polygons[12.0].equals(shapely.box(0, 0, 10, 10))


@pytest.mark.parametrize(
    "document",
    [
        SQUARE,
        {"type": "Feature", "geometry": SQUARE, "properties": {}},
        {"roi": {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}},
    ],
)
def test_ways_to_say_a_polygon(document):
    assert parsed_polygon(document, "here").area == 100


def test_a_border_that_crosses_itself_is_made_good():
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}
    assert parsed_polygon(bow, "here").is_valid


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (3, "no GeoJSON polygon"),
        ({}, "no GeoJSON polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0]]]}, "no GeoJSON polygon"),
        ({"type": "Point", "coordinates": [1, 2]}, "without area"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "without area"),
    ],
)
def test_what_is_no_polygon(document, message):
    with pytest.raises(InputError, match=f"here: .*{message}"):
        parsed_polygon(document, "here")


def test_all_that_is_wrong_with_a_folder_is_said(tmp_path):
    with pytest.raises(InputError, match="has no file of a polygon"):
        read_section_polygons(tmp_path)
    write(tmp_path, "outline.json", SQUARE)
    (tmp_path / "polygon_1.json").write_text("{")
    with pytest.raises(InputError, match=r"outline\.json: neither its z.*polygon_1\.json: not JSON"):
        read_section_polygons(tmp_path)
