import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.sections import transform_list
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.stitching import StitchSection


@pytest.fixture
def stitch(render_parameters):
    def run(**parameters):
        given = {"render": render_parameters, "input_stack": "raw", "output_stack": "montage", **parameters}
        return StitchSection(given).run()

    return run


def test_tiles_are_found_by_their_images(stitch, true_stack, sections_of, render):
    truth = true_stack(sections=2)
    result = stitch(output_collection="found")
    errors = truth.errors(sections_of("montage"))
    assert max(errors.seam.values()) < 0.15
    assert max(errors.section.values()) < 0.15
    assert (result["problems"], result["tile_count"]) == ([], 12)
    assert stacks.stack_metadata(render, "montage")["currentVersion"]["stackResolutionX"] == 4.0
    for report in result["solves"]:
        assert report["used_pair_count"] == report["matching"]["matched_pair_count"] == 11
        assert report["matching"]["methods"] == {"correlation": 11}
        assert report["residual"]["rms"] < 0.2
    kept = list(matches.all_matches(matches.match_collection(render, "found")))
    assert len(kept) == 22
    assert sum(map(len, kept)) == sum(report["matching"]["match_count"] for report in result["solves"])


def test_workers_and_threads_change_nothing(stitch, true_stack, sections_of):
    true_stack()
    stitch()
    stitch(output_stack="threads", pool_size=2)
    assert sections_of("montage") == sections_of("threads")


def test_a_lens_is_found(stitch, true_stack, sections_of):
    truth = true_stack(rows=3, columns=3, lens_distortion=3.0)
    result = stitch()
    assert truth.errors(sections_of("montage")).seam[5.0] < 0.15
    (lens,) = result["solves"][0]["lenses"]
    assert lens["largest_displacement"] == pytest.approx(3.0, abs=0.5)
    assert stitch(output_stack="bent", lens="none")["solves"][0]["residual"]["rms"] > 0.3
    assert truth.errors(sections_of("bent")).seam[5.0] > 0.3


def test_a_stack_with_a_lens_is_stitched_behind_it(stitch, true_stack, sections_of):
    truth = true_stack(rows=3, columns=3, lens_distortion=3.0)
    stitch()
    stitch(input_stack="montage", output_stack="again")
    first, again = sections_of("montage")[5.0], sections_of("again")[5.0]
    assert [transform_list(tile)[0] for tile in again.tiles] == [transform_list(tile)[0] for tile in first.tiles]
    assert truth.errors({5.0: again}).seam[5.0] < 0.15


def test_a_missing_tile_does_not_matter(stitch, true_stack, sections_of):
    truth = true_stack(
        rows=3, columns=3, change=lambda tile, image: None if (tile.row, tile.column) == (1, 1) else image
    )
    result = stitch()
    assert (result["tile_count"], result["problems"]) == (8, [])
    assert truth.errors(sections_of("montage")).placed[5.0] == 8
    assert result["solves"][0]["residual"]["rms"] < 0.2


def test_blank_tiles_are_reported(stitch, true_stack, sections_of, caplog):
    def change(tile, image):
        return np.full_like(image, 128) if tile.column == 2 and tile.row == 0 else image

    truth = true_stack(change=change)
    caplog.set_level("INFO")
    result = stitch()
    (report,) = result["solves"]
    assert len(report["unmatched_tiles"]) == 1
    assert {one["reason"].split(":")[0] for one in report["matching"]["dropped"]} == {"correlation"}
    assert "8 of 11 pairs of tiles that overlap match (not: 3 correlation: flat" in caplog.text
    # it moves with those about it
    assert truth.errors(sections_of("montage")).placed[5.0] == 6


def test_a_section_of_blank_tiles_fails_and_says_so(stitch, true_stack, tmp_path, render):
    true_stack(sections=2, change=lambda tile, image: np.full_like(image, 77) if tile.z == 5.0 else image)
    with pytest.raises(RenderModuleError, match="z=5.0: 6 of 6 tiles hang on nothing.*z=5.0: .* turned or mirrored"):
        stitch(output_json=str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["solves"][0]["matching"]["matched_pair_count"] == 0
    assert report["solves"][1]["residual"]["rms"] < 0.2
    assert stacks.stack_metadata(render, "montage")["state"] == "LOADING"


def test_tiles_that_do_not_overlap(stitch, true_stack):
    true_stack(overlap=0.0, stage_jitter=0.0)
    with pytest.raises(RenderModuleError, match="hang on nothing.*positions in pixels"):
        stitch()


def test_one_tile(stitch, true_stack, sections_of):
    true_stack(rows=1, columns=1)
    result = stitch()
    assert (result["problems"], result["tile_count"]) == ([], 1)
    assert transform_list(sections_of("montage")[5.0].tiles[0]) == transform_list(sections_of("raw")[5.0].tiles[0])


def test_a_texture_that_repeats_does_not_mislead(stitch, true_stack, sections_of):
    """A grid of dots fits in many places; the images about it tell the right one, or nothing does."""
    rows, columns = np.mgrid[0:288, 0:320]
    dots = 60 * ((rows % 24 < 6) & (columns % 24 < 6))

    def change(tile, image):
        return np.clip(image.astype(int) // 2 + dots, 0, 255).astype(np.uint8)

    truth = true_stack(change=change)
    try:
        stitch()
    except RenderModuleError:
        return
    assert truth.errors(sections_of("montage")).seam[5.0] < 0.5


def test_what_names_parts_of_tiles_is_refused(stitch):
    with pytest.raises(marshmallow.ValidationError, match="no stack has"):
        stitch(matchFilter="CONSENSUS_SETS")


def test_images_that_cannot_be_read_are_named(stitch, true_stack, tmp_path):
    true_stack()
    name = "s0_z0000_r000_c000"
    (tmp_path / f"{name}.tif").write_bytes(b"no image")
    with pytest.raises(RenderModuleError, match=f"image cannot be read .*{name}.tif"):
        stitch(output_json=str(tmp_path / "report.json"))
    (report,) = json.loads((tmp_path / "report.json").read_text())["solves"]
    assert report["unmatched_tiles"] == [name]
    assert report["residual"]["rms"] < 0.2


def test_nothing_is_written_in_a_dry_run(stitch, true_stack, render):
    true_stack(rows=1, columns=2)
    before = stacks.stack_names(render)
    assert stitch(dry_run=True, output_collection="found")["solves"][0]["used_pair_count"] == 1
    assert stacks.stack_names(render) == before
    assert not matches.exists(matches.match_collection(render, "found"))


def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(true_stack, killed_runs):
    true_stack(rows=1, columns=2, sections=2)
    *killed, (_, undisturbed) = killed_runs("stitching.stitch_section", input_stack="raw", output_stack="montage")
    assert len(killed) > 3
    assert all(after == undisturbed for _, after in killed)


def test_real_micrographs(stitch, shared_folder, render_parameters, sections_of):
    """Four neighbouring tiles of a transmission electron microscope, whose stage is off by up to 60 pixels."""
    from rendermodules.dataimport import ImportImageDirectory

    positions = shared_folder / "data" / "em_2x2" / "nominal.json"
    ImportImageDirectory({"render": render_parameters, "positions_file": str(positions), "output_stack": "raw"}).run()
    (report,) = stitch()["solves"]
    assert report["used_pair_count"] >= 4
    assert report["matching"]["match_count"] >= 300 * report["used_pair_count"]
    assert report["residual"]["rms"] < 0.3
    # where they came to lie is where the stage says, but for its error
    raw, montage = (sections_of(name)[0.0] for name in ("raw", "montage"))
    for old, new in zip(raw.tiles, montage.tiles, strict=True):
        assert max(abs(old[edge] - new[edge]) for edge in ("minX", "minY", "maxX", "maxY")) < 60
