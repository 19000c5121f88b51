import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_tiles, synthetic_matches

SETTINGS = SyntheticSettings(rows=3, columns=3, tile_width=300, tile_height=200, lens_distortion=2)
LOW, HIGH = (section_tiles(SETTINGS, z) for z in (0, 1))


def distances(matches, p_tiles, q_tiles, to: str) -> np.ndarray:
    found = []
    for (p, q), start, end in zip(matches.pairs, matches.starts[:-1], matches.starts[1:], strict=True):
        p_true = getattr(p_tiles[p], to)(matches.p[start:end])
        q_true = getattr(q_tiles[q], to)(matches.q[start:end])
        found.append(np.linalg.norm(p_true - q_true, axis=1))
    return np.concatenate(found)


def test_exact_matches_within_a_section() -> None:
    matches = synthetic_matches(LOW, count=15)
    assert len(matches.pairs) == 20
    assert (matches.pairs[:, 0] < matches.pairs[:, 1]).all()
    assert matches.starts[-1] == len(matches.p) == len(matches.q)
    assert np.diff(matches.starts).min() >= 5
    assert not matches.wrong.any()
    assert distances(matches, LOW, LOW, "to_section").max() < 1e-8
    for points in (matches.p, matches.q):
        assert ((points >= 0) & (points <= (299, 199))).all()


def test_exact_matches_across_sections() -> None:
    matches = synthetic_matches(LOW, HIGH)
    assert len(matches.pairs) > 9
    assert distances(matches, LOW, HIGH, "to_world").max() < 1e-7


def test_noise_and_outliers_are_as_asked_for() -> None:
    matches = synthetic_matches(LOW, count=400, noise=0.5, outliers=0.25, seed=3)
    apart = distances(matches, LOW, LOW, "to_section")
    assert matches.wrong.mean() == pytest.approx(0.25, abs=0.03)
    # noise of both points adds up along both axes
    assert np.sqrt(np.square(apart[~matches.wrong]).mean()) == pytest.approx(1.0, rel=0.05)
    assert np.median(apart[matches.wrong]) > 20


def test_same_seed_same_matches() -> None:
    first, again, other = (synthetic_matches(LOW, noise=1, outliers=0.1, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.q, again.q)
    assert first.q.shape != other.q.shape or not np.array_equal(first.q, other.q)


def test_small_overlaps_get_none() -> None:
    assert 6 <= len(synthetic_matches(LOW, smallest_overlap=25).pairs) < 20
    none = synthetic_matches(LOW, smallest_overlap=1000)
    assert none.pairs.shape == (0, 2)
    assert none.p.shape == (0, 2)
    assert none.starts.tolist() == [0]


def test_json_is_that_of_render() -> None:
    matches = synthetic_matches(LOW, HIGH, count=4)
    documents = matches.to_json(LOW, HIGH)
    assert len(documents) == len(matches.pairs)
    first = documents[0]
    assert (first["pGroupId"], first["qGroupId"]) == ("0.0", "1.0")
    assert first["pId"] == LOW[matches.pairs[0, 0]].tile_id
    assert first["qId"] == HIGH[matches.pairs[0, 1]].tile_id
    count = int(matches.starts[1])
    assert np.array(first["matches"]["p"]).shape == (2, count)
    assert first["matches"]["w"] == [1.0] * count
    np.testing.assert_array_equal(np.array(first["matches"]["q"]).T, matches.q[:count])
