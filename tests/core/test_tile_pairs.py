from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.layout import PlacedTiles
from rendermodules.core.tile_pairs import (
    NeighborRules,
    cross_stack_pairs,
    layers_across,
    layers_within,
    neighbor_pairs,
    neighbor_records,
    overlapping_pairs,
    pairs_with,
    sampled_pairs,
    without_matched,
    without_positions,
)

RULES = NeighborRules(0.9, None, 0, True, False, False)


def tiles_of(boxes, z, groups=None):
    boxes, z = np.asarray(boxes, dtype=float).reshape(-1, 4), np.asarray(z, dtype=float)
    groups = groups or [f"{value:.1f}" for value in z]
    return PlacedTiles([f"t{index}" for index in range(len(z))], groups, z, boxes, np.full((len(z), 2), np.nan))


def grid_of(rows, columns, zs=(1.0,), step=90.0, size=100.0):
    places = [(x * step, y * step, z) for z in zs for y in range(rows) for x in range(columns)]
    boxes = [[x, y, x + size, y + size] for x, y, _ in places]
    tiles = tiles_of(boxes, [z for _, _, z in places])
    names = [f"{z:.0f}_{y / step:.0f}_{x / step:.0f}" for x, y, z in places]
    return replace(tiles, ids=names)


def named(tiles, pairs, others=None):
    others = others or tiles
    return [(tiles.ids[p], others.ids[q]) for p, q in zip(pairs.p, pairs.q, strict=True)]


def outlines_of(tiles):
    result = np.empty(len(tiles), dtype=object)
    result[:] = list(shapely.box(*tiles.boxes.T))
    return result


def test_montage_has_its_sides_as_pairs():
    tiles = grid_of(3, 4)
    pairs = neighbor_pairs(tiles, RULES)
    assert len(pairs) == 3 * 3 + 2 * 4
    assert pairs.dropped == {"corner neighbors": 2 * 2 * 3, "same section": 0}
    with_corners = neighbor_pairs(tiles, replace(RULES, exclude_corner_neighbors=False))
    assert len(with_corners) == 17 + 12


def test_neighbours_in_z():
    tiles = grid_of(1, 2, zs=(1, 2, 3, 7))
    pairs = neighbor_pairs(tiles, replace(RULES, z_neighbor_distance=2))
    names = named(tiles, pairs)
    assert ("1_0_0", "2_0_0") in names
    assert ("1_0_0", "3_0_1") in names
    assert not [name for name in names if name[1].startswith("7") and not name[0].startswith("7")]
    across = neighbor_pairs(tiles, replace(RULES, z_neighbor_distance=2, exclude_same_layer_neighbors=True))
    assert len(pairs) - len(across) == 4


def test_corner_rule_is_for_one_z_only():
    tiles = grid_of(2, 2, zs=(1, 2))
    pairs = neighbor_pairs(tiles, replace(RULES, z_neighbor_distance=1))
    assert ("1_0_0", "2_1_1") in named(tiles, pairs)
    assert ("1_0_0", "1_1_1") not in named(tiles, pairs)


def test_same_section_in_several_z():
    tiles = replace(grid_of(1, 1, zs=(1, 2, 3)), groups=["s", "s", "t"])
    rules = replace(RULES, z_neighbor_distance=2, exclude_same_section_neighbors=True)
    pairs = neighbor_pairs(tiles, rules)
    assert named(tiles, pairs) == [("1_0_0", "3_0_0"), ("2_0_0", "3_0_0")]
    assert pairs.dropped["same section"] == 1


def test_pairs_are_in_the_order_of_strings():
    tiles = grid_of(1, 1, zs=(999, 1000))
    pairs = neighbor_pairs(tiles, replace(RULES, z_neighbor_distance=1))
    assert named(tiles, pairs) == [("1000_0_0", "999_0_0")]


def test_only_around_sources():
    tiles = grid_of(1, 4)
    pairs = neighbor_pairs(tiles, RULES, sources=[True, False, False, False])
    assert named(tiles, pairs) == [("1_0_0", "1_0_1")]


def test_explicit_radius():
    tiles = grid_of(1, 4)
    pairs = neighbor_pairs(tiles, replace(RULES, explicit_radius=150.0))
    assert ("1_0_0", "1_0_2") in named(tiles, pairs)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 30),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 2.5]),
    st.sampled_from([0.4, 0.9, 1.5]),
)
@settings(max_examples=40, deadline=None)
def test_pairs_are_those_of_the_written_rule(seed, count, corners, distance, factor):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 300, (count, 2)).astype(float)
    tiles = tiles_of(np.hstack([low, low + rng.integers(20, 120, (count, 2))]), rng.integers(1, 5, count))
    rules = NeighborRules(factor, None, distance, corners, False, False)
    expected = set()
    for i in range(count):
        box = tiles.boxes[i]
        centre, radius = (box[:2] + box[2:]) / 2, factor * (box[2:] - box[:2]).max()
        for j in range(count):
            other = tiles.boxes[j]
            reaches = np.hypot(*(np.clip(centre, other[:2], other[2:]) - centre)) <= radius
            middle = (other[:2] + other[2:]) / 2
            beside = ((box[:2] <= middle) & (middle <= box[2:])).any()
            above = tiles.z[i] < tiles.z[j] <= tiles.z[i] + distance
            same = i != j and tiles.z[i] == tiles.z[j] and (beside or not corners)
            if reaches and (above or same):
                expected.add(tuple(sorted((i, j), key=lambda index: (tiles.groups[index], tiles.ids[index]))))
    pairs = neighbor_pairs(tiles, rules)
    found = list(zip(pairs.p.tolist(), pairs.q.tolist(), strict=True))
    assert set(found) == expected
    assert len(found) == len(expected)
    keys = [(tiles.groups[p], tiles.ids[p], tiles.groups[q], tiles.ids[q]) for p, q in found]
    assert keys == sorted(keys)


def test_no_tiles_no_pairs():
    nothing = tiles_of(np.empty((0, 4)), [])
    assert len(neighbor_pairs(nothing, RULES)) == 0
    assert len(overlapping_pairs(nothing, outlines_of(nothing), [(1, 1)], 0.1)) == 0
    assert neighbor_records(nothing, neighbor_pairs(nothing, RULES)) == []


def test_layers():
    assert layers_within([1, 2, 4], 2) == [(1, 1), (1, 2), (2, 2), (2, 4), (4, 4)]
    assert layers_within([1, 2, 4], 2, same=False) == [(1, 2), (2, 4)]
    assert layers_across([1, 2, 3, 4, 5], 3, 1) == [(3, 4)]
    assert layers_across([1, 2, 3, 4, 5], 3, 2) == [(2, 4), (3, 4), (3, 5)]
    assert layers_across([1, 2.5, 3.5, 9], 3, 2) == [(2.5, 3.5)]


def test_pairs_with_chosen_tiles():
    tiles = grid_of(2, 2, zs=(1,))
    pairs = overlapping_pairs(tiles, outlines_of(tiles), layers_within(tiles.z, 0), 0.05)
    chosen = np.array([name == tiles.ids[0] for name in tiles.ids])
    kept = pairs_with(pairs, chosen, "elsewhere")
    assert len(kept) == 2
    assert kept.dropped["elsewhere"] == len(pairs) - 2


def test_pairs_by_overlap():
    tiles = grid_of(2, 2, zs=(1, 2))
    within = overlapping_pairs(tiles, outlines_of(tiles), layers_within(tiles.z, 0), 0.05)
    assert len(within) == 2 * 4
    assert within.dropped == {"too little overlap": 4}
    np.testing.assert_allclose(within.overlaps, 0.1)
    corners_too = overlapping_pairs(tiles, outlines_of(tiles), layers_within(tiles.z, 0), 0.005)
    assert len(corners_too) == 2 * 6
    across = overlapping_pairs(tiles, outlines_of(tiles), layers_within(tiles.z, 1, same=False), 0.5)
    assert named(tiles, across) == [(f"1_{cell}", f"2_{cell}") for cell in ("0_0", "0_1", "1_0", "1_1")]
    assert len(overlapping_pairs(tiles, outlines_of(tiles), [(1, 1)], 0.05, min_area=1001)) == 0


def test_overlap_is_relative_to_the_smaller_tile():
    tiles = tiles_of([[0, 0, 100, 100], [90, 0, 110, 20]], [1, 1])
    pairs = overlapping_pairs(tiles, outlines_of(tiles), [(1, 1)], 0.4)
    np.testing.assert_allclose(pairs.overlaps, [0.5])


def test_pairs_of_two_stacks():
    tiles, others = grid_of(1, 2), tiles_of([[30, 0, 130, 100], [200, 0, 300, 100], [0, 0, 9, 9]], [1, 1, 5])
    every = cross_stack_pairs(tiles, outlines_of(tiles), others, outlines_of(others), 0.1, principal_only=False)
    assert named(tiles, every, others) == [("1_0_0", "t0"), ("1_0_1", "t0")]
    others = tiles_of([[30, 0, 130, 100], [5, 0, 105, 100]], [1, 1])
    best = cross_stack_pairs(tiles, outlines_of(tiles), others, outlines_of(others), 0.1, principal_only=True)
    assert named(tiles, best, others) == [("1_0_0", "t1"), ("1_0_1", "t0")]
    assert best.dropped["not the principal partner"] == 2
    far = tiles_of([[900, 900, 999, 999]], [1])
    none = cross_stack_pairs(tiles, outlines_of(tiles), far, outlines_of(far), 0.1, principal_only=True)
    assert len(none) == 0
    assert none.dropped["no partner"] == 2


def test_pairs_can_be_left_out():
    tiles = grid_of(2, 2)
    pairs = neighbor_pairs(tiles, RULES)
    assert named(tiles, without_positions(tiles, pairs, "LEFT")) == [("1_0_0", "1_1_0"), ("1_0_1", "1_1_1")]
    counts = {frozenset(("1_0_1", "1_0_0")): 3, frozenset(("1_0_0", "1_1_0")): 0}
    left = without_matched(tiles, pairs, counts, 0)
    assert named(tiles, left) == [("1_0_1", "1_1_1"), ("1_1_0", "1_1_1")]
    assert left.dropped["matched already"] == 2
    assert len(without_matched(tiles, pairs, counts, 2)) == 3
    assert len(without_matched(tiles, pairs, counts, 3)) == 4


def test_sample_is_seeded():
    tiles = grid_of(5, 5)
    pairs = neighbor_pairs(tiles, RULES)
    first, again, other = (sampled_pairs(pairs, 10, seed) for seed in (1, 1, 2))
    assert named(tiles, first) == named(tiles, again) != named(tiles, other)
    assert first.dropped["not sampled"] == 30
    assert sampled_pairs(pairs, 40, 1) is pairs


def test_records_are_renders():
    tiles = grid_of(1, 2, zs=(1, 2.5))
    records = neighbor_records(tiles, neighbor_pairs(tiles, replace(RULES, z_neighbor_distance=2)))
    assert records[0] == {
        "p": {"groupId": "1.0", "id": "1_0_0", "relativePosition": "LEFT"},
        "q": {"groupId": "1.0", "id": "1_0_1", "relativePosition": "RIGHT"},
    }
    assert records[1] == {
        "p": {"groupId": "1.0", "id": "1_0_0"},
        "q": {"groupId": "2.5", "id": "2_0_0"},
        "absoluteDeltaZ": 1.5,
    }


def test_many_tiles():
    side = 140
    tiles = grid_of(side, side)
    assert len(neighbor_pairs(tiles, RULES)) == 2 * side * (side - 1)
