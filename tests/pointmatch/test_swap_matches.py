import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, match_collection, write_matches
from rendermodules.pointmatch import SwapMatches

POINTS = np.array([[1.0, 2.0], [30.0, 4.0]])


def pair(p, q, offset):
    (p_group, p_id), (q_group, q_id) = (name.split("/") for name in (p, q))
    return point_matches((p_group, p_id), (q_group, q_id), POINTS, POINTS + offset)


@pytest.fixture
def two(render):
    """Two collections of three sections; "1000.0" sorts before "999.0"."""
    pairs = [("999.0/a", "999.0/b"), ("999.0/a", "1000.0/a"), ("1000.0/a", "1000.0/b"), ("1000.0/a", "1001.0/a")]
    write_matches(match_collection(render, "used"), [pair(p, q, 1) for p, q in pairs])
    again = [pair(p, q, 2) for p, q in pairs[:3]] + [pair("999.0/b", "998.0/x", 2)]
    write_matches(match_collection(render, "again"), again)


@pytest.fixture
def run(render_parameters):
    names = {"source_collection": "used", "target_collection": "again"}
    return lambda **parameters: SwapMatches({"render": render_parameters, **names, **parameters}).run()


@pytest.fixture
def contents(render):
    def read(name):
        found = all_matches(match_collection(render, name))
        return {
            f"{one.p_group_id}/{one.p_id} {one.q_group_id}/{one.q_id}": round(float(np.abs(one.q - one.p).max()))
            for one in found
        }

    return read


def test_sections_change_places_whichever_side_they_are_on(run, two, contents, render):
    result = run(zValues=[999], pool_size=2)
    assert contents("used") == {
        "1000.0/a 1000.0/b": 1,
        "1000.0/a 1001.0/a": 1,
        "1000.0/a 999.0/a": 2,
        "998.0/x 999.0/b": 2,
        "999.0/a 999.0/b": 2,
    }
    assert contents("again") == {"1000.0/a 1000.0/b": 2, "1000.0/a 999.0/a": 1, "999.0/a 999.0/b": 1}
    assert (result["swapped_zs"], result["nonswapped_zs"]) == ([999], [])
    assert (result["pairs_from_source"], result["pairs_from_target"]) == (2, 3)
    assert set(matches.collection_names(render)) == {"used", "again"}


def test_sections_that_one_collection_lacks(run, two, contents):
    result = run(groups=["1000.0", "1001.0", "5"])
    assert result["swapped_groups"] == ["1000.0"]
    assert result["nonswapped_groups"] == ["1001.0", "5"]
    # a pair goes along with the section that is exchanged
    assert contents("again")["1000.0/a 1001.0/a"] == 1
    with pytest.raises(RenderModuleError, match=r"none of the sections 5, 6 is in both"):
        run(groups=["5", "6"])
    assert run(zValues=[999, 7], dry_run=True)["nonswapped_zs"] == [7]


def test_copies(run, two, contents):
    before = contents("used")
    result = run(groups=["999.0"], copy=True)
    assert contents("used") == before
    assert contents("again") == {"1000.0/a 1000.0/b": 2, "1000.0/a 999.0/a": 1, "999.0/a 999.0/b": 1}
    assert (result["pairs_from_source"], result["pairs_from_target"]) == (2, 0)


def test_section_ids_of_a_stack(run, two, write_stack, tile_spec, contents):
    tiles = [tile_spec("t", 4.0, layout={"sectionId": "999.0"}), tile_spec("u", 4.0, layout={"sectionId": "998.0"})]
    write_stack("raw", Section(4.0, tiles))
    result = run(zValues=[4], input_stack="raw")
    assert result["swapped_groups"] == ["999.0"]
    assert (result["swapped_zs"], result["nonswapped_zs"]) == ([], [4])


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "groups"),
        ({"groups": ["1"], "zValues": [1]}, "groups"),
        ({"groups": ["1"], "target_collection": "used"}, "same collection"),
    ],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)


def test_what_is_not_there_and_what_is_left(run, two, render):
    with pytest.raises(RenderModuleError, match="match collection agaim of tester does not exist; did you mean again"):
        run(target_collection="agaim", zValues=[999])
    write_matches(match_collection(render, "used_set_aside"), [pair("1/a", "1/b", 0)])
    with pytest.raises(RenderModuleError, match="used_set_aside of tester is left of a run with other parameters"):
        run(zValues=[999])


def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(two, killed_runs):
    names = {"source_collection": "used", "target_collection": "again", "groups": ["999.0", "1000.0"]}
    runs = killed_runs("pointmatch.swap_matches", **names)
    assert len(runs) > 10
    new = runs[-1][1]
    assert [len(new[f"match collection {name}"]) for name in ("used", "again")] == [4, 4]
    for _, after in runs:
        assert after == new
