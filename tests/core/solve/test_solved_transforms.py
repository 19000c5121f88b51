"""Solved transforms as Render's JSON."""

import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section, transform_list
from rendermodules.core.solve.match_table import match_table
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.solved_transforms import (
    SolvedTransforms,
    leading_transforms,
    lens_spec,
    with_solved_transforms,
)
from rendermodules.core.solve.stack_solve import StackSolve, solved_stack
from rendermodules.core.solve.tile_table import FrameRule, tile_table
from rendermodules.core.transforms import Affine, parsed_transform, tile_transform

SHIFT = Affine([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]]).spec()
BOTH = {"type": "list", "id": "both", "specList": [SHIFT, SHIFT]}


def test_lists_are_taken_apart_only_where_the_count_ends_in_them():
    reference, shared = {"type": "ref", "refId": "both"}, {"both": BOTH}
    specs = [reference, SHIFT]
    assert leading_transforms(specs, 0, shared) == []
    assert leading_transforms(specs, 1, shared) == [SHIFT]
    assert leading_transforms(specs, 2, shared) == [reference]
    assert leading_transforms(specs, 3, shared) == specs


def test_a_lens_as_a_transform_does_what_the_lens_does(montage):
    from rendermodules.core.solve.tiles import solved_tiles

    made = montage(lens=3.0)
    lens = solved_tiles(made.tiles, made.matches, SolveOptions(lens="radial")).lenses[0]
    spec = lens_spec(lens)
    points = np.random.default_rng(0).uniform(0, 1024, (50, 2))
    np.testing.assert_allclose(parsed_transform(spec).apply(points), lens.applied(points), atol=1e-9)
    assert spec["id"].startswith("lens_")


@pytest.mark.parametrize("model", ["affine", "polynomial", "thin_plate_spline"])
@pytest.mark.parametrize("placing", ["replace", "append"])
def test_tiles_with_solved_transforms_lie_where_the_solution_puts_them(tile_spec, model, placing):
    """Three tiles of 20 x 10 pixels that overlap by half, bent a little by the matches."""
    random = np.random.default_rng(1)
    tiles = [
        tile_spec(name, 1.0, Affine([[1.0, 0.0, 10.0 * x], [0.0, 1.0, 50.0]]).spec()) for x, name in enumerate("abc")
    ]
    section = Section(1.0, tiles)
    found = []
    for p, q in (("a", "b"), ("b", "c")):
        points = random.uniform(0, 10, (40, 2))
        found.append(point_matches(("1.0", p), ("1.0", q), points + [10, 0], points + random.normal(0, 0.1, (40, 2))))
    rule = FrameRule(0, placing)
    table = tile_table(section, rule)
    options = SolveOptions(model=model, control_grid=(3, 3), lens="none", regularization=1.0)
    solved = solved_stack(table, match_table(found), StackSolve(options, rule))
    new = with_solved_transforms(section, solved.transforms)
    points = random.uniform(0, 10, (30, 2))
    for place, tile in enumerate(new.tiles):
        assert len(transform_list(tile)) == (2 if placing == "append" else 1)
        at = np.full(30, place)
        wanted = solved.solution.applied(table.solve_points(points, at), at)
        np.testing.assert_allclose(tile_transform(tile).apply(points), wanted, atol=1e-6)


def test_other_tiles_stay_and_dropped_ones_go(tile_spec):
    section = Section(1.0, [tile_spec(name, 1.0, SHIFT) for name in "abc"], {"old": BOTH})
    solved = SolvedTransforms(FrameRule(0), {"a": [BOTH], "z": [SHIFT]}, {"new": SHIFT}, frozenset("c"))
    new = with_solved_transforms(section, solved)
    assert [(tile["tileId"], transform_list(tile)) for tile in new.tiles] == [("a", [BOTH]), ("b", [SHIFT])]
    assert set(new.transforms) == {"old", "new"}
    assert solved.of_tiles(["b", "a"]).tiles.keys() == {"a"}
    assert solved.of_tiles(["a"]).dropped == frozenset()
