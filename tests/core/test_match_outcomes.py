import numpy as np
import pytest

from rendermodules.core.match_outcomes import dropped_in_words, matching_totals, outcome_summary
from rendermodules.core.pointmatches import point_matches
from rendermodules.core.tile_matching import Canvas, CanvasPair, PairOutcome


def pair(p, q, groups=("1.0", "1.0")):
    return CanvasPair(Canvas(groups[0], p), Canvas(groups[1], q))


def matched(p, q, count, method="correlation", groups=("1.0", "1.0")):
    one = pair(p, q, groups)
    return PairOutcome(one, [point_matches(one.p.name, one.q.name, *np.zeros((2, count, 2)))], method, None)


def dropped(p, q, reason, groups=("1.0", "1.0")):
    return PairOutcome(pair(p, q, groups), [], None, reason)


def test_totals_of_several_batches():
    batches = [
        outcome_summary([matched("a", "b", 12), dropped("a", "c", "image cannot be read (no file x.tif)")], 1),
        outcome_summary([matched("a", "d", 5, "features", ("1.0", "2.0")), dropped("b", "c", "too few (3 of 10)")], 1),
        outcome_summary([dropped("u", "v", "tile not in the stack", ("2.0", "2.0"))], None),
    ]
    totals = matching_totals(batches)
    assert (totals.tried, totals.matched, totals.match_count) == (5, 2, 17)
    assert totals.methods == {"correlation": 1, "features": 1}
    assert totals.dropped == {"image cannot be read": 1, "too few": 1, "tile not in the stack": 1}
    assert totals.unreadable == ["no file x.tif"]
    assert totals.frames == {1}
    assert totals.sections == {("1.0", "1.0"): (3, 1), ("1.0", "2.0"): (1, 1), ("2.0", "2.0"): (1, 0)}
    assert totals.poor_sections(0) == []
    assert totals.poor_sections(0.3) == [{"pGroupId": "2.0", "qGroupId": "2.0", "pairs": 1, "matched": 0}]


def test_totals_of_nothing():
    totals = matching_totals([])
    assert (totals.tried, totals.matched, totals.poor_sections(1)) == (0, 0, [])


def test_causes_are_told_in_one_line_with_what_helps():
    line = dropped_in_words(
        {
            "correlation: weak correlation; features: too few candidates agree": 30,
            "correlation: weak correlation; features: candidates agree as by chance; features anywhere: too few "
            "candidates agree": 3,
            "correlation: no overlap; features: too few candidates agree": 4,
            "correlation: flat; features: too few candidates agree": 1,
        }
    )
    assert line.startswith(
        "38 were dropped: 33 that show nothing in common, 4 that hardly overlap, 1 with an empty side."
    )
    assert line.count("searchRadius") == 1
    assert "\n" not in line
    assert dropped_in_words({}) == "none were dropped"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("tile not in the stack", "does not have"),
        ("image cannot be read", "cannot be read"),
        ("correlation: ambiguous; features: too few candidates agree", "repeats itself"),
        ("correlation: weak correlation; features: two places fit nearly as well", "repeats itself"),
        ("correlation: too few blocks found: overlap too narrow; features: too few candidates agree", "hardly overlap"),
        ("too few matches", "too few matches"),
        ("correlation: disagreeing; features: too few candidates agree", "contradict"),
        ("something quite new", "other reasons"),
    ],
)
def test_each_reason_has_a_cause(reason, words):
    assert words in dropped_in_words({reason: 1})
