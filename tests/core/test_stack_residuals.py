import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.core.solve.match_table import match_table
from rendermodules.core.stack_residuals import (
    pattern_in_tiles,
    residual_map,
    residual_motion,
    stack_residuals,
    tile_shapes,
)
from rendermodules.core.transforms import Affine, Polynomial

LENS = Polynomial([[0.0, 1.0, 0.0, 0.01, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.02]]).spec("lens", ["lens"])
REFERENCE = {"type": "ref", "refId": "lens"}
TURN = Affine([[0.0, -2.0, 5.0], [3.0, 0.0, 7.0]]).spec()
POINTS = np.array([[1.0, 2.0], [15.0, 6.0], [4.0, 9.0]])


def placed(x, y):
    return Affine([[1.0, 0.0, x], [0.0, 1.0, y]]).spec()


def test_residuals_are_those_of_all_transforms_behind_the_frame(tile_spec):
    tiles = [tile_spec("a", 1.0, REFERENCE, placed(10, 0)), tile_spec("b", 1.0, REFERENCE, TURN)]
    section = Section(1.0, tiles, {"lens": LENS})
    q = np.array([[2.0, 2.0], [3.0, 5.0], [7.0, 7.0]])
    found = match_table([point_matches(("1.0", "a"), ("1.0", "b"), POINTS, q)])
    world_p, world_q = POINTS + [10, 0], q @ np.array([[0.0, -2.0], [3.0, 0.0]]).T + [5, 7]
    behind_lens = stack_residuals([section], found, None)
    np.testing.assert_allclose(behind_lens.residuals, world_p - world_q)
    np.testing.assert_allclose(behind_lens.positions, (world_p + world_q) / 2)
    lengths = np.linalg.norm(world_p - world_q, axis=1)
    assert behind_lens.statistics.everything.root_mean_square[0] == pytest.approx(np.sqrt(np.mean(lengths**2)))
    assert behind_lens.statistics.tiles.count.tolist() == [3, 3]
    raw = stack_residuals([section], found, 0)
    bent = POINTS + [[0.01, 0.0]] * POINTS**2 + [[0.0, 0.02]] * POINTS**2
    np.testing.assert_allclose(raw.world_p, bent + [10, 0])


def test_pairs_of_few_points_and_of_other_depths_are_left_out(tile_spec):
    sections = [
        Section(z, [tile_spec(name, z, placed(0, 0)) for name in names]) for z, names in ((1.0, "ab"), (2.0, "c"))
    ]
    pairs = [("1.0", "a"), ("1.0", "b"), ("2.0", "c")]
    found = match_table(
        [
            point_matches(pairs[0], pairs[1], POINTS, POINTS + 1),
            point_matches(pairs[1], pairs[2], POINTS, POINTS),
            point_matches(pairs[0], pairs[2], POINTS[:1], POINTS[:1]),
        ]
    )
    across = stack_residuals(sections, found, 0, depths=[1.0], min_points=2)
    assert across.found.matches.pairs.tolist() == [[1, 2]]
    assert {reason: len(names) for reason, names in across.found.left_out.items()} == {"sections too far apart": 1}
    assert across.statistics.tiles.count.tolist() == [0, 3, 3]


def test_the_motion_in_residuals():
    random = np.random.default_rng(0)
    at, weights = random.uniform(-100, 100, (40, 2)), random.uniform(0.5, 2, 40)
    middle = weights @ at / weights.sum()
    arms = at - middle
    off = [1.5, -2.0] + 0.01 * arms + 0.02 * np.column_stack([-arms[:, 1], arms[:, 0]])
    motion = residual_motion(at, off, weights)
    np.testing.assert_allclose([*motion.shift, motion.growth, motion.rotation], [1.5, -2.0, 0.01, 0.02])
    nothing = residual_motion(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    assert (nothing.rotation, nothing.growth, nothing.shift.tolist()) == (0.0, 0.0, [0.0, 0.0])


def test_means_in_cells():
    points = np.array([[0.5, 0.5], [0.6, 0.5], [3.5, 1.5], [9.0, 9.0]])
    cells = residual_map(points, np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0], [7.0, 7.0]]), [0, 0, 4, 2], 2, 4)
    assert cells.counts.tolist() == [[2, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(cells.means[0, 0], [2.0, 1.0])
    assert np.isnan(cells.means[0, 1]).all()


def test_a_pattern_that_all_tiles_share_shows_by_place_in_the_tile(tile_spec):
    section = Section(1.0, [tile_spec(name, 1.0, placed(10 * x, 0)) for x, name in enumerate("abc")])
    random = np.random.default_rng(1)
    found = []
    for p, q in (("a", "b"), ("b", "c")):
        points = random.uniform(0, 10, (200, 2))
        # the right half of every tile is stretched
        found.append(point_matches(("1.0", p), ("1.0", q), points + [10.5, 0], points))
    pattern = pattern_in_tiles(stack_residuals([section], match_table(found), 0), 2)
    np.testing.assert_allclose(pattern.means[:, :, 0], [[-0.5, 0.5], [-0.5, 0.5]], atol=1e-9)


def test_shapes(tile_spec):
    section = Section(1.0, [tile_spec("a", 1.0, TURN)])
    shapes = tile_shapes(stack_residuals([section], match_table([]), 0).table)
    assert (shapes.scale_x[0], shapes.scale_y[0]) == (3.0, 2.0)
    assert shapes.rotation[0] == pytest.approx(np.pi / 2)
    assert shapes.shear[0] == pytest.approx(0.0)
