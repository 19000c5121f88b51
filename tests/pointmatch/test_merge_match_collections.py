import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, match_collection, write_matches
from rendermodules.pointmatch import MergeMatchCollections

POINTS = np.array([[1.0, 2.0], [30.0, 4.0], [5.0, 60.0]])


def pair(p, q, points=POINTS, weights=None):
    (p_group, p_id), (q_group, q_id) = (name.split("/") for name in (p, q))
    return point_matches((p_group, p_id), (q_group, q_id), points, points + 100, weights)


@pytest.fixture
def collections(render):
    write_matches(match_collection(render, "dapi"), [pair("9-D/a0", "9-D/b0"), pair("9-D/a0", "10-D/a0")])
    psd = [pair("9-P/a1", "9-P/b1", POINTS + 1), pair("9-P/a1", "10-P/a1", POINTS[:1]), pair("11-P/x1", "11-P/y1")]
    write_matches(match_collection(render, "psd", "other"), psd)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: MergeMatchCollections(
        {"render": render_parameters, "output_collection": "merged", **parameters}
    ).run()


@pytest.fixture
def merged(render):
    return lambda name="merged": {one.pair: one for one in all_matches(match_collection(render, name))}


PSD = {
    "collection": "psd",
    "owner": "other",
    "group_find": "-P$",
    "group_replace": "-D",
    "id_find": "1$",
    "id_replace": "0",
}


def test_points_of_a_pair_come_together(run, collections, merged):
    result = run(input_collections=["dapi", PSD])
    found = merged()
    assert set(found) == {
        ("10-D", "a0", "9-D", "a0"),
        ("11-D", "x0", "11-D", "y0"),
        ("9-D", "a0", "9-D", "b0"),
    }
    assert len(found["9-D", "a0", "9-D", "b0"]) == 6
    assert len(found["10-D", "a0", "9-D", "a0"]) == 4
    assert (result["pairs_read"], result["pairs_written"], result["match_count"]) == (5, 3, 13)
    assert result["input_collections"] == ["dapi", "psd"]


def test_channels_of_array_tomography(run, collections, merged):
    run(input_collections=["dapi", {"collection": "psd", "owner": "other"}], reference_channel="D")
    assert {pair: len(one) for pair, one in merged().items()} == {
        ("10-D", "a0", "9-D", "a0"): 4,
        ("11-D", "x0", "11-D", "y0"): 3,
        ("9-D", "a0", "9-D", "b0"): 6,
    }


def test_weights_repetitions_and_caps(run, collections, merged):
    result = run(input_collections=["dapi", {**PSD, "weight": 0.25}], deduplicate=True)
    assert result["dropped"] == {"matches: repeated": 1}
    assert merged()["9-D", "a0", "9-D", "b0"].weights.tolist() == [1, 1, 1, 0.25, 0.25, 0.25]
    # of two matches of the same points the heavier one stays
    assert merged()["10-D", "a0", "9-D", "a0"].weights.tolist() == [1, 1, 1]
    result = run(input_collections=["dapi", PSD], max_points=2, output_collection="few")
    assert result["dropped"] == {"matches: over max_points": 7}
    assert [len(one) for one in merged("few").values()] == [2, 2, 2]


def test_into_one_of_the_collections(run, collections, merged, render):
    run(input_collections="dapi, dapi", output_collection="dapi")
    assert [len(one) for one in merged("dapi").values()] == [6, 6]
    assert set(matches.collection_names(render)) == {"dapi"}


def test_sections_that_fall_together(run, render, merged):
    found = [pair("1a/p", "1b/q"), pair("1b/q", "2/r"), pair("1a/p", "2/r"), pair("1b/q", "1b/p")]
    write_matches(match_collection(render, "parts"), found)
    run(input_collections=[{"collection": "parts", "group_find": "[ab]$", "group_replace": ""}])
    assert {pair: len(one) for pair, one in merged().items()} == {
        ("1", "p", "1", "q"): 6,
        ("1", "p", "2", "r"): 3,
        ("1", "q", "2", "r"): 3,
    }


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"input_collections": []}, "name the collections"),
        ({"input_collections": [{"collection": "a", "id_find": "x"}]}, "belong together"),
        ({"input_collections": [{"collection": "a", "id_find": "(", "id_replace": ""}]}, "no regular expression"),
        ({"input_collections": [{"name": "a"}]}, "collection"),
    ],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)


def test_a_collection_that_is_not_there(run, collections, render):
    with pytest.raises(RenderModuleError, match="match collection daip of tester does not exist; did you mean dapi"):
        run(input_collections=["psd", "daip"][1:])
    assert set(matches.collection_names(render)) == {"dapi"}


def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(collections, killed_runs):
    names = {"input_collections": ["dapi", "dapi"], "output_collection": "dapi"}
    runs = killed_runs("pointmatch.merge_match_collections", **names)
    assert len(runs) > 4
    assert [len(one["matches"]["w"]) for one in runs[-1][1]["match collection dapi"]] == [6, 6]
    for _, after in runs:
        assert after == runs[-1][1]
