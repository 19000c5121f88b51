import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches, with_weights
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import PairCount, match_collection

POINTS = np.array([[0.1, 1 / 3], [200.25, 3e-7], [5, 6]])


@pytest.fixture
def collection(render):
    """Matches within "1000.0" and "999.0" and between them, under ids that Render sorts otherwise than numbers."""
    collection = match_collection(render, "montage")
    pairs = [("1000.0", "b", "1000.0", "a"), ("999.0", "c", "1000.0", "a"), ("999.0", "c", "999.0", "d #?")]
    matches.write_matches(
        collection, [point_matches((pg, p), (qg, q), POINTS, POINTS + 1, [1, 0.5, 0]) for pg, p, qg, q in pairs]
    )
    return collection


def names(found):
    return [(one.p_id, one.q_id) for one in found]


def test_what_is_written_is_read(collection):
    (one,) = matches.matches_between_groups(collection, "999.0", "1000.0")
    # Render's order: "1000.0" before "999.0"
    assert one.pair == ("1000.0", "a", "999.0", "c")
    np.testing.assert_array_equal(one.q, POINTS)
    np.testing.assert_array_equal(one.p, POINTS + 1)
    np.testing.assert_array_equal(one.weights, [1, 0.5, 0])


def test_by_groups(collection):
    assert matches.group_ids(collection) == ["1000.0", "999.0"]
    assert matches.group_ids(collection, "p") == ["1000.0", "999.0"]
    assert names(matches.matches_within_group(collection, "1000.0")) == [("a", "b")]
    assert names(matches.matches_outside_group(collection, "999.0")) == [("a", "c")]
    assert names(matches.matches_with_p_group(collection, "1000.0")) == [("a", "b"), ("a", "c")]
    assert names(matches.all_matches(collection)) == [("a", "b"), ("a", "c"), ("c", "d #?")]
    assert matches.pair_counts(collection, ["999.0"]) == [PairCount("999.0", "c", "999.0", "d #?", 3)]
    assert len(matches.pair_counts(collection)) == 3


def test_writing_replaces_a_pair(collection):
    (one,) = matches.matches_within_group(collection, "999.0")
    assert matches.write_matches(collection, [with_weights(one, 0.25)]) == 1
    assert matches.matches_within_group(collection, "999.0")[0].weights.tolist() == [0.25] * 3
    assert matches.check_exists(collection) == 3


def test_many_points_go_in_several_requests(collection, monkeypatch):
    monkeypatch.setattr(matches, "_POINTS_PER_REQUEST", 4)
    many = [point_matches(("5", "a"), ("5", f"q{index}"), POINTS, POINTS) for index in range(5)]
    assert matches.write_matches(collection, many) == 5
    assert len(matches.matches_within_group(collection, "5")) == 5


def test_removing(collection):
    matches.delete_pair(collection, ("999.0", "d #?"), ("999.0", "c"))
    assert matches.matches_within_group(collection, "999.0") == []
    matches.delete_between_groups(collection, "999.0", "1000.0")
    assert names(matches.all_matches(collection)) == [("a", "b")]
    matches.write_matches(collection, [point_matches(("1000.0", "b"), ("999.0", "x"), POINTS, POINTS)])
    matches.delete_outside_group(collection, "1000.0")
    assert names(matches.all_matches(collection)) == [("a", "b")]
    matches.delete_collection(collection)
    assert not matches.exists(collection)
    matches.delete_collection(collection)


def test_collections_by_owner(collection, render):
    assert matches.collection_names(render) == {"montage": 3}
    assert matches.collection_names(render, "nobody") == {}
    with pytest.raises(RenderModuleError, match="collection montages of tester does not exist; did you mean montage"):
        matches.check_exists(match_collection(render, "montages"))
    with pytest.raises(RenderModuleError, match="there are none"):
        matches.check_exists(match_collection(render, "montage", "nobody"))
    with pytest.raises(RenderModuleError, match="404"):
        matches.matches_within_group(match_collection(render, "other"), "1")


def test_pairs_without_points_are_left_out(collection, render):
    url = f"{render.DEFAULT_HOST}/render-ws/v1/owner/tester/matchCollection/montage/matches"
    render.session.put(url, json=[{"pGroupId": "7", "pId": "a", "qGroupId": "7", "qId": "b"}]).raise_for_status()
    assert matches.matches_within_group(collection, "7") == []


def test_no_matches_make_no_collection(render):
    assert matches.write_matches(match_collection(render, "empty"), []) == 0
    assert matches.collection_names(render) == {}


def test_a_copy_takes_the_place_of_a_collection(collection, render):
    staged = matches.staged_copy(collection)
    matches.write_matches(staged, [point_matches(("1", "new"), ("1", "pair"), POINTS, POINTS)])
    assert not matches.is_half_replaced(collection)
    for _ in range(2):
        matches.put_in_place(collection)
        assert names(matches.all_matches(collection)) == [("new", "pair")]
    assert matches.is_half_replaced(collection)
    matches.delete_replaced(collection)
    assert matches.collection_names(render) == {"montage": 1}


def test_names_that_are_taken(collection, render):
    matches.rename_collection(collection, "other")
    assert set(matches.collection_names(render)) == {"other"}
    with pytest.raises(RenderModuleError, match="renaming match collection other of tester to other failed"):
        matches.rename_collection(match_collection(render, "other"), "other")
