import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import CollectionId, Points
from rendermodules.render_ws.store import matches
from rendermodules.render_ws.store.database import Database, database_at
from rendermodules.render_ws.store.match_points import packed_points, unpacked_points
from rendermodules.render_ws.store.matches import Canvas

M = "/owner/owner/matchCollection/m"


def pair(p, q, *points, w=None):
    """Matches of (group, id) with (group, id), at points ((px, py), (qx, qy))."""
    sides = [[[float(side[axis]) for side in (point[k] for point in points)] for axis in (0, 1)] for k in (0, 1)]
    weights = [1.0] * len(points) if w is None else w
    names = {"pGroupId": p[0], "pId": p[1], "qGroupId": q[0], "qId": q[1]}
    return {**names, "matches": {"p": sides[0], "q": sides[1], "w": weights}}


def names(pairs):
    return [(one["pGroupId"], one["pId"], one["qGroupId"], one["qId"]) for one in pairs]


def test_pairs_are_kept_in_the_order_of_their_names(client):
    client.ok("PUT", f"{M}/matches", [pair(("999.0", "a"), ("1000.0", "b"), ((1, 2), (3, 4)))])
    client.ok("PUT", f"{M}/matches", [pair(("1.0", "y"), ("1.0", "x"), ((5, 6), (7, 8)))])
    (swapped,) = client.ok("GET", f"{M}/group/999.0/matchesWith/1000.0")
    assert names([swapped]) == [("1000.0", "b", "999.0", "a")]
    assert swapped["matches"] == {"p": [[3.0], [4.0]], "q": [[1.0], [2.0]], "w": [1.0]}
    assert swapped["matchCount"] == 1
    assert names(client.ok("GET", f"{M}/group/1.0/matchesWithinGroup")) == [("1.0", "x", "1.0", "y")]
    # by UTF-16 units, as Java compares: the pair of the emoji lies before the private character
    client.ok("PUT", f"{M}/matches", [pair(("\ue000", "a"), ("😀", "b"), ((1, 1), (2, 2)))])
    assert names(client.ok("GET", f"{M}/pGroup/😀/matches")) == [("😀", "b", "\ue000", "a")]


def test_every_question_about_pairs(client):
    a, b, c, d = ("1.0", "a"), ("1.0", "b"), ("2.0", "c"), ("3.0", "d")
    point = ((1, 2), (3, 4))
    client.ok("PUT", f"{M}/matches", [pair(*two, point) for two in ((a, b), (a, c), (c, d), (b, c))])
    questions = {
        "group/1.0/matchesWithinGroup": [(a, b)],
        "group/1.0/matchesOutsideGroup": [(a, c), (b, c)],
        "group/2.0/matchesOutsideGroup": [(a, c), (b, c), (c, d)],
        "group/2.0/matchesWith/1.0": [(a, c), (b, c)],
        "group/1.0/id/a/matchesWith/2.0": [(a, c)],
        "group/2.0/id/c/matchesWith/1.0/id/b": [(b, c)],
        "group/2.0/id/c": [(a, c), (b, c), (c, d)],
        "pGroup/1.0/matches/": [(a, b), (a, c), (b, c)],
        "pGroup/3.0/matches": [],
        "group/9.0/matchesWithinGroup": [],
    }
    for question, expected in questions.items():
        found = client.ok("GET", f"{M}/{question}")
        assert names(found) == [(*p, *q) for p, q in expected], question
    assert client.ok("GET", f"{M}/groupIds") == ["1.0", "2.0", "3.0"]
    assert client.ok("GET", f"{M}/pGroupIds") == ["1.0", "2.0"]
    assert client.ok("GET", f"{M}/qGroupIds") == ["1.0", "2.0", "3.0"]
    assert client.ok("GET", "/owner/owner/matchCollections") == [
        {"collectionId": {"owner": "owner", "name": "m"}, "pairCount": 4}
    ]
    assert "matches" not in client.ok("GET", f"{M}/pGroup/1.0/matchCounts")[0]


def test_putting_again_replaces_and_counts_stay_right(client):
    first, second = (
        pair(("1", "a"), ("2", "b"), ((1, 1), (2, 2))),
        pair(("2", "b"), ("1", "a"), ((7, 7), (8, 8)), ((9, 9), (1, 1))),
    )
    for _ in range(2):
        client.ok("PUT", f"{M}/matches", [first, second])
    (found,) = client.ok("GET", f"{M}/group/1/id/a")
    assert (found["matchCount"], found["matches"]["p"]) == (2, [[8.0, 1.0], [8.0, 1.0]])
    assert client.ok("GET", "/owner/owner/matchCollections")[0]["pairCount"] == 1
    client.ok("PUT", f"{M}/matches", client.ok("GET", f"{M}/group/1/id/a"))
    assert client.ok("GET", f"{M}/group/1/id/a") == [found]
    client.ok("DELETE", f"{M}/group/2/matchesWith/1")
    assert client.ok("GET", "/owner/owner/matchCollections")[0]["pairCount"] == 0
    assert client.ok("GET", f"{M}/groupIds") == []


def test_collections_appear_with_their_first_pair_and_go_by_name(client):
    client.ok("PUT", f"{M}/matches", [])
    assert client.status("GET", f"{M}/groupIds") == 404
    client.ok("PUT", f"{M}/matches", [pair(("1", "a"), ("2", "b"), ((1, 1), (2, 2)))])
    client.ok("PUT", f"{M}/collectionId", {"owner": "other", "name": "n"})
    assert client.ok("GET", "/matchCollectionOwners") == ["other"]
    moved = "/owner/other/matchCollection/n"
    assert len(client.ok("GET", f"{moved}/group/1/id/a")) == 1
    client.ok("DELETE", moved)
    assert [client.status("GET", f"{moved}/groupIds"), client.status("DELETE", moved)] == [404, 404]
    assert client.ok("GET", "/matchCollectionOwners") == []


def test_collections_are_merged_on_demand(client):
    other = M[:-1] + "n"
    client.ok("PUT", f"{M}/matches", [pair(("1", "a"), ("2", "b"), ((1, 1), (2, 2)))])
    client.ok(
        "PUT",
        f"{other}/matches",
        [pair(("1", "a"), ("2", "b"), ((3, 3), (4, 4)), w=[0.5]), pair(("1", "a"), ("0", "c"), ((5, 5), (6, 6)))],
    )
    found = client.ok("GET", f"{M}/group/1/id/a?mergeCollection=n&mergeCollection=n&mergeCollection=m")
    assert names(found) == [("0", "c", "1", "a"), ("1", "a", "2", "b")]
    assert found[1]["matches"] == {"p": [[1.0, 3.0], [1.0, 3.0]], "q": [[2.0, 4.0], [2.0, 4.0]], "w": [1.0, 0.5]}
    assert found[1]["matchCount"] == 2
    assert client.status("GET", f"{M}/group/1/id/a?mergeCollection=none") == 404


@pytest.mark.parametrize(
    "broken",
    [
        {"pGroupId": "1"},
        {**pair(("1", "a"), ("2", "b"), ((1, 1), (2, 2))), "pId": None},
        {**pair(("1", "a"), ("2", "b")), "matches": {"p": [[1]], "q": [[1]], "w": [1]}},
        {**pair(("1", "a"), ("2", "b")), "matches": {"p": [["x"], [1]], "q": [[1], [1]], "w": [1]}},
        {**pair(("1", "a"), ("2", "b")), "matches": {"p": [[1], [1]]}},
        pair(("1", "a\0b"), ("2", "b"), ((1, 1), (2, 2))),
        "no object",
    ],
)
def test_broken_pairs_are_refused_whole(client, broken):
    good = pair(("1", "a"), ("2", "b"), ((1, 1), (2, 2)))
    assert client.status("PUT", f"{M}/matches", [good, broken]) == 400
    assert client.status("GET", f"{M}/groupIds") == 404


numbers = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(numbers, max_size=5)


@given(st.lists(rows, min_size=5, max_size=5))
@settings(deadline=None, max_examples=60)
def test_points_come_back_to_the_last_bit_whatever_their_lengths(lists):
    points = Points(lists[0:2], lists[2:4], lists[4])
    back = unpacked_points(packed_points(points))
    assert [list(row) for row in (*back.p, *back.q, back.w)] == lists


def test_weights_of_one_take_no_space():
    ones = Points([[1.0] * 9] * 2, [[2.0] * 9] * 2, [1.0] * 9)
    assert len(packed_points(ones)) == 24 + 8 * 36
    assert unpacked_points(packed_points(ones)).w.tolist() == [1.0] * 9
    with pytest.raises(InvalidRequest, match="finite"):
        packed_points(Points([[np.inf], [0.0]], [[0.0], [0.0]], [1.0]))


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_arrays_lie_as_compiled_programs_want_them(weight):
    arrays = unpacked_points(packed_points(Points([[1.0] * 3] * 2, [[2.0] * 3] * 2, [weight] * 3)))
    assert all(array.flags.aligned and array.flags.c_contiguous for array in arrays)
    assert not any(array.flags.writeable for array in arrays)


def test_arrays_for_programs_in_this_process(client, store):
    client.ok("PUT", f"{M}/matches", [pair(("1", "a"), ("2", "b"), ((1, 2), (3, 4)), ((5, 6), (7, 8)))])
    database = Database(store)
    key = matches.get_collection_key(database.connection, CollectionId("owner", "m"))
    ((p, q, points),) = matches.get_point_arrays(database.connection, key, matches.p_group("1"))
    database.close()
    assert (p, q) == (("1", "a"), ("2", "b"))
    np.testing.assert_array_equal(points.p, [[1, 5], [2, 6]])
    np.testing.assert_array_equal(points.q, [[3, 7], [4, 8]])


def test_deleted_collections_are_swept_by_later_writes(client, store, monkeypatch):
    monkeypatch.setattr(matches.sweep_pairs, "__defaults__", (3,))
    client.ok("PUT", f"{M}/matches", [pair(("1", f"a{i}"), ("2", "b"), ((1, 1), (2, 2))) for i in range(8)])
    client.ok("DELETE", M)
    other = M[:-1] + "n"
    left = []
    for i in range(3):
        client.ok("PUT", f"{other}/matches", [pair(("1", "a"), ("2", f"b{i}"), ((1, 1), (2, 2)))])
        database = Database(store)
        left.append(database.connection.execute("SELECT COUNT(*) FROM match_pair").fetchone()[0] - i - 1)
        database.close()
    assert left == [2, 0, 0]


@pytest.mark.parametrize(
    "selection",
    [
        matches.within_group("a"),
        matches.outside_group("a"),
        matches.p_group("a"),
        matches.between_groups("a", "b"),
        matches.involving(Canvas("a", "b")),
        matches.between_canvas_and_group(Canvas("a", "b"), "c"),
        matches.between_canvases(Canvas("a", "b"), Canvas("c", "d")),
    ],
)
def test_no_question_reads_the_whole_collection(store, selection):
    plan = database_at(store).connection.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM match_pair WHERE {selection.where}", (1, 2, 3, 4, 5)
    )
    steps = [row[3] for row in plan]
    assert any("_group=?" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") or step.endswith("(collection_id=?)")]
