import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, section_specs
from rendermodules.core.transforms import parsed_transform
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, match_collection, write_matches
from rendermodules.pointmatch import RemapMatches

POINTS = np.random.default_rng(0).uniform(0, 700, (12, 2))
LENS = SyntheticSettings(sections=1, rows=1, columns=2, lens_distortion=8.0)


@pytest.fixture
def run(render_parameters):
    names = {"input_collection": "found", "output_collection": "remapped"}
    return lambda **parameters: RemapMatches({"render": render_parameters, **names, **parameters}).run()


@pytest.fixture
def found(render):
    return lambda name="remapped": {one.pair: one for one in all_matches(match_collection(render, name))}


@pytest.fixture
def matched(render):
    def write(*pairs):
        written = [point_matches(p, q, POINTS, POINTS + index) for index, (p, q) in enumerate(pairs)]
        write_matches(match_collection(render, "found"), written)

    return write


@pytest.fixture
def two_channels(write_stack, tile_spec, matched):
    """Two sections of two tiles, imaged in two channels; one tile of the second channel is missing."""

    def tile(channel, z, frame):
        return tile_spec(
            f"{channel}{z:g}{frame}",
            z,
            image=f"file:/data/{channel}_S{z:g}_F{frame:03d}.tif",
            layout={"sectionId": f"{z:g}-{channel}", "imageRow": frame, "imageCol": 0},
        )

    write_stack("dapi", *(Section(z, [tile("D", z, frame) for frame in (0, 1)]) for z in (1.0, 2.0)))
    write_stack("gfp", Section(1.0, [tile("G", 1.0, 1), tile("G", 1.0, 0)]), Section(2.0, [tile("G", 2.0, 0)]))
    sections = ("1-D", "2-D")
    matched(
        ((sections[0], "D10"), (sections[0], "D11")),
        ((sections[0], "D10"), (sections[1], "D20")),
        ((sections[1], "D20"), (sections[1], "D21")),
    )


@pytest.mark.parametrize("way", ["frame", "layout"])
def test_tiles_of_another_channel(run, two_channels, found, way):
    result = run(match_by=way, input_stack="dapi", target_stack="gfp")
    assert list(found()) == [("1-G", "G10", "1-G", "G11"), ("1-G", "G10", "2-G", "G20")]
    np.testing.assert_array_equal(found()["1-G", "G10", "2-G", "G20"].q, POINTS + 1)
    assert result["dropped"] == {"pairs: tile without a partner": 1}
    with pytest.raises(RenderModuleError, match="without a partner in gfp: of dapi: D21"):
        run(match_by=way, input_stack="dapi", target_stack="gfp", missing="fail", output_collection="all")


def test_patterns_and_files(run, two_channels, found, tmp_path):
    run(match_by="pattern", id_find="^D", id_replace="X", group_find="-D$", group_replace="-X")
    assert list(found())[0] == ("1-X", "X10", "1-X", "X11")
    assert len(found()) == 3
    (tmp_path / "ids.json").write_text('{"D10": "Z10"}')
    run(match_by="file", id_file=str(tmp_path / "ids.json"), output_collection="file")
    assert list(found("file")) == [
        ("1-D", "D11", "1-D", "Z10"),
        ("1-D", "Z10", "2-D", "D20"),
        ("2-D", "D20", "2-D", "D21"),
    ]
    np.testing.assert_array_equal(found("file")["1-D", "D11", "1-D", "Z10"].q, POINTS)


def test_names_that_fall_together_are_refused(run, matched, tmp_path, render):
    matched((("1", "a"), ("1", "b")), (("1", "a"), ("1", "c")))
    with pytest.raises(RenderModuleError, match="1 pairs would be there twice, a and x the first"):
        run(match_by="pattern", id_find="[bc]", id_replace="x")
    (tmp_path / "ids.json").write_text('["a"]')
    with pytest.raises(RenderModuleError, match="no JSON object from tile ids to tile ids"):
        run(match_by="file", id_file=str(tmp_path / "ids.json"))


def test_through_a_lens_and_back(run, render, write_stack, found):
    section = section_specs(LENS, 0.0, "true")
    write_stack("corrected", section)
    names = [("0.0", tile["tileId"]) for tile in section.tiles]
    write_matches(match_collection(render, "found"), [point_matches(*names, POINTS, POINTS + 5)])
    run(input_stack="corrected", from_num_local_transforms=0, to_num_local_transforms=1)
    (one,) = found().values()
    (lens,) = section.transforms.values()
    np.testing.assert_allclose(one.p, parsed_transform(lens).apply(POINTS), atol=1e-9)
    assert np.abs(one.p - POINTS).max() > 1
    run(
        input_collection="remapped",
        output_collection="back",
        input_stack="corrected",
        from_num_local_transforms=1,
        to_num_local_transforms=0,
    )
    (back,) = found("back").values()
    np.testing.assert_allclose(back.p, POINTS, atol=1e-6)
    np.testing.assert_allclose(back.q, POINTS + 5, atol=1e-6)


def test_in_place_every_match_is_mapped_once(render, write_stack, killed_runs):
    section = section_specs(LENS, 0.0, "true")
    write_stack("corrected", section)
    names = [("0.0", tile["tileId"]) for tile in section.tiles]
    pairs = [
        point_matches(names[0], names[1], POINTS, POINTS),
        point_matches(names[0], ("1.0", "gone"), POINTS, POINTS),
    ]
    write_matches(match_collection(render, "found"), pairs)
    runs = killed_runs(
        "pointmatch.remap_matches",
        input_collection="found",
        input_stack="corrected",
        from_num_local_transforms=0,
        to_num_local_transforms=1,
    )
    (lens,) = section.transforms.values()
    expected = json.loads(json.dumps(parsed_transform(lens).apply(POINTS).T.tolist()))
    for _, after in runs:
        (one,) = after["match collection found"]
        np.testing.assert_allclose(one["matches"]["p"], expected, atol=1e-9)
        assert set(after) == {"corrected", "match collection found"}


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "match_by"),
        ({"from_num_local_transforms": 1}, "match_by"),
        ({"match_by": "frame", "input_stack": "a"}, "target_stack"),
        ({"match_by": "pattern"}, "id_find"),
        ({"match_by": "pattern", "id_find": "(", "id_replace": ""}, "id_find"),
        ({"match_by": "file"}, "id_file"),
        ({"from_num_local_transforms": 1, "to_num_local_transforms": 0}, "input_stack"),
        ({"match_by": "frame", "input_stack": "a", "target_stack": "b", "to_num_local_transforms": 0}, "from_num"),
    ],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)


def test_what_is_not_there(run, matched, two_channels):
    with pytest.raises(RenderModuleError, match="stack gfb does not exist"):
        run(match_by="frame", input_stack="dapi", target_stack="gfb")
    with pytest.raises(RenderModuleError, match="no match is left .* 3 pairs: tile not in the stack"):
        run(input_stack="gfp", from_num_local_transforms=0, to_num_local_transforms=0)
