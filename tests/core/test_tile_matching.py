from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.blocks import BlockParameters
from rendermodules.core.consensus import ConsensusParameters
from rendermodules.core.estimation import PlanarModel, composed, inverted, transformed
from rendermodules.core.features import SiftParameters
from rendermodules.core.match_frames import match_frame
from rendermodules.core.matching import CorrelationParameters, FeatureParameters
from rendermodules.core.tile_matching import (
    Canvas,
    CanvasPair,
    PairOutcome,
    TileImage,
    TileMatching,
    canvas_pair,
    canvas_pairs,
    matched_canvases,
    matched_pairs,
    pair_seed,
    plain_features,
)

CONSENSUS = ConsensusParameters(PlanarModel("AFFINE"), "SINGLE_SET", 1000, 3.0, 0.0, 7, 4.0)
CORRELATION = CorrelationParameters(20, 0.3, BlockParameters(48, 60, 0.3, 0.5, 8.0))
FEATURES = FeatureParameters(SiftParameters(4, 0.25, 1.0, 3), 0.92, CONSENSUS, 0.01, 80.0)
MATCHING = TileMatching(CORRELATION, FEATURES, None, None, 20.0, True, False, 10, None)
PAIR = CanvasPair(Canvas("1.0", "a", "LEFT"), Canvas("1.0", "b", "RIGHT"))
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def moved(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def pair_of(p_group, p_id, q_group, q_id):
    return {"p": {"groupId": p_group, "id": p_id}, "q": {"groupId": q_group, "id": q_id}}


@pytest.fixture
def two(side_by_side):
    """Two images in frames of twice their pixels, and the way between the frames."""
    p, q, truth = side_by_side
    twice = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]])
    images = TileImage(p, None, twice, "p"), TileImage(q, None, twice, "q")
    return *images, composed(composed(inverted(twice), truth), twice)


def errors(outcome, truth):
    (one,) = outcome.matches
    return np.linalg.norm(transformed(truth, one.p) - one.q, axis=1)


def test_pairs_in_renders_order():
    pair = canvas_pair(pair_of("999.0", "a", "1000.0", "b"))
    assert (pair.p.name, pair.q.name) == (("1000.0", "b"), ("999.0", "a"))
    records = [
        pair_of("2", "b", "2", "a"),
        pair_of("2", "a", "2", "b"),
        pair_of("2", "c", "2", "c"),
        pair_of("10", "z", "10", "y"),
    ]
    pairs, dropped = canvas_pairs(records)
    assert [pair.p.name for pair in pairs] == [("10", "y"), ("2", "a")]
    assert dropped == {"repeated": 1, "of a tile with itself": 1}


def test_seeds_are_those_of_a_pair():
    other = CanvasPair(PAIR.p, Canvas("1.0", "c"))
    assert len({pair_seed(PAIR, 0), pair_seed(other, 0), pair_seed(PAIR, 1)}) == 3
    assert pair_seed(PAIR, 0) == pair_seed(CanvasPair(Canvas("1.0", "a"), Canvas("1.0", "b")), 0)


def test_matches_are_in_the_frames(two):
    p, q, truth = two
    outcome = matched_canvases(
        PAIR, p, q, truth + moved(7, -9) - moved(0, 0), MATCHING, plain_features, 1, near_only=True
    )
    assert (outcome.method, outcome.reason, outcome.kind) == ("correlation", None, "")
    assert np.median(errors(outcome, truth)) < 0.2
    assert outcome.matches[0].pair == ("1.0", "a", "1.0", "b")


def test_what_features_find_is_found_again_by_correlation(two):
    p, q, truth = two
    far = truth + moved(0, 100) - moved(0, 0)
    outcome = matched_canvases(PAIR, p, q, far, MATCHING, plain_features, 1, near_only=True)
    assert outcome.method == "correlation"
    assert np.median(errors(outcome, truth)) < 0.2
    features_only = replace(MATCHING, correlation=None)
    assert matched_canvases(PAIR, p, q, far, features_only, plain_features, 1, near_only=True).method == "features"


def test_beyond_the_expected_place(two):
    p, q, truth = two
    nowhere = truth + moved(300, 500) - moved(0, 0)
    lost = matched_canvases(PAIR, p, q, nowhere, MATCHING, plain_features, 1, near_only=True)
    assert lost.matches == []
    assert lost.reason.startswith("correlation: ")
    assert "; features: " in lost.reason
    found = matched_canvases(PAIR, p, q, nowhere, MATCHING, plain_features, 1, near_only=False)
    assert np.median(errors(found, truth)) < 0.2
    unplaced = matched_canvases(PAIR, p, q, None, MATCHING, plain_features, 1, near_only=True)
    assert np.median(errors(unplaced, truth)) < 0.2


def test_strips_that_face_each_other(two):
    p, q, truth = two
    boxes = []

    def features_of(image, parameters, box):
        boxes.append(box.tolist())
        return plain_features(image, parameters, box)

    clipped = replace(MATCHING, correlation=None, clip_width=120)
    assert matched_canvases(PAIR, p, q, truth, clipped, features_of, 1, near_only=True).matches
    assert boxes == [[[380, 0], [500, 400]], [[0, 0], [120, 400]]]


def test_too_few_and_too_many(two):
    p, q, truth = two
    few = replace(MATCHING, min_matches=1000)
    outcome = matched_canvases(PAIR, p, q, truth, few, plain_features, 1, near_only=True)
    assert outcome.matches == []
    assert outcome.kind == "too few matches"
    some = replace(MATCHING, max_matches=12)
    first, again = (
        matched_canvases(PAIR, p, q, truth, some, plain_features, 1, near_only=True).matches[0] for _ in range(2)
    )
    assert len(first) == 12
    np.testing.assert_array_equal(first.p, again.p)


def test_only_correlation_and_no_place(two):
    p, q, _ = two
    blocks_only = replace(MATCHING, features=None)
    outcome = matched_canvases(PAIR, p, q, None, blocks_only, plain_features, 1, near_only=True)
    assert "not placed" in outcome.reason


def test_reasons_are_counted_without_their_figures():
    reason = "correlation: too few blocks found (3 of 40): flat; features: too few candidates agree (fewer than 7 of 9)"
    kind = "correlation: too few blocks found: flat; features: too few candidates agree"
    assert PairOutcome(PAIR, [], None, reason).kind == kind
    assert PairOutcome(PAIR, [], None, "image cannot be read (file (1).tif: is empty)").kind == "image cannot be read"


def test_pairs_of_tiles(side_by_side):
    p, q, truth = side_by_side
    images = {"a": p, "b": q}
    place = {"a": "1 0 0 1 0 0", "b": f"1 0 0 1 {-truth[0, 2]} {-truth[1, 2]}"}
    tiles = {
        name: {
            "tileId": name,
            "z": 1.0,
            "width": 500.0,
            "height": 400.0,
            "transforms": {"type": "list", "specList": [{"className": AFFINE, "dataString": place[name]}]},
        }
        for name in images
    }
    frames = {name: match_frame(tile) for name, tile in tiles.items()}

    def image_of(tile, frame):
        if tile["tileId"] == "c":
            raise OSError("c.tif: No such file or directory")
        return TileImage(images[tile["tileId"]], None, np.eye(2, 3), tile["tileId"])

    tiles["c"], frames["c"] = {**tiles["b"], "tileId": "c"}, frames["b"]
    pairs = [CanvasPair(PAIR.p, Canvas("1.0", name)) for name in ("b", "c", "d")]
    outcomes = list(matched_pairs(pairs, tiles, frames, MATCHING, image_of, plain_features, 5))
    assert [one.kind for one in outcomes] == ["", "image cannot be read", "tile not in the stack"]
    assert np.median(errors(outcomes[0], truth)) < 0.2
    assert outcomes[1].reason == "image cannot be read (c.tif: No such file or directory)"
