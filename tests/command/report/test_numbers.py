"""The numbers of a report."""

import pytest

from rendermodules.command.report.numbers import Choice, collections_of, num_local_transforms_of, report_numbers
from rendermodules.command.survey import survey
from rendermodules.core.sections import Section
from rendermodules.module.errors import RenderModuleError

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def numbers(project):
    """Function that makes the numbers of the project."""

    def make(**changes):
        choice = Choice(
            **{
                "before": "raw",
                "after": "final",
                "collections": ["m"],
                "limit": 4.0,
                "between_limit": 8.0,
                "num_local_transforms": None,
                "seams": 2,
                **changes,
            }
        )
        return report_numbers(project, survey(project), choice)

    return make


def test_residuals(numbers):
    found = numbers()
    first, second = found.sections
    assert (first.z, second.z) == (1.0, 2.0)
    assert first.within.matches == 2
    assert first.within.mean == pytest.approx(2.5)
    assert first.within.greatest == pytest.approx(5.0)
    assert first.within.above_limit == 0.5
    assert second.within.greatest == 0.0
    assert first.next_z == 2.0
    assert first.between.greatest == 0.0
    assert second.between is None
    assert found.within.figures.matches == 5
    assert found.within.figures.pairs == 3
    assert found.between.figures.mean == 0.0


def test_the_histogram_holds_all(numbers):
    histogram = numbers().within.histogram
    assert sum(histogram.counts) == 5
    assert histogram.counts[0] == 4
    assert histogram.edges[-1] == 8.0
    assert numbers(limit=1.0).within.histogram.counts[-1] == 1
    assert numbers().between.histogram.edges[-1] == 0.08


def test_the_worst_seams_come_first(numbers):
    worst = numbers().within.worst
    assert [(seam.p, seam.q, seam.p_z) for seam in worst][0] == ("a1", "b1", 1.0)
    assert len(worst) == 2
    assert (worst[0].x, worst[0].y) == (19.75, 4.0)
    assert worst[0].q_world.tolist() == [[19.0, 1.0], [22.0, 9.0]]


def test_dropped_tiles_and_where_they_were_lost(numbers):
    first, second = numbers().sections
    assert (first.tiles_before, first.tiles_after) == (3, 2)
    (dropped,) = first.dropped
    assert (dropped.tile_id, dropped.lost_in) == ("c1", "montaged")
    assert "solver.solve" in dropped.reason
    assert second.dropped == []


def test_problems(numbers):
    first, second = numbers().sections
    assert first.problems == ["1 of 3 tiles were dropped", "50% of the matches within the section are above 4 px"]
    assert second.problems == []
    assert [section.z for section in numbers().marked] == [1.0]
    assert numbers().within.limit == 4.0
    assert numbers().between.limit == 8.0
    assert "no matches within the section" in numbers(collections=[]).sections[1].problems


def test_tiles_that_matches_leave_alone(numbers, write_stack, tile_spec, put_matches):
    names = "defghi"
    tiles = [tile_spec(name, 3.0, {"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 0 0"}) for name in names]
    write_stack("more", Section(3.0, tiles), Section(4.0, [tile_spec("single", 4.0)]))
    points = [[1.0, 1.0], [2.0, 5.0]]
    put_matches("joins", *[(("3.0", p), ("3.0", q), points, points) for p, q in ("de", "fg", "gh")])
    third, fourth = numbers(before="more", after="more", collections=["joins"]).sections
    assert (third.unmatched, third.parts) == (["i"], 2)
    assert third.problems == ["1 of 6 tiles have no matches", "its tiles fall into 2 parts that no match joins"]
    # nothing tells that the single tile should have had any
    assert fourth.problems == []
    # the next section may join what the section itself leaves apart, and needs matches itself then
    across = [(("3.0", name), ("4.0", "single"), points, points) for name in "dfi"]
    put_matches("across", *across[:1])
    third, fourth = numbers(before="more", after="more", collections=["joins", "across"]).sections
    assert (third.parts, fourth.parts, fourth.unmatched) == (2, 1, [])
    put_matches("across", *across[1:])
    third, fourth = numbers(before="more", after="more", collections=["joins", "across"]).sections
    assert third.problems == fourth.problems == []


def test_sections_that_are_missing(numbers, write_stack, tile_spec):
    assert numbers().missing == []
    write_stack("one", Section(2.0, [tile_spec("a2", 2.0)]))
    assert numbers(after="one").missing == [1.0]


def test_collections(project):
    found = survey(project)
    assert collections_of(found, found.ancestors("final")) == ["m"]
    assert collections_of(found, found.ancestors("raw")) == ["m", "other"]


def test_local_transforms_are_those_of_the_stack_that_was_matched(project, render_parameters):
    from rendermodules.stack.apply_transform_to_stack import ApplyTransformToStack

    moved = {"input_stack": "final", "output_stack": "moved", "B0": 100.0}
    ApplyTransformToStack(input_data={"render": render_parameters, **moved}).run()
    found = survey(project)
    assert num_local_transforms_of(project, found, "moved", ["m"]) == 0
    assert num_local_transforms_of(project, found, "moved", ["other"]) == 0
    choice = Choice("raw", "moved", ["m"], 4.0, 8.0, 0, 2)
    assert report_numbers(project, found, choice).within.figures.greatest == pytest.approx(5.0)


def test_local_transforms_of_the_parameters_win(project, render_parameters):
    import json

    from rendermodules.stack.manage_stack import ManageStack

    record = {
        "module": "rendermodules.solver.solve",
        "inputs": {"raw": {"currentVersionNumber": 1}},
        "parameters": {"matches": {"collection": "m"}, "num_local_transforms": 3},
    }
    ManageStack(
        input_data={"render": render_parameters, "stacks": ["montaged"], "versionNotes": json.dumps(record)}
    ).run()
    assert num_local_transforms_of(project, survey(project), "final", ["m"]) == 3


def test_a_lens_with_its_label_is_always_local(render, write_stack, tile_spec):
    lens = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": "1 0 0 1 0 0"}
    tile = tile_spec("a", 1.0, {**lens, "metaData": {"labels": ["lens"]}}, lens, lens)
    write_stack("raw", Section(1.0, [tile]))
    assert num_local_transforms_of(render, survey(render), "raw", ["m"]) is None


def test_an_empty_stack(project):
    from rendermodules.module import stacks

    stacks.open_stack(project, "empty", {})
    with pytest.raises(RenderModuleError, match="holds no tile"):
        report_numbers(project, survey(project), Choice("raw", "empty", ["m"], 4.0, 8.0, None, 2))
