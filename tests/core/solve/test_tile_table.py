"""Tile specs as a solve sees them."""

import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.core.solve.options import SolveError
from rendermodules.core.solve.tile_table import FrameRule, anchors_of, joined_tables, tile_set_of, tile_table
from rendermodules.core.transforms import Affine, Polynomial, TransformError, tile_transform

STAGE = Affine([[1.0, 0.0, 300.0], [0.0, 1.0, 40.0]]).spec()
TURN = Affine([[0.0, -1.0, 5.0], [1.0, 0.0, 7.0]]).spec()
BENT = Polynomial([[0.0, 1.0, 0.0, 0.001, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.002]]).spec("bent", ["lens"])
REFERENCE = {"type": "ref", "refId": "bent"}
POINTS = np.array([[0.0, 0.0], [19.0, 0.0], [3.0, 9.0]])


def table_of(tile_spec, rule, *transforms):
    return tile_table(Section(3.0, [tile_spec("a", 3.0, *transforms)], {"bent": BENT}), rule)


@pytest.mark.parametrize("placing", ["replace", "replace_last", "append"])
@pytest.mark.parametrize(
    "transforms", [(STAGE,), (STAGE, TURN), (REFERENCE, STAGE, TURN), (STAGE, REFERENCE, TURN), ()]
)
def test_prior_behind_the_way_to_the_solve_is_the_tile(tile_spec, placing, transforms):
    rule = FrameRule(0, placing)
    table = table_of(tile_spec, rule, *transforms)
    world = tile_transform(tile_spec("a", 3.0, *transforms), {"bent": BENT}).apply(POINTS)
    points = table.solve_points(POINTS, np.zeros(3, dtype=np.int64))
    placed = points @ table.priors[0][:, :2].T + table.priors[0][:, 2]
    # what is solved for instead of something bent begins at the nearest affine
    exact = REFERENCE not in transforms or placing == "append" or (placing == "replace_last" and transforms[-1] == TURN)
    np.testing.assert_allclose(placed, world, atol=1e-9 if exact else 0.5)
    low, high = points.min(axis=0), points.max(axis=0)
    assert (low > -1.5).all()
    assert (high < table.sizes[0] + 1.5).all()


def test_local_transforms_are_counted_by_renders_rule_unless_told(tile_spec):
    points = np.array([[4.0, 6.0]])
    behind_lens = table_of(tile_spec, FrameRule(None, "replace"), REFERENCE, STAGE, TURN)
    assert behind_lens.corrected.all()
    assert behind_lens.same_frame.all()
    np.testing.assert_allclose(behind_lens.priors[0][:, :2], [[0, -1], [1, 0]], atol=1e-9)
    np.testing.assert_allclose(
        behind_lens.solve_points(points, np.array([0])), points - behind_lens.origins[0], atol=1e-12
    )
    raw = table_of(tile_spec, FrameRule(0, "replace_last"), REFERENCE, STAGE, TURN)
    assert not raw.same_frame.any()
    assert list(raw.curved) == [0]


def test_what_is_wrong_names_the_tile(tile_spec):
    flat = Affine([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]).spec()
    with pytest.raises(TransformError, match="tile a: its transforms map everything to a line"):
        table_of(tile_spec, FrameRule(0, "replace"), flat)
    with pytest.raises(TransformError, match="tile a: has 1 transforms, of which 2 cannot be local"):
        table_of(tile_spec, FrameRule(2), STAGE)
    twice = Section(3.0, [tile_spec("a", 3.0), tile_spec("a", 3.0)])
    with pytest.raises(SolveError, match="a occurs more than once"):
        tile_table(twice, FrameRule()).index()


def test_tables_are_joined_in_order(tile_spec):
    rule = FrameRule(0, "append")
    bent = tile_table(Section(4.0, [tile_spec("b", 4.0, BENT)]), rule)
    table = joined_tables([table_of(tile_spec, rule, STAGE), bent])
    assert (table.ids, table.groups, table.z.tolist()) == (["a", "b"], ["3.0", "4.0"], [3.0, 4.0])
    assert list(table.curved) == [1]
    assert table.ids_of(4.0) == ["b"]
    both = table.solve_points(np.tile([[5.0, 6.0]], (2, 1)), np.array([0, 1]))
    np.testing.assert_allclose(both[1], bent.solve_points(np.array([[5.0, 6.0]]), np.array([0]))[0])


def test_tiles_of_one_camera_may_share_a_lens(tile_spec):
    tiles = [tile_spec("a", 3.0, STAGE), tile_spec("b", 3.0, STAGE), tile_spec("c", 3.0, REFERENCE, STAGE)]
    tiles[1]["layout"]["camera"] = "other"
    table = tile_table(Section(3.0, tiles, {"bent": BENT}), FrameRule())
    assert tile_set_of(table, "auto", [], []).lens_groups.tolist() == [0, 1, -1]
    assert tile_set_of(table, "radial", [], ["b"]).lens_groups.tolist() == [0, -1, 2]
    assert tile_set_of(table, "none", [], ["b"]).fixed.tolist() == [False, True, False]
    assert tile_set_of(table, "none", [3.0], []).fixed.all()
    appended = tile_table(Section(3.0, tiles[:1]), FrameRule(0, "append"))
    assert tile_set_of(appended, "auto", [], []).lens_groups.tolist() == [-1]
    with pytest.raises(SolveError, match="tile a keeps transforms"):
        tile_set_of(appended, "radial", [], [])


@pytest.mark.parametrize("placing", ["replace", "replace_last", "append"])
def test_anchors_are_where_the_other_stack_has_the_tile(tile_spec, placing):
    table = table_of(tile_spec, FrameRule(0, placing), STAGE, TURN)
    elsewhere = Affine([[1.0, 0.1, 900.0], [0.0, 1.0, -8.0]]).spec()
    others = [tile_spec("unknown", 3.0), tile_spec("a", 3.0, elsewhere)]
    anchors = anchors_of(table, tile_table(Section(3.0, others), FrameRule(0, "replace")), 2.0)
    assert (anchors.tiles.tolist(), anchors.weights.tolist()) == ([0], [2.0])
    points = table.solve_points(POINTS, np.zeros(3, dtype=np.int64))
    wished = tile_transform(others[1]).apply(POINTS)
    np.testing.assert_allclose(points @ anchors.targets[0][:, :2].T + anchors.targets[0][:, 2], wished, atol=1e-9)
