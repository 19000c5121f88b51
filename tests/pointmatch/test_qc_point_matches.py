import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.io.pair_files import PairFile, read_pair_files, write_pair_files
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import match_collection, write_matches
from rendermodules.pointmatch import QcPointMatches


def matched(p, q, count):
    points = np.arange(2.0 * count).reshape(count, 2)
    return point_matches((f"{float(p[1:])}", p), (f"{float(q[1:])}", q), points, points)


@pytest.fixture
def stack(write_stack, tile_spec):
    """Sections of z 999 to 1001 with three tiles each."""
    write_stack("raw", *(Section(z, [tile_spec(f"{name}{z:g}", z) for name in "abc"]) for z in (999.0, 1000.0, 1001.0)))


@pytest.fixture
def pairs(tmp_path):
    def record(p, q):
        return {side: {"groupId": f"{float(name[1:])}", "id": name} for side, name in (("p", p), ("q", q))}

    within = [record(f"{p}{z}", f"{q}{z}") for z in (999, 1000, 1001) for p, q in ("ab", "bc")]
    # p of the file is not always the one that Render has first
    across = [record(f"a{z}", f"a{z + 1}") for z in (999, 1000)]
    write_pair_files(tmp_path / "pairs.json", PairFile("template", [*within, *across], {}), 3)
    return str(tmp_path / "pairs.json")


@pytest.fixture
def found(render):
    first = [
        matched("a999", "b999", 9),
        matched("b999", "c999", 3),
        matched("a1000", "b1000", 5),
        matched("b1000", "c1000", 5),
        matched("a999", "a1000", 6),
        matched("a1000", "g1000", 50),
    ]
    write_matches(match_collection(render, "first"), first)
    write_matches(match_collection(render, "second", "other"), [matched("b999", "c999", 2)])


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: QcPointMatches(
        {"render": render_parameters, "input_collections": ["first"], **parameters}
    ).run()


def test_coverage_and_connectivity(run, stack, pairs, found, tmp_path):
    file = tmp_path / "again.json"
    result = run(pairJson=pairs, input_stack="raw", output_pair_file=str(file))
    assert (result["pairs"], result["pairs_matched"], result["pairs_few"], result["pairs_missing"]) == (9, 5, 1, 3)
    sections = {(one["pGroupId"], one["qGroupId"]): one for one in result["sections"]}
    assert list(sections) == [
        ("1000.0", "1000.0"),
        ("1000.0", "1001.0"),
        ("1000.0", "999.0"),
        ("1001.0", "1001.0"),
        ("999.0", "999.0"),
    ]
    assert sections["999.0", "999.0"] == {
        "pGroupId": "999.0",
        "qGroupId": "999.0",
        "pairs": 2,
        "matched": 1,
        "few": 1,
        "missing": 0,
        "match_count": 12,
    }
    (component,) = result["components"]
    assert (component["tile_count"], component["minZ"], component["maxZ"]) == (5, 999, 1000)
    assert component["sections"] == ["1000.0", "999.0"]
    assert result["isolated_tiles"] == ["a1001", "b1001", "c1001", "c999"]
    assert result["sections_without_matches"] == ["1001.0"]
    assert result["unknown_tiles"] == ["g1000"]
    again = read_pair_files(file)
    assert [(pair["p"]["id"], pair["q"]["id"]) for pair in again.pairs] == [
        ("b999", "c999"),
        ("a1001", "b1001"),
        ("b1001", "c1001"),
        ("a1000", "a1001"),
    ]
    assert again.url_template == "template"
    assert result["rerun_pairs"] == 4


def test_several_collections_count_together(run, stack, pairs, found, render):
    write_matches(match_collection(render, "third"), [matched("c999", "b999", 2)])
    result = run(input_collections=["first", "third"], pairJson=pairs, z=999, input_stack="raw")
    assert (result["pairs"], result["pairs_matched"], result["isolated_tiles"]) == (2, 2, [])
    with pytest.raises(RenderModuleError, match="match collection second of tester does not exist"):
        run(input_collections=["first", "second"])


def test_matches_alone(run, found):
    result = run(min_matches=6)
    assert (result["pairs"], result["pairs_missing"]) == (6, 0)
    assert [one["tile_count"] for one in result["components"]] == [4]
    assert result["isolated_tiles"] == ["b1000", "c1000", "c999"]
    assert result["unknown_tiles"] == []


def test_thresholds_make_the_run_fail_after_it_has_reported(run, stack, pairs, found, tmp_path):
    output = tmp_path / "out.json"
    parameters = {"pairJson": pairs, "input_stack": "raw", "output_json": str(output)}
    with pytest.raises(RenderModuleError, match=r"1000\.0 and 1001\.0: 0 of 1, 1001\.0 and 1001\.0: 0 of 2"):
        run(**parameters, min_matched_fraction=0.5)
    assert json.loads(output.read_text())["pairs_missing"] == 3
    with pytest.raises(RenderModuleError, match="fall into 5 parts"):
        run(**parameters, max_components=4)
    assert run(**parameters, max_components=5)["pairs"] == 9


def test_sections_of_single_tiles(run, stack, found, write_stack, tile_spec):
    assert run(input_stack="raw", single_tiles=True)["sections_with_several_tiles"] == ["1000.0", "1001.0", "999.0"]
    write_stack("scapes", Section(999.0, [tile_spec("only", 999.0)]))
    assert run(input_stack="scapes", single_tiles=True)["sections_with_several_tiles"] == []


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"input_collections": []}, "name the collections"),
        ({"output_pair_file": "a.json"}, "output_pair_file"),
        ({"max_components": 1}, "input_stack"),
    ],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)
