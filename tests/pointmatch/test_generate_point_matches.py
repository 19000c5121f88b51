import json
from pathlib import Path

import marshmallow
import numpy as np
import pytest

from rendermodules.core.estimation import fitted_model, transformed
from rendermodules.core.pointmatches import canvas_matches, point_matches
from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.io.images import write_image
from rendermodules.io.pair_files import PairFile, read_pair_files, render_parameters_template, write_pair_files
from rendermodules.io.paths import path_of_url, url_of_path
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, collection_names, match_collection, write_matches
from rendermodules.pointmatch import CreateTilepairs, GeneratePointMatches

MONTAGE = SyntheticSettings(sections=1, rows=2, columns=2, tile_width=320, tile_height=320, overlap=0.2)
SERIES = SyntheticSettings(sections=2, rows=1, columns=1, tile_width=512, tile_height=512, section_rotation=3.0)
LENS = SyntheticSettings(
    sections=1, rows=1, columns=2, tile_width=384, tile_height=384, overlap=0.25, lens_distortion=6.0, deformation=0.0
)


@pytest.fixture
def paired(render_parameters, write_stack, pictured, tmp_path):
    """Function that writes a stack of synthetic sections and the file of its pairs."""

    def write(settings, name="acquired", placement="nominal", **parameters):
        write_stack(name, *pictured(settings, placement))
        file = str(tmp_path / f"{name}.json")
        CreateTilepairs({"render": render_parameters, "input_stack": name, "tile_pair_file": file, **parameters}).run()
        return file

    return write


@pytest.fixture
def run(render_parameters):
    def make(file, **parameters):
        return GeneratePointMatches(
            {"render": render_parameters, "pairJson": file, "output_collection": "found", **parameters}
        ).run()

    return make


@pytest.fixture
def found(render):
    return lambda name="found": list(all_matches(match_collection(render, name)))


def bytes_of(matches):
    return json.dumps([canvas_matches(one) for one in matches])


def pair_file(path, pairs, stack="acquired"):
    records = [
        {side: {"groupId": group, "id": name} for side, (group, name) in zip("pq", pair, strict=True)} for pair in pairs
    ]
    template = render_parameters_template("tester", "example", stack)
    write_pair_files(path, PairFile(template, records, {}), 1000)
    return str(path)


def test_a_montage(run, paired, found, true_errors):
    result = run(paired(MONTAGE))
    matches = found()
    assert len(matches) == result["pairs_matched"] == result["pairCount"] == 4
    assert result["collectionId"] == {"owner": "tester", "name": "found"}
    assert result["methods"] == {"correlation": 4}
    assert result["match_count"] == sum(map(len, matches))
    assert min(map(len, matches)) > 100
    assert result["num_local_transforms"] == 0
    assert result["dropped"] == {}
    assert result["poor_sections"] == []
    errors = true_errors(MONTAGE, matches)
    assert np.sqrt(np.square(errors).mean()) < 0.1
    assert errors.max() < 0.6


def test_features_alone_in_strips(run, paired, found, true_errors):
    result = run(paired(MONTAGE), method="sift", clipWidth=90, clipHeight=90, matchMaxNumInliers=60)
    assert result["methods"] == {"features": 4}
    assert result["match_count"] <= 240
    for one in found():
        assert max(len(one), 10) <= 60
    assert np.median(true_errors(MONTAGE, found())) < 0.5


@pytest.mark.parametrize("scale", [0.5, 0.35])
def test_coordinates_are_those_of_the_full_scale(run, paired, found, true_errors, scale):
    run(paired(MONTAGE), renderScale=scale)
    errors = true_errors(MONTAGE, found())
    assert np.median(errors) < 0.3
    # a bias of half a pixel of the reduced image would show in all directions alike only if both ends had it
    assert errors.max() < 2.5


def test_levels_of_pyramids_are_read(run, render, paired, found, pictured, write_stack, true_errors, tmp_path):
    from rendermodules.core.resampling import halved
    from rendermodules.io.images import read_image

    file = paired(MONTAGE)
    (section,) = pictured(MONTAGE)
    reduced = []
    for tile in section.tiles:
        small = halved(read_image(tile["mipmapLevels"]["0"]["imageUrl"]))
        write_image(tmp_path / f"{tile['tileId']}_1.tif", small)
        # level 0 is a file that is not there
        levels = {
            "0": {"imageUrl": f"file:///nowhere/{tile['tileId']}.tif"},
            "1": {"imageUrl": url_of_path(tmp_path / f"{tile['tileId']}_1.tif")},
        }
        reduced.append({**tile, "mipmapLevels": levels})
    write_stack("reduced", Section(section.z, reduced))
    run(file, input_stack="reduced", renderScale=0.5)
    assert np.median(true_errors(MONTAGE, found())) < 0.3
    with pytest.raises(RenderModuleError, match="3 images cannot be read"):
        run(file, input_stack="reduced")


def test_sections_that_are_turned_and_moved(run, paired, found, true_errors):
    file = paired(SERIES, zNeighborDistance=1, explicitRadius=2000)
    result = run(file, searchRadius=10)
    assert result["pairs_matched"] == 1
    assert np.median(true_errors(SERIES, found())) < 6
    by_features = run(file, method="sift", output_collection="features")
    assert by_features["methods"] == {"features": 1}
    assert np.median(true_errors(SERIES, found("features"))) < 8
    with pytest.raises(RenderModuleError, match="less than 0.25 of the pairs"):
        run(file, method="sift", search="near", maxOffset=1, output_collection="near")


def test_after_a_lens_correction(run, paired, found, pictured, render):
    from rendermodules.core.match_frames import match_frame

    file = paired(LENS, placement="true")
    result = run(file)
    assert result["num_local_transforms"] == 1
    (section,) = pictured(LENS, "true")
    frames = {tile["tileId"]: match_frame(tile, section.transforms) for tile in section.tiles}
    (one,) = found()
    off = frames[one.p_id].placing.apply(one.p) - frames[one.q_id].placing.apply(one.q)
    # the placement is true, so that matches in the right frame meet
    assert np.sqrt(np.square(off).sum(axis=1).mean()) < 0.1
    raw = run(file, num_local_transforms=0, output_collection="raw")
    assert raw["num_local_transforms"] == 0
    (one,) = found("raw")
    shared = section.transforms
    whole = {tile["tileId"]: match_frame(tile, shared, 0).placing for tile in section.tiles}
    off = whole[one.p_id].apply(one.p) - whole[one.q_id].apply(one.q)
    assert np.sqrt(np.square(off).sum(axis=1).mean()) < 0.3


def test_images_from_the_service(run, paired, found, true_errors, pictured):
    from rendermodules.core.match_frames import match_frame

    file = paired(MONTAGE)
    assert run(file, image_source="service")["methods"] == {"correlation": 4}
    assert np.median(true_errors(MONTAGE, found())) < 0.15
    lens = paired(LENS, "lens", placement="true")
    run(lens, image_source="service", output_collection="lens")
    (section,) = pictured(LENS, "true")
    frames = {tile["tileId"]: match_frame(tile, section.transforms) for tile in section.tiles}
    (one,) = found("lens")
    off = frames[one.p_id].placing.apply(one.p) - frames[one.q_id].placing.apply(one.q)
    assert np.sqrt(np.square(off).sum(axis=1).mean()) < 0.2


def test_the_result_does_not_depend_on_workers_or_order(run, paired, found, tmp_path, monkeypatch):
    file = paired(MONTAGE)
    monkeypatch.setattr("rendermodules.pointmatch.generate_point_matches._SMALLEST_BATCH", 1)
    parameters = {"matchMaxNumInliers": 30, "method": "sift"}
    run(file, **parameters)
    backwards = read_pair_files(file)
    turned = [{"p": pair["q"], "q": pair["p"]} for pair in backwards.pairs[::-1]]
    write_pair_files(tmp_path / "turned.json", PairFile(backwards.url_template, turned, {}), 2)
    run(str(tmp_path / "turned.json"), **parameters, pool_size=2, output_collection="again")
    assert bytes_of(found()) == bytes_of(found("again"))
    run(file, **parameters, seed=1, output_collection="other")
    assert bytes_of(found()) != bytes_of(found("other"))


def test_features_are_kept_in_files(run, paired, found, tmp_path):
    file = paired(MONTAGE)
    run(file, method="sift", feature_dir=str(tmp_path / "features"))
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "features").rglob("*.npz")}
    assert len(files) == 8
    run(file, method="sift", feature_dir=str(tmp_path / "features"), output_collection="again", matchMaxTrust=4)
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "features").rglob("*.npz")}


def test_pairs_that_cannot_be_matched_are_told(run, paired, found, render, tmp_path, write_stack, tile_spec, caplog):
    file = paired(MONTAGE)
    names = sorted({side["id"] for pair in read_pair_files(file).pairs for side in (pair["p"], pair["q"])})
    canvases = [("0.0", name) for name in names]
    pairs = [
        (canvases[0], canvases[1]),
        (canvases[1], canvases[0]),
        (canvases[0], canvases[0]),
        (canvases[0], ("0.0", "unknown")),
    ]
    # an earlier run believed in the pair with the tile that is unknown now
    old = point_matches(canvases[0], ("0.0", "unknown"), np.zeros((3, 2)), np.zeros((3, 2)))
    write_matches(match_collection(render, "found"), [old])
    dropped_file = tmp_path / "dropped.json"
    caplog.set_level("INFO")
    result = run(pair_file(tmp_path / "pairs.json", pairs), dropped_pair_file=str(dropped_file))
    assert result["dropped"] == {"repeated": 1, "of a tile with itself": 1, "tile not in the stack": 1}
    assert "1 of 2 pairs" in caplog.text
    assert [one.q_id for one in found()] == [names[1]]
    (record,) = read_pair_files(dropped_file).pairs
    assert (record["q"]["id"], record["reason"]) == ("unknown", "tile not in the stack")


def blank_and_repeating(tmp_path):
    blank = np.full((300, 300), 120, np.uint8)
    steps = np.arange(300)
    waves = (128 + 60 * np.sin(steps / 3)[:, None] * np.sin(steps / 4)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (2, 300, 300)).astype(np.uint8)
    for name, image in (("blank", blank), ("waves", waves), ("noise0", noise[0]), ("noise1", noise[1])):
        write_image(tmp_path / f"{name}.tif", image)


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        (("blank", "blank"), "correlation: flat; features: too few candidates agree"),
        (("waves", "waves"), "correlation: ambiguous"),
        (("noise0", "noise1"), "correlation: weak correlation"),
    ],
)
def test_a_section_without_anything_to_match_fails(run, tmp_path, write_stack, tile_spec, kinds, reason, render):
    blank_and_repeating(tmp_path)
    affine = "mpicbg.trakem2.transform.AffineModel2D"
    tiles = [
        tile_spec(
            f"t{index}",
            1.0,
            {"type": "leaf", "className": affine, "dataString": f"1 0 0 1 {200 * index} 0"},
            image=url_of_path(tmp_path / f"{kind}.tif"),
            width=300.0,
            height=300.0,
        )
        for index, kind in enumerate(kinds)
    ]
    write_stack("acquired", Section(1.0, tiles))
    file = pair_file(tmp_path / "pairs.json", [(("1.0", "t0"), ("1.0", "t1"))])
    output = tmp_path / "out.json"
    with pytest.raises(RenderModuleError, match=r"1\.0 and 1\.0: 0 of 1"):
        run(file, output_json=str(output))
    report = json.loads(output.read_text())
    assert report["poor_sections"] == [{"pGroupId": "1.0", "qGroupId": "1.0", "pairs": 1, "matched": 0}]
    assert next(iter(report["dropped"])).startswith(reason)
    assert collection_names(render) == {}
    assert run(file, min_matched_fraction=0)["pairs_matched"] == 0


def test_nothing_to_match(run, paired, tmp_path, render):
    paired(MONTAGE)
    result = run(pair_file(tmp_path / "none.json", []))
    assert (result["pairs_tried"], result["pairCount"]) == (0, 0)


def test_a_run_goes_on_where_it_stopped(run, paired, found, monkeypatch, tmp_path, pictured, write_stack):
    import rendermodules.pointmatch.generate_point_matches as module

    file = paired(MONTAGE)
    run(file, output_collection="whole")
    monkeypatch.setattr(module, "_SMALLEST_BATCH", 1)
    matched, done = module._matched_batch, []

    def failing(batch, **options):
        if len(done) == 2:
            raise OSError("the machine is switched off")
        done.append(batch.first)
        return matched(batch, **options)

    monkeypatch.setattr(module, "_matched_batch", failing)
    with pytest.raises(RenderModuleError, match=r"pairs 2 to 2: the machine is switched off"):
        run(file)
    assert len(found()) == 2
    done.append("started again")
    monkeypatch.setattr(
        module, "_matched_batch", lambda batch, **more: done.append(batch.first) or matched(batch, **more)
    )
    result = run(file)
    assert done == [0, 1, "started again", 2, 3]
    assert result["pairs_matched"] == 4
    assert bytes_of(found()) == bytes_of(found("whole"))


def test_pairs_of_an_earlier_run_can_be_left_out(run, paired):
    file = paired(MONTAGE)
    run(file)
    result = run(file, skip_matched=True)
    assert (result["pairs_tried"], result["dropped"], result["pairCount"]) == (0, {"matched already": 4}, 4)


def test_a_killed_run_that_leaves_out_matched_pairs_goes_on(run, paired, found, monkeypatch, render):
    import rendermodules.pointmatch.generate_point_matches as module

    file = paired(MONTAGE)
    run(file, output_collection="whole")
    write_matches(match_collection(render, "found"), found("whole")[3:])
    monkeypatch.setattr(module, "_SMALLEST_BATCH", 1)
    matched = module._matched_batch

    def failing(batch, **options):
        if batch.first == 1:
            raise OSError("the machine is switched off")
        return matched(batch, **options)

    monkeypatch.setattr(module, "_matched_batch", failing)
    with pytest.raises(RenderModuleError, match="switched off"):
        run(file, skip_matched=True)
    monkeypatch.setattr(module, "_matched_batch", matched)
    result = run(file, skip_matched=True)
    assert (result["pairs_tried"], result["dropped"]) == (3, {"matched already": 1})
    assert bytes_of(found()) == bytes_of(found("whole"))


def test_images_that_could_not_be_read_are_tried_again(run, paired, found, monkeypatch, pictured, caplog):
    import rendermodules.pointmatch.generate_point_matches as module

    file = paired(MONTAGE)
    run(file, output_collection="whole")
    run(file)
    monkeypatch.setattr(module, "_SMALLEST_BATCH", 1)
    (section,) = pictured(MONTAGE)
    image = path_of_url(section.tiles[0]["mipmapLevels"]["0"]["imageUrl"])
    image.rename(image.with_suffix(".away"))
    with pytest.raises(RenderModuleError, match="1 images cannot be read"):
        run(file)
    # what an earlier run has found is not lost
    assert bytes_of(found()) == bytes_of(found("whole"))
    image.with_suffix(".away").rename(image)
    caplog.set_level("INFO")
    assert run(file)["pairs_matched"] == 4
    assert "2 of 4 batches of pairs were finished by an earlier run" in caplog.text
    assert bytes_of(found()) == bytes_of(found("whole"))


def test_two_stacks(run, render_parameters, write_stack, pictured, tmp_path, found):
    (first,) = pictured(MONTAGE)
    other = [{**tile, "tileId": f"other_{tile['tileId']}"} for tile in first.tiles]
    write_stack("acquired", first)
    write_stack("other", Section(first.z, other))
    parameters = {"render": render_parameters, "input_stack": "acquired", "tile_pair_file": str(tmp_path / "c.json")}
    CreateTilepairs({**parameters, "mode": "cross_stack", "target_stack": "other", "principal_only": True}).run()
    assert run(str(tmp_path / "c.json"))["pairs_matched"] == 4
    # each tile is compared with itself under another name
    for one in found():
        np.testing.assert_allclose(one.p, one.q, atol=1e-2)


def test_channels_and_masks(run, write_stack, pictured, found, tmp_path, true_errors):
    settings = SyntheticSettings(
        sections=1,
        rows=1,
        columns=2,
        tile_width=320,
        tile_height=320,
        overlap=0.3,
        channels=("EM", "DAPI"),
        bit_depth=16,
    )
    (section,) = pictured(settings)
    mask = np.zeros((320, 320), np.uint8)
    mask[:160] = 255
    write_image(tmp_path / "mask.tif", mask)
    for tile in section.tiles:
        tile["channels"][0]["mipmapLevels"]["0"]["maskUrl"] = url_of_path(tmp_path / "mask.tif")
    write_stack("acquired", section)
    names = [("0.0", tile["tileId"]) for tile in section.tiles]
    file = pair_file(tmp_path / "pairs.json", [names])
    run(file, channel="EM")
    (one,) = found()
    assert one.p[:, 1].max() < 165
    assert np.median(true_errors(settings, [one])) < 0.3
    run(file, channel="EM", renderWithoutMask=True, output_collection="unmasked")
    assert found("unmasked")[0].p[:, 1].max() > 200
    with pytest.raises(RenderModuleError, match="has no channel GFP; there are EM, DAPI"):
        run(file, channel="GFP", output_collection="none")


def test_tiles_in_different_frames_are_refused(run, paired, pictured, write_stack, tmp_path):
    file = paired(MONTAGE)
    (section,) = pictured(MONTAGE)
    twice = section.tiles[0]["transforms"]["specList"] * 2
    tiles = [{**section.tiles[0], "transforms": {"type": "list", "specList": twice}}, *section.tiles[1:]]
    write_stack("mixed", Section(section.z, tiles))
    with pytest.raises(RenderModuleError, match="different numbers of local transforms"):
        run(file, input_stack="mixed")


def test_several_sets_that_agree(run, write_stack, tile_spec, tmp_path, found, pictured):
    """The lower half of a torn tile lies 40 pixels farther to the right."""
    from rendermodules.io.images import read_image

    (section,) = pictured(SyntheticSettings(sections=1, rows=1, columns=1, tile_width=512, tile_height=512))
    image = read_image(section.tiles[0]["mipmapLevels"]["0"]["imageUrl"])
    torn = image.astype(float)
    torn[256:, 40:] = image[256:, :-40]
    torn = np.clip(torn + np.random.default_rng(0).normal(0, 4, torn.shape), 0, 255).astype(np.uint8)
    write_image(tmp_path / "torn.tif", torn)
    second = {**section.tiles[0], "tileId": "torn", "mipmapLevels": {"0": {"imageUrl": str(tmp_path / "torn.tif")}}}
    write_stack("acquired", Section(section.z, [section.tiles[0], second]))
    first_id = section.tiles[0]["tileId"]
    file = pair_file(tmp_path / "pairs.json", [(("0.0", first_id), ("0.0", "torn"))])
    run(file, method="sift", matchFilter="CONSENSUS_SETS", matchModelType="RIGID", matchMaxTrust=50)
    matches = found()
    assert len(matches) == 2
    assert {one.p_id for one in matches} == {f"{first_id}_set_0.0_0.0_{index}" for index in (0, 1)}
    assert {one.consensus_set["originalQId"] for one in matches} == {"torn"}
    moves = sorted(round(float(np.median((one.q - one.p)[:, 0]))) for one in matches)
    assert moves == [0, 40]
    run(file, method="sift", matchFilter="AGGREGATED_CONSENSUS_SETS", matchModelType="RIGID", output_collection="one")
    (one,) = found("one")
    assert (one.p_id, one.q_id) == (first_id, "torn")


def test_real_micrographs(shared_folder, run, write_stack, found, tmp_path, render_parameters, tile_spec):
    folder = shared_folder / "data" / "em_2x2"
    if not folder.is_dir():
        pytest.skip("the micrographs are not here")
    tiles = []
    for one in json.loads((folder / "nominal.json").read_text())["tiles"]:
        affine = {
            "type": "leaf",
            "className": "mpicbg.trakem2.transform.AffineModel2D",
            "dataString": f"1 0 0 1 {one['x']} {one['y']}",
        }
        image = str((folder / "../../golden/images" / one["name"]).resolve())
        tiles.append(tile_spec(one["name"], 1.0, affine, image=image, width=1325.0, height=1130.0))
    write_stack("acquired", Section(1.0, tiles))
    file = str(tmp_path / "pairs.json")
    CreateTilepairs({"render": render_parameters, "input_stack": "acquired", "tile_pair_file": file}).run()
    assert run(file)["pairs_matched"] == 4
    for one in found():
        assert len(one) >= 300
        off = transformed(fitted_model(one.p, one.q, "AFFINE"), one.p) - one.q
        assert np.sqrt(np.square(off).sum(axis=1).mean()) <= 0.6


def test_a_dry_run_matches_nothing(run, paired, render):
    result = run(paired(MONTAGE), dry_run=True)
    assert result["pairs_tried"] == 0
    assert collection_names(render) == {}


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"method": "correlation", "matchFilter": "NONE"}, "matchFilter"),
        ({"SIFTminScale": 0.9, "SIFTmaxScale": 0.5}, "SIFTminScale"),
        ({"matchInterpolatedModelLambda": 0.5}, "matchRegularizerModelType"),
        ({"renderScale": 2}, "renderScale"),
        ({"pairJson": ["pairs.txt"]}, "pairJson"),
        ({"pairJson": []}, "pairJson"),
        ({"matchModelTyp": "RIGID"}, "matchModelTyp"),
    ],
)
def test_contradictions_are_refused(render_parameters, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        GeneratePointMatches(
            {"render": render_parameters, "pairJson": ["a.json"], "output_collection": "found", **parameters}
        )


def test_missing_files_and_stacks(run, render, tmp_path):
    with pytest.raises(OSError, match=r"nothing\.json is not there, nor are parts"):
        run(str(tmp_path / "nothing.json"))
    file = pair_file(tmp_path / "pairs.json", [(("1", "a"), ("1", "b"))], stack="missing")
    with pytest.raises(RenderModuleError, match="stack missing does not exist"):
        run(file)
    assert stacks.stack_names(render) == []


def test_parameters_of_the_opencv_matcher(render_parameters, tmp_path):
    old = {"ndiv": 8, "matchMax": 1000, "downsample_scale": 0.3, "SIFT_noctave": 3, "ratio_of_dist": 0.7, "ncpus": -1}
    with pytest.warns(FutureWarning):
        module = GeneratePointMatches(
            {"render": render_parameters, "pairJson": "a.json", "match_collection": "m", **old}
        )
    assert module.args["pairJson"] == ["a.json"]
    assert module.args["matchMaxNumInliers"] == 1000
    assert (module.args["renderScale"], module.args["matchRod"]) == (0.3, 0.7)
    assert module.args["pool_size"] >= 1
    assert Path(module.args["pairJson"][0]).name == "a.json"
