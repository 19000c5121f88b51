"""Matches by tile ids, as a solve takes them."""

import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.core.solve.match_table import joined_matches, match_table
from rendermodules.core.solve.stack_matches import OTHER_SECTION, TOO_FAR, UNKNOWN_TILE, DepthRule, stack_matches
from rendermodules.core.solve.tile_table import FrameRule, joined_tables, tile_table
from rendermodules.core.transforms import Affine

P, Q = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])


@pytest.fixture
def table(tile_spec):
    """Tiles a and b at z 999, c at z 1000, d at z 1002, moved by 100 pixels along x."""
    stage = Affine([[1.0, 0.0, 100.0], [0.0, 1.0, 0.0]]).spec()
    places = (("a", 999.0), ("b", 999.0), ("c", 1000.0), ("d", 1002.0))
    return joined_tables(
        [tile_table(Section(z, [tile_spec(name, z, stage)]), FrameRule(0, "append")) for name, z in places]
    )


def found(*pairs):
    """Return matches between tiles given as group and id, in Render's order of these."""
    return match_table([point_matches(p, q, P, Q, [1.0, 0.5]) for p, q in pairs])


def test_both_orientations_and_frames(table):
    # Render sorts "1000.0" before "999.0"
    both = found((("999.0", "a"), ("999.0", "b")), (("999.0", "a"), ("1000.0", "c")))
    assert both.p_canvases[1] == ("1000.0", "c")
    used = stack_matches(both, table, DepthRule(inverse_distance=False))
    assert used.matches.pairs.tolist() == [[0, 1], [2, 0]]
    # the frame of the solve begins at the corner of the tile again
    np.testing.assert_allclose(used.matches.points_p, np.concatenate([P, Q]))
    np.testing.assert_allclose(used.matches.weights, [1.0, 0.5] * 2)
    assert (used.read, used.left_out) == (2, {})


@pytest.mark.parametrize(
    ("rule", "factors"),
    [
        (DepthRule(), [1.0, 1 / 2, 1 / 3]),
        (DepthRule(inverse_distance=False, cross_weight=3.0, montage_weight=2.0), [2.0, 3.0, 3.0]),
        (DepthRule(weights_by_depth=(1.0, 0.25)), [1.0, 0.25, 0.0]),
    ],
)
def test_weights_by_depth(table, rule, factors):
    pairs = [(("999.0", "a"), ("999.0", "b")), (("999.0", "a"), ("1000.0", "c")), (("1000.0", "c"), ("1002.0", "d"))]
    weights = stack_matches(found(*pairs), table, rule).matches.weights
    np.testing.assert_allclose(weights[::2], factors)


def test_what_is_left_out_is_named(table):
    known = ("999.0", "a"), ("999.0", "b")
    pairs = [
        known,
        (("999.0", "a"), ("999.0", "ghost")),
        (("999.0", "a"), ("5.0", "e")),
        (("999.0", "a"), ("1002.0", "d")),
    ]
    used = stack_matches(joined_matches([found(*pairs[:2]), found(*pairs[2:])]), table, DepthRule(depths=(0.0, 1.0)))
    assert used.matches.pairs.tolist() == [[0, 1]]
    names = {reason: {frozenset(pair) for pair in listed} for reason, listed in used.left_out.items()}
    assert names == {
        UNKNOWN_TILE: {frozenset({"a", "ghost"})},
        OTHER_SECTION: {frozenset({"a", "e"})},
        TOO_FAR: {frozenset({"a", "d"})},
    }
    assert used.read == 4


def test_no_matches(table):
    empty = stack_matches(joined_matches([]), table, DepthRule(depths=(0.0,)))
    assert (len(empty.matches.pairs), empty.read, empty.left_out) == (0, 0, {})
