import gzip
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rendermodules.core.blocks import BlockParameters
from rendermodules.core.consensus import ConsensusParameters
from rendermodules.core.estimation import PlanarModel, fitted_model, transformed
from rendermodules.core.features import Features, SiftParameters, sift_features
from rendermodules.core.matching import (
    CorrelationParameters,
    FeatureParameters,
    matched_by_correlation,
    matched_by_features,
    matched_candidates,
    matched_pair,
)

CORRELATION = CorrelationParameters(40, 0.3, BlockParameters(48, 60, 0.3, 0.5, 8.0))
CONSENSUS = ConsensusParameters(PlanarModel("AFFINE"), "SINGLE_SET", 1000, 3.0, 0.0, 7, 4.0)
FEATURES = FeatureParameters(SiftParameters(4, 0.25, 1.0, 3), 0.92, CONSENSUS, 0.01, 200.0)


def moved(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def described(points, descriptors):
    descriptors = np.asarray(descriptors, dtype=np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    count = len(descriptors)
    return Features(np.asarray(points, dtype=float), np.ones(count), np.zeros(count), descriptors)


def errors(matched, truth):
    return np.linalg.norm(transformed(truth, matched.p) - matched.q, axis=1)


def test_candidates_have_to_be_clearly_nearest():
    q = described([[0, 0], [1, 0], [2, 0]], [[1, 0, 0], [0, 1, 0], [0.1, 1, 0]])
    p = described([[5, 5], [6, 5]], [[1, 0.1, 0], [0.05, 1, 0]])
    candidates = matched_candidates(p, q, 0.92)
    assert candidates.p.tolist() == [0]
    assert candidates.q.tolist() == [0]
    assert candidates.dropped == {"ambiguous": 1, "shared target": 0}


def test_all_candidates_of_a_shared_place_are_dropped():
    # two features of q lie on one spot, with different orientations
    q = described([[3, 4], [3, 4], [9, 9]], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    p = described([[0, 0], [1, 1], [2, 2]], [[1, 0.1, 0, 0], [0, 1, 0.1, 0], [0, 0, 1, 0.1]])
    candidates = matched_candidates(p, q, 0.92)
    assert candidates.p.tolist() == [2]
    assert candidates.dropped == {"ambiguous": 0, "shared target": 2}


def test_candidates_of_few_features():
    one = described([[0, 0]], [[1.0, 0.0]])
    none = described(np.empty((0, 2)), np.empty((0, 2)))
    assert matched_candidates(one, one, 0.92).p.tolist() == [0]
    assert len(matched_candidates(one, none, 0.92).p) == 0
    assert len(matched_candidates(none, one, 0.92).p) == 0


def test_candidates_are_the_same_in_blocks_and_at_once():
    rng = np.random.default_rng(0)
    p = described(rng.uniform(0, 99, (300, 2)), rng.uniform(0, 1, (300, 32)))
    q = described(rng.uniform(0, 99, (200, 2)), rng.uniform(0, 1, (200, 32)))
    distance = np.linalg.norm(p.descriptors[:, None].astype(float) - q.descriptors[None], axis=2)
    # distances of less than 0.05 count as none
    first, second = np.hypot(np.sort(distance, axis=1)[:, :2], 0.05).T
    near = distance.argmin(axis=1)
    clear = np.flatnonzero(first < 0.92 * second)
    expected = [i for i in clear if (near[clear] == near[i]).sum() == 1]
    assert matched_candidates(p, q, 0.92).p.tolist() == expected


def test_features_find_the_place(side_by_side):
    p, q, truth = side_by_side
    found = matched_by_features(
        sift_features(p, FEATURES.sift), sift_features(q, FEATURES.sift), FEATURES, q.size, seed=1
    )
    assert found.method == "features"
    assert found.reason is None
    assert len(found.p) > 30
    assert found.set_sizes == (len(found.p),)
    assert np.median(errors(found, truth)) < 0.3
    assert found.rms < 1


def test_correlation_finds_the_place(side_by_side):
    p, q, truth = side_by_side
    found = matched_by_correlation(p, q, moved(*truth[:, 2].round()), CORRELATION)
    assert found.method == "correlation"
    assert len(found.p) > 30
    assert errors(found, truth).max() < 0.3
    np.testing.assert_allclose(found.matrix, truth, atol=2e-1)


def test_single_line_of_blocks_gets_a_rigid_model(side_by_side):
    p, q, truth = side_by_side
    found = matched_by_correlation(p[:, :424], q, moved(*truth[:, 2].round()), CORRELATION)
    assert found.reason is None
    assert np.linalg.det(found.matrix[:, :2]) == pytest.approx(1)


def test_correlation_comes_first(side_by_side):
    p, q, truth = side_by_side
    assert matched_pair(p, q, moved(*truth[:, 2].round()), CORRELATION, FEATURES, 1).method == "correlation"


def test_features_take_over_where_the_place_is_not_as_expected(side_by_side):
    p, q, truth = side_by_side
    narrow = replace(CORRELATION, search_radius=60)
    far = moved(*truth[:, 2].round() + [0, 95])
    found = matched_pair(p, q, far, narrow, FEATURES, 1)
    assert found.method == "features"
    assert np.median(errors(found, truth)) < 0.5
    assert any(name.startswith("sections: ") for name in found.dropped)
    assert any(name.startswith("features: ") for name in found.dropped)


def test_features_are_used_without_an_expectation(texture, seen):
    field = texture((500, 500))
    angle = np.deg2rad(75)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    p = seen(field, moved(100, 100), (300, 300))
    q = seen(field, np.column_stack([linear, [250, 80]]), (300, 300))
    found = matched_pair(p, q, None, CORRELATION, FEATURES, 1)
    assert found.method == "features"
    np.testing.assert_allclose(found.matrix[:, :2], linear.T, atol=0.01)


def test_masks_reach_both_ways(side_by_side):
    p, q, truth = side_by_side
    mask = np.ones(p.shape, dtype=np.uint8)
    mask[150:] = 0
    for expected in (moved(*truth[:, 2].round()), None):
        found = matched_pair(p, q, expected, CORRELATION, FEATURES, 1, p_mask=mask)
        assert found.reason is None
        assert found.p[:, 1].max() < 155


BLANK = np.full((300, 300), 120, dtype=np.uint8)
WAVES = 128 + 60 * np.sin(np.arange(300) / 3)[:, None] * np.sin(np.arange(300) / 4)
CHECKED = 30 + 190 * (np.add.outer(np.arange(300) // 9, np.arange(300) // 9) % 2)


def grainy(image, seed):
    return np.clip(image + np.random.default_rng(seed).normal(0, 5, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (BLANK, BLANK),
        (np.full((300, 300), np.nan), BLANK.astype(float)),
        (grainy(WAVES[:280, :280], 0), grainy(WAVES[13:, 7:], 1)),
        (grainy(CHECKED[:280, :280], 0), grainy(CHECKED[13:, 7:], 1)),
        (BLANK[:2, :2], BLANK[:2, :2]),
        (BLANK[:0], BLANK[:0]),
        (BLANK[:1], BLANK),
    ],
    ids=["blank", "not a number", "waves", "checkered", "tiny", "empty", "line"],
)
@pytest.mark.parametrize("expected", [moved(-230, 2), moved(-5000, 0), None], ids=["beside", "apart", "unknown"])
def test_no_matches_where_there_can_be_none(p, q, expected):
    found = matched_pair(p, q, expected, CORRELATION, FEATURES, 1)
    assert len(found.p) == len(found.q) == 0
    assert found.method is None
    assert found.matrix is None
    assert found.reason


def test_unrelated_images_give_no_matches(texture):
    for seed in range(8):
        p, q = texture((300, 300), seed), texture((300, 300), seed + 50)
        for expected in (moved(-220, 5), None):
            found = matched_pair(p, q, expected, CORRELATION, FEATURES, seed)
            assert len(found.p) == 0
            assert found.reason


WIDE = CorrelationParameters(80, 0.3, BlockParameters(64, 400, 0.3, 0.5, 10.0))
BESIDE = moved(-461, 0)


def lattice(rng, side, period=32):
    y, x = np.mgrid[:side, :side]
    first = rng.uniform(0, period, 2)
    waves = np.cos(2 * np.pi * (x + first[0]) / period) + np.cos(2 * np.pi * (y + first[1]) / period)
    return waves + 0.5 * rng.normal(size=(side, side))


def slanted_stripes(rng, side):
    y, x = np.mgrid[:side, :side]
    return np.cos(2 * np.pi * (0.9 * x + 0.43 * y) / 27 + rng.uniform(0, 6)) + 0.4 * rng.normal(size=(side, side))


def discs(rng, side, noise=0.01, density=60 / 512**2):
    image = np.zeros((side, side), np.float32)
    for x, y in rng.integers(0, side, (int(density * side**2), 2)).tolist():
        cv2.circle(image, (x, y), int(rng.integers(5, 16)), float(rng.uniform(0.3, 1)), -1)
    return cv2.GaussianBlur(image, (0, 0), 2.5) + noise * rng.normal(size=(side, side))


def sixteen_bits(image):
    low, high = image.min(), image.max()
    return np.rint(300 + 4000 * (image - low) / (high - low)).astype(np.uint16)


@pytest.mark.parametrize("texture_of", [lattice, slanted_stripes, discs])
def test_what_looks_alike_everywhere_gives_no_matches(texture_of):
    for seed in range(12):
        p, q = (sixteen_bits(texture_of(np.random.default_rng([side, seed]), 512)) for side in (0, 1))
        matched = matched_by_correlation(p, q, BESIDE, WIDE)
        assert matched.reason is not None
        assert len(matched.p) == 0


@pytest.mark.parametrize(
    ("texture_of", "enough"), [(lattice, 9), (slanted_stripes, 9), (discs, 6)], ids=["lattice", "stripes", "discs"]
)
def test_places_are_found_in_what_looks_alike(texture_of, enough):
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        field = texture_of(rng, 1000)
        x, y = rng.integers(-30, 31, 2)
        images = (field[40:552, :512], field[40 + y : 552 + y, 461 + x : 973 + x])
        p, q = (sixteen_bits(one + 0.03 * rng.normal(size=one.shape)) for one in images)
        matched = matched_by_correlation(p, q, BESIDE, WIDE)
        if matched.reason is None:
            assert np.median(errors(matched, moved(-461 - x, -y))) < 0.5
            found += 1
    assert found >= enough


def test_a_round_thing_is_not_taken_for_another():
    image = np.zeros((2, 256, 256), np.float32)
    for one, radius in zip(image, (30, 34), strict=True):
        cv2.circle(one, (128, 128), radius, 1.0, -1)
    rng = np.random.default_rng(0)
    p, q = (sixteen_bits(cv2.GaussianBlur(one, (0, 0), 3) + 0.01 * rng.normal(size=one.shape)) for one in image)
    assert matched_by_correlation(p, q, moved(5, 0), WIDE).reason is not None


def test_noise_gives_no_matches():
    rng = np.random.default_rng(0)
    for _ in range(4):
        p, q = (rng.integers(0, 256, (250, 250)).astype(np.uint8) for _ in range(2))
        assert matched_pair(p, q, moved(-180, 0), CORRELATION, FEATURES, 1).reason


def test_agreement_by_chance_is_told_from_true_one():
    rng = np.random.default_rng(1)
    points, elsewhere = rng.uniform(0, 500, (200, 2)), rng.uniform(0, 500, (200, 2))
    descriptors = np.eye(200)
    loose = replace(FEATURES, consensus=replace(CONSENSUS, max_epsilon=20.0, min_num_inliers=4))
    wrong = matched_by_features(described(points, descriptors), described(elsewhere, descriptors), loose, 500.0**2, 1)
    assert wrong.reason is not None
    assert "as by chance" in wrong.reason
    elsewhere[:40] = points[:40] + [30, 20]
    right = matched_by_features(described(points, descriptors), described(elsewhere, descriptors), loose, 500.0**2, 1)
    assert right.reason is None


def test_what_is_turned_against_the_expectation_is_not_believed(texture, seen):
    # the same tissue a second time, upside down
    field = texture((300, 300))
    p = seen(field, moved(0, 0), (300, 300), seed=1)
    q = seen(field, [[-1, 0, 299], [0, -1, 299]], (300, 300), seed=2)
    assert matched_pair(p, q, None, None, FEATURES, 1).reason is None
    believed = matched_pair(p, q, moved(0, 0), CORRELATION, replace(FEATURES, max_offset=np.inf), 1)
    assert "turned against" in believed.reason
    assert matched_pair(p, q, moved(0, 0), CORRELATION, replace(FEATURES, max_offset=40.0), 1).reason


def test_candidates_far_from_the_expected_place_are_dropped():
    points = np.random.default_rng(4).uniform(0, 500, (60, 2))
    target = points + [30.0, 0.0] + np.random.default_rng(5).normal(0, 0.2, (60, 2))
    target[20:] += [0.0, 200.0]
    p, q = described(points, np.eye(60)), described(target, np.eye(60))
    found = matched_by_features(p, q, FEATURES, 600.0**2, 1, expected=moved(0, 0))
    assert len(found.p) >= 18
    assert found.dropped["candidates: far from the expected place"] == 40


def test_two_places_that_fit_equally_well_are_none():
    points = np.random.default_rng(2).uniform(0, 500, (100, 2))
    target = points + np.where(np.arange(100)[:, None] < 52, [100.0, 0.0], [0.0, 90.0])
    p, q = described(points, np.eye(100)), described(target, np.eye(100))
    assert "two places" in matched_by_features(p, q, FEATURES, 600.0**2, 1).reason
    sets = replace(FEATURES, consensus=replace(CONSENSUS, match_filter="CONSENSUS_SETS"))
    assert matched_by_features(p, q, sets, 600.0**2, 1).set_sizes == (52, 48)


def test_unfiltered_candidates_have_no_model():
    points = np.random.default_rng(3).uniform(0, 500, (10, 2))
    p = described(points, np.eye(10))
    unfiltered = replace(FEATURES, consensus=replace(CONSENSUS, match_filter="NONE"))
    found = matched_by_features(p, p, unfiltered, 500.0**2, 1)
    assert len(found.p) == 10
    assert found.matrix is None


def test_without_parameters_nothing_is_tried(side_by_side):
    p, q, truth = side_by_side
    assert matched_pair(p, q, truth, None, None, 1).reason == "nothing was to be tried"


def java_runs(folder):
    for path in sorted((folder / "golden" / "match").glob("*.in.json")):
        name = path.name.removesuffix(".in.json")
        given = json.loads(path.read_text(encoding="utf-8"))
        output = path.with_name(f"{name}.out.json")
        result = (
            json.loads(output.read_text(encoding="utf-8"))
            if output.exists()
            else json.loads(gzip.decompress(output.with_name(f"{output.name}.gz").read_bytes()))
        )
        yield name, given, result


def drawn(folder, parameters):
    """The canvas that Java drew: the tile has no transform, so that it is the image at the render scale."""
    urls = parameters["tileSpecs"][0]["mipmapLevels"]["0"]
    scale = parameters["scale"]
    size = (int(parameters["width"] * scale), int(parameters["height"] * scale))

    def read(url):
        image = cv2.imread(url.replace("file://@GOLDEN@", str(folder / "golden")), cv2.IMREAD_GRAYSCALE)
        return image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    return read(urls["imageUrl"]), read(urls["maskUrl"]) if "maskUrl" in urls else None


def test_as_many_matches_as_the_java_matcher(shared_folder):
    compared = 0
    for name, given, expected in java_runs(shared_folder):
        inliers = np.array(expected["inlierPoints"]).reshape(-1, 5)
        # the others differ in the model alone, take long, or have no matches that are right
        if name not in ("synth_rigid", "synth_quarter_masked", "stitch_12_0.5_rigid", "stitch_13_0.5_affine"):
            continue
        compared += 1
        extraction, derivation = given["featureExtraction"], given["matchDerivation"]
        sift = SiftParameters(*(extraction[key] for key in ("fdSize", "minScale", "maxScale", "steps")))
        consensus = ConsensusParameters(
            PlanarModel(derivation["matchModelType"]),
            derivation["matchFilter"],
            derivation["matchIterations"],
            derivation["matchMaxEpsilonFullScale"] * given["renderScale"],
            derivation["matchMinInlierRatio"],
            derivation["matchMinNumInliers"],
            derivation["matchMaxTrust"],
        )
        (p, p_mask), (q, q_mask) = (drawn(shared_folder, given[side]) for side in "pq")
        found = matched_by_features(
            sift_features(p, sift, p_mask),
            sift_features(q, sift, q_mask),
            FeatureParameters(sift, derivation["matchRod"], consensus, 0.01, np.inf),
            q.size,
            seed=1,
        )
        assert len(found.p) >= 0.8 * len(inliers), name
        java = fitted_model(inliers[:, :2], inliers[:, 2:4], derivation["matchModelType"])
        low, high = inliers[:, :2].min(axis=0), inliers[:, :2].max(axis=0)
        corners = np.array([low, [low[0], high[1]], [high[0], low[1]], high])
        off = np.linalg.norm(transformed(java, corners) - transformed(found.matrix, corners), axis=1)
        assert off.max() < 0.5, name
    assert compared == 4


def test_neighbouring_tiles_of_a_real_section(shared_folder):
    folder = shared_folder / "data" / "em_2x2"
    tiles = json.loads((folder / "nominal.json").read_text(encoding="utf-8"))["tiles"]
    images = [
        cv2.imread(str(shared_folder / "golden" / "images" / tile["name"]), cv2.IMREAD_GRAYSCALE) for tile in tiles
    ]
    blocks = BlockParameters(size=64, count=400, min_correlation=0.3, max_error=0.5, max_drift=12.0)
    for first, second in ((0, 1), (0, 2), (1, 3), (2, 3)):
        p, q = tiles[first], tiles[second]
        found = matched_by_correlation(
            images[first],
            images[second],
            moved(p["x"] - q["x"], p["y"] - q["y"]),
            CorrelationParameters(100, 0.3, blocks),
        )
        assert len(found.p) >= 300
        assert found.rms < 0.6
