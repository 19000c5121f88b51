"""Solves of sections, and reports of them."""

import numpy as np
import pytest

from rendermodules.core.pointmatches import parsed_matches
from rendermodules.core.sections import Section
from rendermodules.core.solve.match_table import match_table
from rendermodules.core.solve.options import SolveError, SolveOptions
from rendermodules.core.solve.report import SolveLimits, failure_report, limit_problems, report_line, solve_report
from rendermodules.core.solve.stack_solve import StackSolve, solved_stack
from rendermodules.core.solve.tile_table import FrameRule, tile_table
from rendermodules.core.synthetic import SyntheticSettings, section_specs, section_tiles, synthetic_matches

SETTINGS = SyntheticSettings(sections=1, rows=3, columns=4, tile_width=512, tile_height=512, tile_rotation=0.2)
RULE = FrameRule(0, "replace")


def solve(change=lambda document: document, unmatched="neighbors", **options):
    tiles = section_tiles(SETTINGS, 0.0)
    documents = map(change, synthetic_matches(tiles, noise=0.1, count=20).to_json(tiles))
    found = [parsed_matches(document) for document in documents if document is not None]
    request = StackSolve(SolveOptions(**options), RULE, unmatched=unmatched)
    solved = solved_stack(tile_table(section_specs(SETTINGS, 0.0), RULE), match_table(found), request)
    return solved, solve_report(solved, request.options)


def columns(document):
    return {int(document[side][-3:]) for side in ("pId", "qId")}


def test_a_sound_solve_keeps_to_all_limits():
    _, report = solve()
    assert limit_problems(report, SolveLimits(0.5, 0.99, 1.01, 0.0, 0.0)) == []
    assert report["warnings"] == []
    assert report["component_sizes"] == [12]
    assert report_line(report).startswith("12 tiles, 29 pairs, residual 0.1")


def test_parts_that_hang_on_nothing_are_named():
    solved, report = solve(lambda document: None if columns(document) == {1, 2} else document)
    assert report["component_sizes"] == [6, 6]
    assert solved.unconnected.sum() == 6
    assert len(report["unconnected_tiles"]) == 6
    assert report["unmatched_tiles"] == []
    assert any("2 components, of 6, 6 tiles" in warning for warning in report["warnings"])
    assert limit_problems(report, SolveLimits(max_unconnected=0.5)) == []
    assert "6 of 12 tiles hang on nothing" in limit_problems(report, SolveLimits(max_unconnected=0.4))[0]


@pytest.mark.parametrize(("unmatched", "tiles", "dropped"), [("neighbors", 12, 0), ("prior", 11, 0), ("drop", 11, 1)])
def test_a_tile_without_matches(unmatched, tiles, dropped):
    def change(document):
        return None if any(document[side].endswith("r000_c000") for side in ("pId", "qId")) else document

    solved, report = solve(change, unmatched)
    assert len(report["unmatched_tiles"]) == 1
    assert len(solved.transforms.tiles) == tiles
    assert len(report["dropped_tiles"]) == dropped


@pytest.mark.parametrize(("unmatched", "dropped"), [("neighbors", 0), ("drop", 12)])
def test_no_matches_at_all_is_reported(unmatched, dropped):
    solved, report = solve(lambda document: None, unmatched)
    assert solved.solution is None
    assert solved.unconnected.all()
    assert (solved.transforms.tiles, len(solved.transforms.dropped)) == ({}, dropped)
    assert report["warnings"][0].startswith("no matches that a solve can use")
    assert limit_problems(report, SolveLimits(max_unconnected=0.5)) != []
    assert report_line(report) == "12 tiles, 0 pairs"


def test_too_few_points_are_named_by_their_tiles():
    def change(document):
        if columns(document) == {0} and "r000" in document["pId"]:
            document["matches"] = {"p": [[1.0], [2.0]], "q": [[1.0], [2.0]], "w": [1.0]}
        return document

    _, report = solve(change, minimum_points=3)
    (entry,) = report["left_out"]
    assert (entry["reason"], entry["count"]) == ("too few points", 1)
    assert entry["pairs"] == [["s0_z0000_r000_c000", "s0_z0000_r001_c000"]]


def test_wrong_pairs_are_sorted_by_how_wrong_they_are():
    def change(document):
        if columns(document) == {1}:
            document["matches"]["p"][0] = [
                x + (90 if "r000" in document["pId"] else 40) for x in document["matches"]["p"][0]
            ]
        return document

    _, report = solve(change)
    residuals = [one["residual"] for one in report["rejected_pairs"]]
    assert len(residuals) == 2
    assert residuals[0] > residuals[1] > 10
    assert limit_problems(report, SolveLimits(max_rejected=0.05)) == ["2 of 29 pairs contradict the others"]


def test_a_solve_that_failed():
    report = failure_report([3.0], "why not")
    assert limit_problems(report, SolveLimits()) == ["not solved: why not"]


def test_no_tiles():
    with pytest.raises(SolveError, match="no tiles"):
        solved_stack(tile_table(Section(0.0, []), RULE), match_table([]), StackSolve(rule=RULE))


def test_fixed_tiles_keep_their_specs():
    tiles = section_tiles(SETTINGS, 0.0)
    fixed = frozenset({tiles[0].tile_id, tiles[5].tile_id})
    found = [parsed_matches(one) for one in synthetic_matches(tiles, count=20).to_json(tiles)]
    table = tile_table(section_specs(SETTINGS, 0.0), RULE)
    solved = solved_stack(table, match_table(found), StackSolve(rule=RULE, fixed_ids=fixed))
    assert set(table.ids) - solved.transforms.tiles.keys() == fixed
    np.testing.assert_array_equal(solved.solution.matrices[0], table.priors[0])
