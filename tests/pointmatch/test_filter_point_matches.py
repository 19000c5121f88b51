import json

import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches, with_weights
from rendermodules.core.sections import Section
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, match_collection, write_matches
from rendermodules.pointmatch import FilterPointMatches

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def moved(x, y):
    return {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} {y}"}


@pytest.fixture
def collection(render, write_stack, tile_spec):
    """Matches of three tiles of two sections: good ones, noisy ones, ones that lead astray, few ones."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (40, 2))
    for z in (9.0, 10.0):
        tiles = [
            tile_spec(f"{name}{z:g}", z, moved(80 * index, 0), width=100.0, height=100.0)
            for index, name in enumerate("abc")
        ]
        write_stack(f"raw{z:g}", Section(z, tiles))
    from rendermodules.module import stacks

    stacks.clone_sections(render, "raw9", "raw", [9.0], {})
    stacks.write_section(render, "raw", stacks.read_section(render, "raw10", 10.0))
    stacks.close_stack(render, "raw")

    def pair(p, q, off, noise=0.1, count=40, weights=None):
        groups = (f"{float(p[1:]):.1f}", f"{float(q[1:]):.1f}")
        noisy = points[:count] + off + rng.normal(0, noise, (count, 2))
        return point_matches((groups[0], p), (groups[1], q), points[:count], noisy, weights)

    found = [
        pair("a9", "b9", (-80, 0)),
        pair("b9", "c9", (-80, 0), noise=9),
        pair("a9", "c9", (-130, 0), count=10),
        pair("a10", "b10", (-80, 0), count=20, weights=np.where(np.arange(20) < 5, 0.0, 1.0)),
        pair("a9", "a10", (0, 0)),
        pair("a9", "z9", (0, 0)),
    ]
    collection = match_collection(render, "found")
    write_matches(collection, found)
    return collection


@pytest.fixture
def run(render_parameters):
    def make(**parameters):
        names = {"input_stack": "raw", "input_collection": "found", "output_collection": "filtered"}
        return FilterPointMatches({"render": render_parameters, **names, **parameters}).run()

    return make


@pytest.fixture
def weights_of(render):
    def read(name="filtered"):
        found = all_matches(match_collection(render, name))
        return {f"{one.p_id}-{one.q_id}": sorted(set(one.weights.tolist())) for one in found}

    return read


def test_bad_pairs_get_weight_0(run, collection, weights_of, tmp_path):
    file = tmp_path / "report.json"
    result = run(pairs="within", resmax=3, transmax=20, filter_output_file=str(file))
    assert weights_of() == {"a10-b10": [0, 1], "a9-b9": [1], "a9-c9": [0], "a9-z9": [0], "b9-c9": [0]}
    assert result["pairs_read"] == result["pairs_written"] == 5
    assert result["dropped"] == {
        "pairs: place of the tiles not known": 1,
        "pairs: too far from where the tiles lie": 1,
        "pairs: too large residual": 1,
    }
    report = json.loads(file.read_text())
    assert [(part["z"], part["pGroupId"], part["resmax"], part["transmax"]) for part in report] == [
        (10.0, "10.0", 3.0, 20.0),
        (9.0, "9.0", 3.0, 20.0),
    ]
    figures = {one["pId"] + "-" + one["qId"]: one for one in report[1]["filter"]}
    assert figures["a9-b9"]["nres"] == pytest.approx(0.14, abs=0.03)
    assert figures["a9-c9"]["translation"] == pytest.approx(30, abs=0.5)
    assert (figures["b9-c9"]["count"], figures["b9-c9"]["weight"]) == (40, 0)
    assert result["filter_output_file"] == str(file)


def test_across_sections_and_selected_z(run, collection, weights_of):
    run(pairs="across")
    assert weights_of() == {"a10-a9": [1]}
    run(z=10, output_collection="ten")
    assert weights_of("ten") == {"a10-b10": [0, 1]}


def test_what_is_rejected_can_be_dropped(run, collection, weights_of, render):
    result = run(resmax=3, min_matches=15, action="drop")
    assert weights_of() == {"a10-a9": [1], "a10-b10": [1], "a9-b9": [1], "a9-z9": [1]}
    assert result["pairs_written"] == 4
    counts = {one.p_id + one.q_id: one.match_count for one in matches.pair_counts(match_collection(render, "filtered"))}
    assert counts["a10b10"] == 15


def test_weights_even_out_pairs_and_rejected_ones_stay_rejected(run, collection, weights_of):
    run(pairs="within", z=9, resmax=3, inverse_weighting=True)
    assert weights_of() == {"a9-b9": [1], "a9-c9": [4], "a9-z9": [1], "b9-c9": [0]}
    run(pairs="within", z=10, reset_weights=True, output_collection="reset")
    assert weights_of("reset") == {"a10-b10": [1]}


def test_single_matches(run, render, write_stack, tile_spec, weights_of):
    write_stack("raw", Section(1.0, [tile_spec(name, 1.0, moved(0, 0)) for name in "ab"]))
    p = np.random.default_rng(0).uniform(0, 100, (50, 2))
    q = p + 3
    q[::10] += 60
    write_matches(match_collection(render, "found"), [point_matches(("1.0", "a"), ("1.0", "b"), p, q)])
    result = run(max_epsilon=2)
    assert result["dropped"] == {"matches: not agreeing": 5}
    assert weights_of() == {"a-b": [0, 1]}
    assert run(max_epsilon=2, points_per_cluster=10, output_collection="c")["dropped"] == {"matches: not agreeing": 5}


def test_in_place_other_pairs_stay(run, collection, weights_of, render):
    (before,) = matches.matches_between_groups(collection, "9.0", "10.0")
    write_matches(collection, [with_weights(before, 0.25)])
    for _ in range(2):
        run(output_collection=None, pairs="within", resmax=3, transmax=20)
        assert weights_of("found")["a10-a9"] == [0.25]
        assert weights_of("found")["b9-c9"] == [0]
        assert len(weights_of("found")) == 6
    assert set(matches.collection_names(render)) == {"found"}


def test_nothing_left(run, collection, weights_of, render):
    with pytest.raises(RenderModuleError, match="no match is left for match collection found of tester"):
        run(output_collection=None, resmax=1e-9, action="drop")
    assert len(weights_of("found")) == 6
    with pytest.raises(RenderModuleError, match="missing of tester does not exist"):
        run(input_collection="missing")
    with pytest.raises(RenderModuleError, match="no section at z 77"):
        run(z=77)


def test_a_dry_run(run, collection, render):
    assert run(dry_run=True)["pairs_read"] == 0
    assert set(matches.collection_names(render)) == {"found"}


def test_workers_make_no_difference(run, collection, render):
    run(resmax=3, transmax=20)
    run(resmax=3, transmax=20, pool_size=2, output_collection="again")
    first, again = (list(all_matches(match_collection(render, name))) for name in ("filtered", "again"))
    for one, other in zip(first, again, strict=True):
        assert one.pair == other.pair
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.p, other.p)


def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(collection, killed_runs):
    runs = killed_runs("pointmatch.filter_point_matches", input_stack="raw", input_collection="found", resmax=3)
    assert len(runs) > 5
    old, new = runs[0][0]["match collection found"], runs[-1][1]["match collection found"]
    assert old != new
    for after_kill, after in runs:
        assert after == runs[-1][1]
        assert after_kill.get("match collection found") in (old, new, None)
