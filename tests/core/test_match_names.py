import numpy as np
import pytest

from rendermodules.core.match_names import NamePatterns, pattern_problem
from rendermodules.core.pointmatches import PointMatches, point_matches

POINTS = np.array([[1.0, 2.0], [3.0, 4.0]])


def test_names_that_fit_are_changed_once():
    patterns = NamePatterns("-[A-Z]+$", "-DAPI", r"(\d)$", r"\g<1>0")
    assert patterns.group("12-GFP") == "12-DAPI"
    assert patterns.group("12") == "12"
    assert patterns.id("1233") == "12330"
    assert NamePatterns(id_find="a", id_replace="b").id("aaa") == "baa"
    assert NamePatterns().id("aaa") == "aaa"


def test_sides_change_places_where_the_new_names_ask_for_it():
    one = point_matches(("1", "a"), ("1", "b"), POINTS, POINTS + 10)
    new = NamePatterns(id_find="^a$", id_replace="z").renamed(one)
    assert new.pair == ("1", "b", "1", "z")
    np.testing.assert_array_equal(new.p, POINTS + 10)


def test_consensus_sets_keep_their_tiles():
    data = {"index": 0, "originalPId": "a", "originalQId": "b"}
    one = PointMatches("1", "a_set_0", "1", "b_set_0", POINTS, POINTS, np.ones(2), data)
    new = NamePatterns(id_find="a", id_replace="c").renamed(one)
    assert {new.p_tile_id, new.q_tile_id} == {"b", "c"}
    assert new.pair == ("1", "b_set_0", "1", "c_set_0")


@pytest.mark.parametrize(
    ("find", "replacement", "problem"),
    [
        (None, None, None),
        ("a", "b", None),
        ("(a)", r"\1", None),
        ("a", None, "belong together"),
        ("(", "b", "no regular expression"),
        ("a", r"\2", "no regular expression"),
    ],
)
def test_patterns_are_checked(find, replacement, problem):
    found = pattern_problem(find, replacement)
    assert found is None if problem is None else problem in found
