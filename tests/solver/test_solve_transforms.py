import json
import re

import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import parsed_matches
from rendermodules.core.sections import Section, transform_list
from rendermodules.core.solve.report import report_line
from rendermodules.io.tilespecs import read_tilespecs
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.solver import SolveTransforms


@pytest.fixture
def solve(render_parameters):
    def run(**parameters):
        given = {"render": render_parameters, "input_stack": "raw", "match_collections": ["found"], **parameters}
        return SolveTransforms({key: value for key, value in given.items() if value is not None}).run()

    return run


def test_a_montage_is_found_in_every_section(solve, true_stack, sections_of, states, render):
    truth = true_stack()
    result = solve(output_stack="montage")
    errors = truth.errors(sections_of("montage"))
    assert max(errors.section.values()) < 0.1
    assert max(errors.seam.values()) < 0.1
    assert (result["zValues"], result["tile_count"], result["problems"]) == ([99.0, 100.0], 18, [])
    assert [report["used_pair_count"] for report in result["solves"]] == [20, 20]
    assert states("montage") == "COMPLETE"
    assert stacks.stack_metadata(render, "montage")["currentVersion"]["stackResolutionX"] == 4.0


def test_workers_change_nothing(solve, true_stack, sections_of):
    true_stack()
    solve(output_stack="one")
    solve(output_stack="two", pool_size=2)
    assert sections_of("one") == sections_of("two")


def test_all_sections_together(solve, true_stack, sections_of):
    truth = true_stack(sections=3, depth=2, section_rotation=20.0, section_shift=50.0)
    result = solve(output_stack="aligned", solve_type="3D", max_residual=None)
    errors = truth.errors(sections_of("aligned"), "world")
    # ids of sections sort "100.0" before "99.0", so that p is above q in some pairs
    assert max(errors.across.values()) < 0.15
    (report,) = result["solves"]
    assert report["zValues"] == [99.0, 100.0, 101.0]
    assert [one["distance"] for one in report["distances"]] == [0.0, 1.0, 2.0]
    assert sum(one["used_pair_count"] for one in report["distances"]) == report["used_pair_count"]
    assert re.search("residual .* px within sections, .* px over 1 in z, .* px over 2 in z", report_line(report))
    assert report["unconnected_tiles"] == []


def test_depths(solve, true_stack, tmp_path):
    truth = true_stack(sections=3, depth=2)
    across = [one["pGroupId"] != one["qGroupId"] for one in truth.documents]
    apart = {"solve_type": "3D", "depths": [0], "max_unconnected": 1.0}
    (within,) = solve(**apart)["solves"]
    (everything,) = solve(solve_type="3D")["solves"]
    assert (within["used_pair_count"], within["left_out"]) == (across.count(False), [])
    assert everything["used_pair_count"] == len(across)
    # files are read whole
    (tmp_path / "matches.json").write_text(json.dumps(truth.documents))
    files = {"match_files": [str(tmp_path / "matches.json")], "match_collections": None}
    (by_file,) = solve(**apart, **files)["solves"]
    assert by_file["used_pair_count"] == within["used_pair_count"]
    (far,) = by_file["left_out"]
    assert (far["reason"], far["count"]) == ("sections too far apart", across.count(True))


def test_a_lens_is_written_once(solve, true_stack, sections_of):
    truth = true_stack(sections=1, rows=5, columns=5, lens_distortion=4.0, noise=0.05)
    result = solve(output_stack="montage")
    section = sections_of("montage")[99.0]
    (lens,) = section.transforms.values()
    assert lens["metaData"]["labels"] == ["lens"]
    assert all(transform_list(tile)[0] == {"type": "ref", "refId": lens["id"]} for tile in section.tiles)
    assert result["solves"][0]["lenses"][0]["transformId"] == lens["id"]
    assert truth.errors({99.0: section}).seam[99.0] < 0.1
    without = solve(output_stack="bent", lens="none")
    assert without["solves"][0]["lenses"] == []
    assert truth.errors(sections_of("bent")).seam[99.0] > 0.2


def test_matches_in_the_frame_of_the_lens_need_no_other(solve, true_stack, sections_of):
    """Render matches tiles behind their lens correction, so that a stack with one is solved in that frame."""
    truth = true_stack(sections=1, rows=5, columns=5, lens_distortion=4.0, noise=0.05)
    solve(output_stack="montage")
    corrected = sections_of("montage")[99.0]
    result = solve(input_stack="montage", output_stack="again", num_local_transforms=0)
    again = sections_of("again")[99.0]
    assert [len(transform_list(tile)) for tile in again.tiles] == [2] * 25
    assert truth.errors({99.0: again}).seam[99.0] < 0.1
    assert result["solves"][0]["lenses"] == []
    assert again.transforms == corrected.transforms


@pytest.mark.parametrize(("placing", "count"), [("append", 2), ("replace", 1), ("replace_last", 1)])
def test_where_the_solved_transform_goes(solve, true_stack, sections_of, placing, count):
    truth = true_stack(sections=1)
    solve(output_stack="montage", placing=placing)
    section = sections_of("montage")[99.0]
    assert {len(transform_list(tile)) for tile in section.tiles} == {count}
    assert truth.errors({99.0: section}).seam[99.0] < 0.1


@pytest.mark.parametrize(
    "model", ["translation", "rigid", "similarity", "affine", "polynomial", "thin_plate_spline", "rotation"]
)
@pytest.mark.parametrize("placing", ["append", "replace_last"])
def test_every_model(solve, true_stack, sections_of, model, placing):
    truth = true_stack(sections=1, tile_rotation=0.0)
    solve(output_stack="montage", model=model, placing=placing, control_points=[3, 3])
    seam = truth.errors(sections_of("montage")).seam[99.0]
    assert seam < (20.0 if model == "rotation" else 0.15)


def without(tile_number):
    """Return a change of documents that takes the matches of one tile away."""

    def change(document):
        names = (document["pId"], document["qId"])
        return None if any(name.endswith(tile_number) for name in names) else document

    return change


LOST = "_r001_c001"
"""End of the id of the tile in the middle."""


@pytest.mark.parametrize(("unmatched", "off"), [("neighbors", 12.0), ("prior", 40.0)])
def test_a_tile_without_matches_is_reported(solve, true_stack, sections_of, unmatched, off):
    truth = true_stack(sections=1, change=without(LOST), stage_jitter=8.0)
    result = solve(output_stack="montage", unmatched_tiles=unmatched)
    (lost,) = result["solves"][0]["unmatched_tiles"]
    assert lost.endswith(LOST)
    assert result["tile_count"] == 9
    assert any("1 of 9 tiles have no matches" in warning for warning in result["solves"][0]["warnings"])
    assert truth.errors(sections_of("montage")).section[99.0] < off
    old, new = (
        next(tile for tile in sections_of(name)[99.0].tiles if tile["tileId"] == lost) for name in ("raw", "montage")
    )
    assert (transform_list(old) == transform_list(new)) == (unmatched == "prior")


def test_a_tile_without_matches_is_dropped(solve, true_stack, sections_of):
    true_stack(sections=1, change=without(LOST))
    result = solve(output_stack="montage", unmatched_tiles="drop")
    assert result["tile_count"] == len(sections_of("montage")[99.0].tiles) == 8
    assert [name[-len(LOST) :] for name in result["solves"][0]["dropped_tiles"]] == [LOST]


def test_files_in_and_out(solve, true_stack, tmp_path, sections_of):
    truth = true_stack()
    raw = sections_of("raw")
    tiles = {tile["tileId"]: tile for section in raw.values() for tile in section.tiles}
    (tmp_path / "tiles.json").write_text(json.dumps({"tileIdToSpecMap": tiles, "transformIdToSpecMap": {}}))
    half = len(truth.documents) // 2
    for number, part in enumerate((truth.documents[:half], truth.documents[half:])):
        (tmp_path / f"matches_{number}.json").write_text(json.dumps(part))
    files = {
        "render": None,
        "input_stack": None,
        "match_collections": None,
        "tile_files": [str(tmp_path / "tiles.json")],
        "match_files": [str(tmp_path / f"matches_{number}.json") for number in (0, 1)],
    }
    result = solve(**files, output_file=str(tmp_path / "out.json.gz"))
    assert result["tile_count"] == 18
    written = read_tilespecs(str(tmp_path / "out.json.gz"))
    sections = {z: Section(z, [tile for tile in written.tiles if tile["z"] == z]) for z in raw}
    assert max(truth.errors(sections).seam.values()) < 0.1
    solve(output_stack="montage")
    by_stack = {tile["tileId"]: transform_list(tile) for one in sections_of("montage").values() for tile in one.tiles}
    assert by_stack == {tile["tileId"]: transform_list(tile) for tile in written.tiles}


def test_what_is_missing_is_asked_for(solve, render_parameters):
    for parameters in (
        {"input_stack": None},
        {"match_collections": None},
        {"output_stack": "a", "output_file": "b.json"},
        {"control_points": [5]},
        {"degree_factors": [1, 2, 3], "regularization": 1},
        {"degree_factors": [1, 2]},
    ):
        with pytest.raises(marshmallow.ValidationError):
            solve(**parameters)
    with pytest.raises(marshmallow.ValidationError, match="host"):
        solve(render=None)


def test_a_collection_that_is_not_there(solve, true_stack, render):
    true_stack()
    with pytest.raises(RenderModuleError, match="did you mean found"):
        solve(output_stack="montage", match_collections=["fond"])
    assert "montage" not in stacks.stack_names(render)


def test_collections_add_up(solve, true_stack, render, render_parameters):
    truth = true_stack(sections=1)
    found = [parsed_matches(document) for document in truth.documents]
    for name, part in (("even", found[::2]), ("odd", found[1::2])):
        matches.write_matches(matches.match_collection(render, name, "somebody"), part)
    both = solve(match_collections=["even", "odd"], match_owner="somebody")["solves"][0]
    whole = solve()["solves"][0]
    assert both["residual"]["rms"] == pytest.approx(whole["residual"]["rms"])
    twice = solve(match_collections=["found", "found"])["solves"][0]
    assert twice["read_pair_count"] == 2 * whole["read_pair_count"]
    assert (twice["used_pair_count"], twice["used_point_count"]) == (
        whole["used_pair_count"],
        2 * whole["used_point_count"],
    )


def test_wrong_pairs_are_rejected_by_name(solve, true_stack, sections_of):
    wrong = {}

    def change(document):
        if len(wrong) < 2 and document["pId"].endswith(("_r001_c002", "_r002_c003")):
            wrong[document["pId"], document["qId"]] = document
            document["matches"]["q"][0] = [x + 70 for x in document["matches"]["q"][0]]
        return document

    truth = true_stack(sections=1, rows=5, columns=5, change=change)
    result = solve(output_stack="montage")
    rejected = {(one["p"], one["q"]) for one in result["solves"][0]["rejected_pairs"]}
    assert rejected == set(wrong)
    assert truth.errors(sections_of("montage")).seam[99.0] < 0.1


def test_matches_of_unknown_tiles_are_named(solve, true_stack, render):
    true_stack(sections=1)
    document = {"pGroupId": "99.0", "pId": "ghost", "qGroupId": "99.0", "qId": "s0_z0000_r000_c000"}
    points = {"p": [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], "q": [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], "w": [1.0] * 3}
    matches.write_matches(matches.match_collection(render, "found"), [parsed_matches({**document, "matches": points})])
    (lost,) = solve()["solves"][0]["left_out"]
    assert (lost["reason"], lost["count"]) == ("the stack has no such tile", 1)
    assert sorted(lost["pairs"][0]) == ["ghost", "s0_z0000_r000_c000"]


def test_two_sections_in_one_z(solve, true_stack, render, write_stack, sections_of):
    """A section that was imaged in two parts has two section ids."""
    truth = true_stack(sections=1)
    raw = sections_of("raw")[99.0]
    parts = {tile["tileId"]: "99.0" if place < 4 else "99.1" for place, tile in enumerate(raw.tiles)}
    for tile in raw.tiles:
        tile["layout"]["sectionId"] = parts[tile["tileId"]]
    write_stack("parts", raw)
    documents = [{**one, "pGroupId": parts[one["pId"]], "qGroupId": parts[one["qId"]]} for one in truth.documents]
    matches.write_matches(matches.match_collection(render, "of_parts"), list(map(parsed_matches, documents)))
    result = solve(input_stack="parts", match_collections=["of_parts"], output_stack="montage")
    assert result["solves"][0]["used_pair_count"] == len(documents)
    assert truth.errors(sections_of("montage")).seam[99.0] < 0.1


def test_one_tile_stays_where_it_is(solve, true_stack, sections_of):
    true_stack(sections=2, rows=1, columns=1, depth=1)
    result = solve(output_stack="montage")
    assert (result["problems"], result["tile_count"]) == ([], 2)
    assert [transform_list(one.tiles[0]) for one in sections_of("montage").values()] == [
        transform_list(one.tiles[0]) for one in sections_of("raw").values()
    ]


def test_a_section_without_matches_fails_and_the_others_are_solved(solve, true_stack, sections_of, states, tmp_path):
    truth = true_stack(change=lambda one: one if one["pGroupId"] == "100.0" else None)
    report = tmp_path / "report.json"
    with pytest.raises(RenderModuleError, match="z=99.0: 9 of 9 tiles hang on nothing"):
        solve(output_stack="montage", output_json=str(report))
    assert states("montage") == "LOADING"
    assert truth.errors(sections_of("montage")).seam[100.0] < 0.1
    written = json.loads(report.read_text())
    assert len(written["problems"]) == 1
    assert "no matches that a solve can use" in written["solves"][0]["warnings"][0]


def test_limits(solve, true_stack, states, render_parameters):
    true_stack(sections=1)
    for limits, message in (
        ({"max_residual": 0.01}, "the residual is"),
        ({"min_scale": 1.05}, "collapsed"),
        ({"max_scale": 0.95}, "burst"),
    ):
        with pytest.raises(RenderModuleError, match=message):
            solve(output_stack="montage", **limits)
        assert states("montage") == "LOADING"
    none = dict.fromkeys(("max_residual", "min_scale", "max_scale", "max_unconnected", "max_rejected"))
    parameters = {"render": render_parameters, "input_stack": "raw", "match_collections": ["found"], **none}
    assert SolveTransforms({**parameters, "output_stack": "montage"}).run()["problems"] == []
    assert states("montage") == "COMPLETE"


def test_exit_statuses(true_stack, render_parameters, tmp_path):
    true_stack(sections=1)
    parameters = {"render": render_parameters, "input_stack": "raw", "match_collections": ["found"]}
    for more, status in (({}, 0), ({"max_residual": 0.001}, 1), ({"model": "afine"}, 2)):
        file = tmp_path / "parameters.json"
        file.write_text(json.dumps({**parameters, **more}))
        assert SolveTransforms.main(["--input_json", str(file)]) == status


def test_fixed_sections_and_anchors(solve, true_stack, sections_of):
    true_stack(sections=2, depth=1, section_rotation=3.0)
    solve(output_stack="aligned", solve_type="3D", fixed_zValues=[99.0])
    raw, aligned = sections_of("raw"), sections_of("aligned")
    assert aligned[99.0].tiles == raw[99.0].tiles
    assert aligned[100.0].tiles != raw[100.0].tiles
    solve(output_stack="again", solve_type="3D", anchor_stack="aligned", anchor_weight=1000.0)
    places = [
        np.array(
            [float(number) for tile in one[100.0].tiles for number in transform_list(tile)[0]["dataString"].split()]
        )
        for one in (aligned, sections_of("again"), raw)
    ]
    off, moved = (np.abs(places[0] - place).max() for place in places[1:])
    assert off < 1.0 < moved


def test_nothing_is_written_in_a_dry_run_or_without_an_output(solve, true_stack, render):
    true_stack(sections=1)
    before = stacks.stack_names(render)
    dry, no_output = solve(output_stack="montage", dry_run=True), solve()
    assert dry["solves"] == no_output["solves"]
    assert stacks.stack_names(render) == before


@pytest.mark.parametrize("solve_type", ["montage", "3D"])
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(true_stack, killed_runs, solve_type):
    true_stack(depth=1, rows=2, columns=2)
    runs = killed_runs(
        "solver.solve_transforms",
        input_stack="raw",
        output_stack="raw",
        match_collections=["found"],
        solve_type=solve_type,
    )
    *killed, (_, undisturbed) = runs
    assert len(killed) > 3
    for before, after in killed:
        assert after == undisturbed
        assert "raw" in before or f"raw{stacks.REPLACED}" in before


def test_parameters_of_bigfeta(true_stack, render_parameters, sections_of):
    truth = true_stack(sections=2, depth=1)
    place = {"host": render_parameters["host"], "owner": "tester", "project": "example", "db_interface": "render"}
    parameters = {
        "first_section": 99,
        "last_section": 100,
        "solve_type": "3D",
        "transformation": "AffineModel",
        "fullsize_transform": False,
        "output_mode": "stack",
        "n_parallel_jobs": 1,
        "processing_chunk_size": 1,
        "input_stack": {**place, "name": ["raw"], "mongo_host": "nowhere"},
        "output_stack": {**place, "name": ["aligned"], "use_rest": True},
        "pointmatch": {**place, "name": ["found"]},
        "matrix_assembly": {"depth": 1, "npts_min": 5, "npts_max": 500, "cross_pt_weight": 0.5, "inverse_dz": True},
        "regularization": {"default_lambda": 1000.0, "translation_factor": 1e-5},
    }
    result = SolveTransforms(parameters).run()
    assert result["output_stack"] == "aligned"
    assert result["solves"][0]["regularization"] == 1000.0
    assert max(truth.errors(sections_of("aligned")).seam.values()) < 0.15
    args = SolveTransforms(parameters).args
    assert (args["minZ"], args["maxZ"], args["depths"], args["cross_weight"]) == (99, 100, [0, 1], 0.5)
    assert (args["degree_factors"], args["reference"]) == ([1e-5, 1.0], "prior")
    for wrong in ({"output_mode": "hdf5"}, {"assemble_from_file": "a.h5"}, {"transformation": "Affin"}):
        with pytest.raises(marshmallow.ValidationError):
            SolveTransforms({**parameters, **wrong})
