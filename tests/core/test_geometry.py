import numpy as np
import pytest
import shapely

from rendermodules.core.geometry import (
    border_points,
    boxes_near,
    circles_meet_boxes,
    covered_part,
    grid_inside,
    is_covered,
    points_inside,
    polygon_of,
    tile_outline,
)


def test_boxes_near_each_other():
    rng = np.random.default_rng(0)
    boxes, others = (np.hstack([low, low + rng.uniform(1, 9, (40, 2))]) for low in rng.uniform(0, 60, (2, 40, 2)))
    reach = rng.uniform(0, 5, 40)
    expected = [
        [i, j]
        for i, (box, margin) in enumerate(zip(boxes, reach, strict=True))
        for j, other in enumerate(others)
        if (box[:2] - margin <= other[2:]).all() and (box[2:] + margin >= other[:2]).all()
    ]
    assert boxes_near(boxes, others, reach).tolist() == expected
    assert boxes_near(np.empty((0, 4)), others).shape == (0, 2)
    assert boxes_near(boxes, np.empty((0, 4))).shape == (0, 2)


@pytest.mark.parametrize(
    ("centre", "radius", "meets"),
    [((15, 15), 1, True), ((25, 15), 5, True), ((25, 15), 4.9, False), ((23, 24), 5, True), ((23, 24.1), 5, False)],
)
def test_circle_meets_box(centre, radius, meets):
    assert circles_meet_boxes([centre], [radius], [[10, 10, 20, 20]]).tolist() == [meets]


@pytest.mark.parametrize(
    ("covers", "covered"),
    [
        ([], False),
        ([[0, 0, 10, 10]], True),
        ([[0, 0, 10, 9.9]], False),
        ([[-1, -1, 5, 11], [5, -1, 11, 11]], True),
        ([[-1, -1, 5, 11], [5.1, -1, 11, 11]], False),
        ([[0, 0, 6, 6], [4, 4, 10, 10]], False),
        ([[0, 0, 6, 6], [4, 4, 10, 10], [4, 0, 10, 6], [0, 4, 6, 10]], True),
    ],
)
def test_covered_box(covers, covered):
    assert is_covered([0, 0, 10, 10], covers) is covered


def test_box_without_area_is_not_covered():
    assert not is_covered([0, 0, 0, 10], [[-5, -5, 15, 15]])


def test_border_goes_round_once():
    points = border_points(30, 20, 2)
    assert points.tolist() == [[0, 0], [15, 0], [30, 0], [30, 10], [30, 20], [15, 20], [0, 20], [0, 10]]


def test_outline_of_a_tile(tile_spec):
    affine = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": "0 1 -1 0 100 5"}
    outline = tile_outline(tile_spec("a", 1.0, affine))
    assert outline.bounds == (90, 5, 100, 25)
    assert outline.area == pytest.approx(200)


def test_outline_through_a_shared_transform(tile_spec):
    shared = {"move": {"type": "leaf", "className": "mpicbg.trakem2.transform.TranslationModel2D", "dataString": "7 8"}}
    outline = tile_outline(tile_spec("a", 1.0, {"type": "ref", "refId": "move"}), shared)
    assert outline.bounds == (7, 8, 27, 18)


def test_crossed_border_is_made_good():
    crossed = polygon_of([[0, 0], [10, 10], [10, 0], [0, 10]])
    assert crossed.is_valid
    assert crossed.area > 0


def test_grid_keeps_a_margin():
    points = grid_inside(shapely.box(0, 0, 100, 50), spacing=30, margin=10)
    assert sorted(points.tolist()) == [[10, 10], [10, 40], [40, 10], [40, 40], [70, 10], [70, 40]]
    assert len(grid_inside(shapely.box(0, 0, 15, 15), spacing=5, margin=10)) == 0


def test_points_inside():
    triangle = shapely.Polygon([(0, 0), (10, 0), (0, 10)])
    assert points_inside(triangle, [[1, 1], [9, 9], [5, 5], [-1, 0]]).tolist() == [True, False, True, False]


def test_covered_part_of_a_box():
    assert covered_part([[1, 1], [2, 2], [9, 9], [50, 50]], [0, 0, 10, 10], 2) == 0.5
    assert covered_part(np.empty((0, 2)), [0, 0, 10, 10], 2) == 0
