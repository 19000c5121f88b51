import numpy as np
import pytest

from rendermodules.core.pointmatches import (
    canonical,
    canvas_matches,
    capped,
    is_canonical,
    mapped,
    merged,
    oriented,
    parsed_matches,
    point_matches,
    renamed,
    residuals,
    swapped,
    with_weights,
    without_repetitions,
)


def document(p_group="1.0", p_id="a", q_group="1.0", q_id="b", count=3):
    x = np.arange(float(count))
    return {
        "pGroupId": p_group,
        "pId": p_id,
        "qGroupId": q_group,
        "qId": q_id,
        "matches": {"p": [list(x), list(x + 0.1)], "q": [list(x + 5), list(x - 2)], "w": [1.0] * count},
        "matchCount": count,
    }


def test_json_comes_back_unchanged():
    assert canvas_matches(parsed_matches(document())) == document()
    with_set = document() | {"consensusSetData": {"index": 1, "originalPId": "a", "originalQId": "b"}}
    assert canvas_matches(parsed_matches(with_set)) == with_set


def test_doubles_are_kept_in_full():
    third = document(count=1)
    third["matches"]["p"] = [[1 / 3], [2 / 3]]
    assert canvas_matches(parsed_matches(third))["matches"]["p"] == [[1 / 3], [2 / 3]]


def test_columns_are_x_and_y():
    matches = parsed_matches(document())
    np.testing.assert_allclose(matches.p[2], [2.0, 2.1])
    np.testing.assert_allclose(matches.q[2], [7.0, 0.0])


def test_pair_without_points_is_a_pair():
    assert len(parsed_matches(document(count=0))) == 0


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"pGroupId": "1", "pId": "a", "qGroupId": "1", "qId": "b"},
        document() | {"matches": {"p": [[1], [2]], "q": [[1], [2]], "w": [1, 1]}},
        document() | {"matches": {"p": [[1, 2], [2]], "q": [[1], [2]], "w": [1]}},
        document() | {"matches": {"p": [[np.nan], [2]], "q": [[1], [2]], "w": [1]}},
        document() | {"matches": None},
    ],
)
def test_broken_json_is_refused(broken):
    with pytest.raises(ValueError, match="match"):
        parsed_matches(broken)


@pytest.mark.parametrize(
    ("p", "q", "in_order"),
    [
        (("1.0", "a"), ("1.0", "b"), True),
        (("10.0", "a"), ("2.0", "a"), True),
        (("999.0", "a"), ("1000.0", "a"), False),
        (("1.0", "a"), ("1.0", "a"), True),
        # a surrogate pair begins lower than U+FFFD although the character is the higher one
        (("1.0", "\U0001f600"), ("1.0", "\ufffd"), True),
    ],
)
def test_order_is_that_of_strings(p, q, in_order):
    assert is_canonical(p, q) is in_order
    assert is_canonical(q, p) is (not in_order or p == q)


def test_canonical_swaps_all_that_belongs_together():
    data = document("999.0", "b", "1000.0", "a") | {"consensusSetData": {"index": 0, "originalPId": "b0"}}
    matches = canonical(parsed_matches(data))
    assert matches.pair == ("1000.0", "a", "999.0", "b")
    np.testing.assert_allclose(matches.p[0], [5.0, -2.0])
    assert matches.consensus_set == {"index": 0, "originalQId": "b0"}
    assert canvas_matches(swapped(matches)) == data


def test_oriented_by_tile():
    matches = parsed_matches(document())
    assert oriented(matches, "a") is matches
    assert oriented(matches, "b").pair == ("1.0", "b", "1.0", "a")
    with pytest.raises(ValueError, match="none of c"):
        oriented(matches, "c")


def test_point_matches_puts_the_pair_in_order():
    matches = point_matches(("2.0", "b"), ("2.0", "a"), [[1, 2]], [[3, 4]])
    assert matches.pair == ("2.0", "a", "2.0", "b")
    assert matches.p.tolist() == [[3.0, 4.0]]
    assert matches.weights.tolist() == [1.0]
    with pytest.raises(ValueError, match="a and b.*pair up"):
        point_matches(("1", "a"), ("1", "b"), [[1, 2]], [[3, 4], [5, 6]])


def test_renamed_is_canonical_again():
    matches = renamed(parsed_matches(document()), ("5.0", "z"), ("4.0", "y"))
    assert matches.pair == ("4.0", "y", "5.0", "z")
    np.testing.assert_allclose(matches.q[1], [1.0, 1.1])


def test_mapping_and_residuals():
    matches = parsed_matches(document())
    moved = mapped(matches, lambda points: points * 2, lambda points: points + 1)
    np.testing.assert_allclose(moved.p, matches.p * 2)
    np.testing.assert_allclose(moved.q, matches.q + 1)
    off = residuals(matches, lambda points: points + [5, -2.1], lambda points: points)
    np.testing.assert_allclose(off, 0, atol=1e-12)


def test_cap_is_seeded_and_keeps_the_order():
    matches = parsed_matches(document(count=100))
    first, again, other = capped(matches, 10, 1), capped(matches, 10, 1), capped(matches, 10, 2)
    assert len(first) == 10
    assert (np.diff(first.p[:, 0]) > 0).all()
    np.testing.assert_array_equal(first.p, again.p)
    assert first.p.tolist() != other.p.tolist()
    assert capped(matches, 100, 1) is matches


def test_merged_adds_up_a_pair_in_either_order():
    one = parsed_matches(document("2.0", "b", "10.0", "a", count=2))
    two = parsed_matches(document("10.0", "a", "2.0", "b", count=3))
    third = parsed_matches(document("1.0", "a", "3.0", "b", count=1))
    joined = merged([[one], [two, third]])
    assert [matches.pair for matches in joined] == [("1.0", "a", "3.0", "b"), ("10.0", "a", "2.0", "b")]
    assert len(joined[1]) == 5
    np.testing.assert_allclose(joined[1].p[:2], one.q)
    np.testing.assert_allclose(joined[1].p[2:], two.p)


def test_repetitions_keep_the_largest_weight():
    matches = parsed_matches(document(count=2))
    twice = merged([[matches], [with_weights(matches, 0.5)]])[0]
    reduced = without_repetitions(twice)
    assert len(twice) == 4
    assert reduced.p.tolist() == matches.p.tolist()
    assert reduced.weights.tolist() == [1.0, 1.0]
