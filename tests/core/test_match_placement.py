"""Matched points in the world."""

import numpy as np
import pytest

from rendermodules.core.match_placement import (
    TilePairMatches,
    matches_of_documents,
    placed_matches,
)

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def affine(numbers, **more):
    return {"type": "leaf", "className": AFFINE, "dataString": numbers, **more}


def tile(tile_id, *specs):
    return {"tileId": tile_id, "width": 100, "height": 100, "transforms": {"type": "list", "specList": list(specs)}}


LENS = affine("2 0 0 2 0 0", metaData={"labels": ["lens"]})


def test_points_go_through_the_transforms_that_are_left():
    tiles = {
        "a": tile("a", {"type": "ref", "refId": "lens"}, affine("1 0 0 1 10 0")),
        "b": tile("b", {"type": "ref", "refId": "lens"}, affine("0 1 -1 0 0 5")),
    }
    matches = [
        TilePairMatches("a", "b", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]), np.ones(2)),
        TilePairMatches("b", "a", np.array([[5.0, 6.0]]), np.array([[1.0, 2.0]]), np.array([0.5])),
    ]
    placed = placed_matches(matches, tiles, {"lens": {**LENS, "id": "lens"}})
    assert placed.pairs == [("a", "b"), ("b", "a")]
    assert placed.pair_of_match.tolist() == [0, 0, 1]
    assert placed.p_world.tolist() == [[11.0, 2.0], [13.0, 4.0], [-6.0, 10.0]]
    assert placed.q_world.tolist() == [[-6.0, 10.0], [-8.0, 12.0], [11.0, 2.0]]
    assert placed.residuals[0] == placed.residuals[2] == pytest.approx(np.hypot(17, 8))
    assert placed.places[0].tolist() == [2.5, 6.0]
    assert placed.weights.tolist() == [1.0, 1.0, 0.5]
    raw = placed_matches(matches, tiles, {"lens": LENS}, num_local_transforms=0)
    assert raw.p_world[0].tolist() == [12.0, 4.0]


def test_matches_of_other_tiles_are_left_out():
    point = np.zeros((1, 2))
    placed = placed_matches([TilePairMatches("a", "lost", point, point, np.ones(1))], {"a": tile("a")}, {})
    assert placed.pairs == []
    assert placed.residuals.shape == (0,)
    assert placed.places.shape == (0, 2)


def test_documents():
    whole = {"pId": "a", "qId": "b", "matches": {"p": [[1, 2], [3, 4]], "q": [[5, 6], [7, 8]], "w": [1, 1]}}
    torn = {"pId": "a", "qId": "c", "matches": {"p": [[1, 2], [3, 4]], "q": [[5], [7]], "w": [1, 1]}}
    bare = {"pId": "a", "qId": "d", "matchCount": 5}
    (first, last) = matches_of_documents([whole, torn, bare])
    assert (first.p_id, first.q_id) == ("a", "b")
    assert first.p.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert (last.q_id, len(last.weights)) == ("d", 0)


def test_many_tiles_give_what_single_ones_give():
    generator = np.random.default_rng(3)
    tiles = {str(n): tile(str(n), affine(f"1 0 0 1 {n * 7} {n * 3}")) for n in range(20)}
    matches = [
        TilePairMatches(str(p), str(q), generator.uniform(0, 9, (3, 2)), generator.uniform(0, 9, (3, 2)), np.ones(3))
        for p, q in generator.integers(0, 20, (50, 2))
    ]
    together = placed_matches(matches, tiles, {})
    alone = [placed_matches([one], tiles, {}) for one in matches]
    assert np.array_equal(together.p_world, np.concatenate([one.p_world for one in alone]))
    assert np.array_equal(together.residuals, np.concatenate([one.residuals for one in alone]))
