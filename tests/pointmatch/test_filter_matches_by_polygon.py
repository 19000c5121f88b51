import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.io.images import write_image
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, collection_names, match_collection, write_matches
from rendermodules.pointmatch import FilterMatchesByPolygon

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [50, 0], [50, 50], [0, 50], [0, 0]]]}


def moved(x, y):
    return {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} {y}"}


@pytest.fixture
def matched(render, write_stack, tile_spec, tmp_path):
    """A diagonal of ten matches of two tiles of a section, and of a tile with one of the next section."""
    mask = np.zeros((100, 100), np.uint8)
    mask[:, :35] = 255
    write_image(tmp_path / "mask.tif", mask)
    sections = []
    for z in (9.0, 10.0):
        tiles = [
            tile_spec(f"{name}{z:g}", z, moved(x, 0), width=100.0, height=100.0) for name, x in (("a", 0), ("b", 5))
        ]
        tiles[1]["mipmapLevels"]["0"]["maskUrl"] = str(tmp_path / "mask.tif")
        sections.append(Section(z, tiles))
    write_stack("raw", *sections)
    diagonal = np.repeat(np.arange(5.0, 100, 10)[:, None], 2, axis=1)
    weights = np.linspace(0.1, 1, 10)
    pairs = [
        point_matches(("9.0", "a9"), ("9.0", "b9"), diagonal, diagonal - [5, 0], weights),
        point_matches(("9.0", "a9"), ("10.0", "a10"), diagonal, diagonal[::-1], weights),
        point_matches(("9.0", "a9"), ("9.0", "gone"), diagonal, diagonal, weights),
    ]
    write_matches(match_collection(render, "found"), pairs)


@pytest.fixture
def run(render_parameters):
    names = {"input_stack": "raw", "input_collection": "found", "output_collection": "inside"}
    return lambda **parameters: FilterMatchesByPolygon({"render": render_parameters, **names, **parameters}).run()


@pytest.fixture
def weights(render):
    def read(name="inside"):
        found = all_matches(match_collection(render, name))
        return {f"{one.p_id}-{one.q_id}": one.weights.round(1).tolist() for one in found}

    return read


def test_both_points_have_to_be_inside(run, matched, weights):
    result = run(polygon=SQUARE)
    # the points of the second pair run against each other: none is inside on both sides
    assert weights() == {"a9-b9": [0.1, 0.2, 0.3, 0.4, 0.5]}
    assert result["dropped"] == {"matches: outside": 15, "pairs: all outside": 1, "pairs: tile not in the stack": 1}


def test_each_point_is_judged_by_the_polygon_of_its_own_section(run, matched, weights, tmp_path):
    (tmp_path / "polygons").mkdir()
    (tmp_path / "polygons" / "polygon_00010.json").write_text(json.dumps({"z": 10.0, "roi": SQUARE}))
    run(polygon_dir=str(tmp_path / "polygons"))
    # section 9 has no polygon; a10 is p, since "10.0" comes before "9.0", and counts down
    assert weights() == {"a10-a9": [0.6, 0.7, 0.8, 0.9, 1.0], "a9-b9": [round(w, 1) for w in np.linspace(0.1, 1, 10)]}


def test_a_box_and_masks(run, matched, weights):
    run(minX=10, maxX=80, maxY=60)
    assert weights()["a9-b9"] == [0.2, 0.3, 0.4, 0.5, 0.6]
    # b9 shows its left 35 columns, which are 5 to 40 of the world
    run(masks=True, output_collection="masked")
    assert weights("masked")["a9-b9"] == [0.1, 0.2, 0.3, 0.4]
    run(masks=True, minX=20, output_collection="both")
    assert weights("both")["a9-b9"] == [0.3, 0.4]


def test_weights(run, matched, weights):
    run(polygon=SQUARE, action="zero_weight")
    assert weights()["a9-b9"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0, 0, 0, 0, 0]
    assert weights()["a10-a9"] == [0] * 10
    run(polygon=SQUARE, action="zero_weight", reset_weights=True, output_collection="ones")
    assert weights("ones")["a9-b9"] == [1] * 5 + [0] * 5
    run(input_collection="inside", output_collection=None, action="reset", z=9)
    assert weights()["a9-b9"] == [1] * 10
    assert weights()["a10-a9"] == [0] * 10


def test_what_cannot_be(run, matched, render, tmp_path):
    for parameters in ({}, {"polygon_dir": str(tmp_path / "nowhere")}, {"minX": 5, "maxX": 1}):
        with pytest.raises(marshmallow.ValidationError):
            run(**parameters)
    with pytest.raises(InputError, match="polygon: no GeoJSON polygon"):
        run(polygon={"type": "Polygon"})
    with pytest.raises(RenderModuleError, match="no match is left"):
        run(minX=5000)
    assert set(collection_names(render)) == {"found"}
