import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.transforms import (
    TileMesh,
    TransformError,
    mesh_inverse,
    parsed_transform,
    tile_bounds,
    tile_transform,
    tiles_bounds,
    tiles_outlines,
)

REFERENCE = json.loads(
    gzip.decompress(Path(__file__).parents[2].joinpath("data/golden/coordinates.json.gz").read_bytes())
)
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def tile(*data_strings, **fields):
    leaves = [{"type": "leaf", "className": AFFINE, "dataString": data} for data in data_strings]
    return {"tileId": "t", "width": 600, "height": 500, "transforms": {"type": "list", "specList": leaves}, **fields}


@pytest.fixture(params=REFERENCE, ids=lambda case: case["id"])
def case(request):
    return request.param


def test_box_is_that_of_java(case):
    assert list(tile_bounds(case["tile"])) == case["box"]


def test_local_to_world_is_that_of_java(case):
    world = tile_transform(case["tile"]).apply(case["local"])
    np.testing.assert_allclose(world, case["world"], rtol=1e-15, atol=1e-15)


def test_world_to_local_is_that_of_java(case):
    question = case["worldToLocal"]
    local = mesh_inverse(case["tile"], question["points"], one_orientation=True)
    expected = np.array([[np.nan, np.nan] if point is None else point for point in question["local"]])
    assert np.isnan(local[:, 0]).tolist() == np.isnan(expected[:, 0]).tolist()
    np.testing.assert_allclose(local, expected, rtol=0, atol=1e-9)


def test_a_point_goes_to_the_same_place_alone_and_with_others(case):
    transform = tile_transform(case["tile"])
    alone = [transform.apply([point])[0] for point in case["local"]]
    assert np.array_equal(alone, transform.apply(case["local"]))


def test_a_transform_read_from_what_it_writes_is_the_same(case):
    transform = tile_transform(case["tile"])
    again = parsed_transform(json.loads(json.dumps(transform.spec())))
    assert np.array_equal(again.apply(case["local"]), transform.apply(case["local"]))


def test_exact_inverse_leads_back(case):
    if case["id"] == "degenerate":
        pytest.skip("a transform without inverse")
    transform = tile_transform(case["tile"])
    tolerance = 1e-7 if case["tile"]["width"] > 1000 else 1e-8
    np.testing.assert_allclose(transform.inverse(case["world"]), case["local"], rtol=0, atol=tolerance)


def test_boxes_of_many_tiles_are_those_of_each():
    tiles = [case["tile"] for case in REFERENCE] * 2
    assert tiles_bounds(tiles).tolist() == [case["box"] for case in REFERENCE] * 2


def test_boxes_use_shared_transforms():
    shared = {"shift": {"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 100 200"}}
    own = tile("1 0 0 1 5 5")
    own["transforms"]["specList"].insert(0, {"type": "ref", "refId": "shift"})
    only_shared = tile()
    only_shared["transforms"]["specList"] = [{"type": "ref", "refId": "shift"}]
    boxes = tiles_bounds([own, only_shared, tile("1 0 0 1 -7.5 0"), tile(), only_shared], shared)
    assert boxes.tolist() == [
        [105, 205, 705, 705],
        [100, 200, 700, 700],
        [-7, 0, 593, 500],
        [0, 0, 600, 500],
        [100, 200, 700, 700],
    ]


def test_no_tiles_have_no_boxes():
    assert tiles_bounds([]).shape == (0, 4)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (tile("1 0 0 1 NaN 0"), "tile t: .*AffineModel2D: holds numbers that are not finite"),
        (tile("1 0 0 1 0"), "tile t: .*must have 6 numbers"),
        (tile("1e300 0 0 1e300 0 0", "1e300 0 0 1 0 0"), "tile t: its border is mapped to no finite place"),
        (tile(width=None), "tile t: has no width and height"),
        (tile(height=0), "tile t: .*must be positive"),
        (tile("1 0 0 1 0 0", meshCellSize=1e-9), "tile t: .* cells are too small"),
    ],
)
def test_a_box_that_cannot_be_is_refused_by_name(bad, message):
    good = [{**tile("1 0 0 1 0 0"), "tileId": "good"}] * 3
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(TransformError, match=message):
        tiles_bounds([*good, bad])


def test_a_mirrored_tile_is_inverted_unless_java_is_followed():
    mirrored = tile("-1 0 0 1 599 0")
    points = [[598.5, 10.25], [0.5, 498.5], [599.5, 0]]
    expected = [[0.5, 10.25], [598.5, 498.5], [np.nan, np.nan]]
    np.testing.assert_allclose(mesh_inverse(mirrored, points), expected, atol=1e-10)
    assert np.isnan(mesh_inverse(mirrored, points, one_orientation=True)).all()


def test_a_mesh_answers_many_points_in_any_order():
    mesh = TileMesh(REFERENCE[12]["tile"])
    rng = np.random.default_rng(5)
    local = rng.uniform(40, [560, 460], (20_000, 2))  # the border of the mesh is no straight line
    world = tile_transform(REFERENCE[12]["tile"]).apply(local)
    found = mesh.inverse(world)
    assert np.isfinite(found).all()
    assert np.abs(found - local).max() < 10  # a triangle is flat, the transform is not
    order = rng.permutation(len(world))
    assert np.array_equal(mesh.inverse(world[order]), found[order])


def test_points_that_are_no_numbers_are_nowhere():
    assert np.isnan(mesh_inverse(tile("1 0 0 1 0 0"), [[np.nan, 5], [np.inf, 5], [5, 5]])).all(axis=1).tolist() == [
        True,
        True,
        False,
    ]


def test_outlines_are_where_the_corners_go():
    tiles = [case["tile"] for case in REFERENCE]
    for spec, outline in zip(tiles, tiles_outlines(tiles), strict=True):
        width, height = spec["width"], spec["height"]
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        np.testing.assert_allclose(outline, tile_transform(spec).apply(corners), rtol=1e-14, atol=1e-9)


def test_outlines_of_tiles_without_transforms_and_of_none():
    assert tiles_outlines([tile(), tile()]).tolist() == [[[0, 0], [600, 0], [600, 500], [0, 500]]] * 2
    assert tiles_outlines([]).shape == (0, 4, 2)
