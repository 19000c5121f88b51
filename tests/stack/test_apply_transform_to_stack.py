import json

import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section, transform_list
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.stack import ApplyTransformToStack

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {"type": "leaf", "id": "lens", "className": AFFINE, "dataString": "1 0 0 1 1 1"}
STAGE = {"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 100 200"}
REFERENCE = {"type": "ref", "refId": "lens"}


@pytest.fixture
def raw(write_stack, tile_spec):
    """Two sections at one z, one at a fraction, with a shared lens and what render-python's objects would lose."""
    first = [
        tile_spec("a", 1.0, REFERENCE, STAGE, meshCellSize=32.0),
        tile_spec("b/ö 1'", 1.0, REFERENCE, STAGE, layout={"sectionId": "1.0 reimaged", "imageRow": 3}),
    ]
    second = [tile_spec("c", 2.25, REFERENCE, STAGE)]
    write_stack("raw", Section(1.0, first, {"lens": LENS}), Section(2.25, second, {"lens": LENS}), stackResolutionX=3.5)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: ApplyTransformToStack({"render": render_parameters, **parameters}).run()


def test_the_transform_is_stored_once_and_all_else_is_kept(run, raw, render, sections_of):
    before = sections_of("raw")
    result = run(input_stack="raw", output_stack="moved", transformId="shift", B0=-50.0, B1=0.125)
    assert (result["zValues"], result["tile_count"]) == ([1.0, 2.25], 3)
    shift = {"type": "leaf", "id": "shift", "className": AFFINE, "dataString": "1.0 0.0 0.0 1.0 -50.0 0.125"}
    derived = ("transforms", "minX", "minY", "maxX", "maxY")
    for z, section in sections_of("moved").items():
        assert section.transforms == {"lens": LENS, "shift": shift}
        for old, new in zip(before[z].tiles, section.tiles, strict=True):
            assert transform_list(new) == [REFERENCE, STAGE, {"type": "ref", "refId": "shift"}]
            assert new["minX"] == old["minX"] - 50
            assert {key: new[key] for key in new if key not in derived} == {
                key: old[key] for key in old if key not in derived
            }
    metadata = stacks.stack_metadata(render, "moved")
    assert (metadata["state"], metadata["currentVersion"]["stackResolutionX"]) == ("COMPLETE", 3.5)


def test_without_an_id_every_tile_has_its_own_in_place(run, raw, sections_of):
    run(input_stack="raw", output_stack="raw", M00=-1.0, placement="prepend", z=2.25)
    sections = sections_of("raw")
    assert transform_list(sections[2.25].tiles[0])[0]["dataString"] == "-1.0 0.0 0.0 1.0 0.0 0.0"
    assert transform_list(sections[1.0].tiles[0]) == [REFERENCE, STAGE]
    assert sections[2.25].transforms == {"lens": LENS}


def test_several_stacks_by_a_parameter_file(raw, render_parameters, tmp_path, sections_of):
    file, result = tmp_path / "parameters.json", tmp_path / "result.json"
    file.write_text(json.dumps({"render": render_parameters, "input_stacks": ["raw"], "output_suffix": "_up", "B1": 3}))
    assert ApplyTransformToStack.main(["--input_json", str(file), "--output_json", str(result)]) == 0
    assert json.loads(result.read_text())["stacks"][0]["tile_count"] == 3
    assert len(transform_list(sections_of("raw_up")[1.0].tiles[0])) == 3


def test_several_stacks(run, raw, write_stack, tile_spec, sections_of):
    write_stack("other", Section(7.0, [tile_spec("x", 7.0)]))
    result = run(input_stacks=["raw", "other"], output_prefix="up_", transformId="up", B1=-10.0)
    assert [one["output_stack"] for one in result["stacks"]] == ["up_raw", "up_other"]
    assert set(sections_of("up_other")[7.0].transforms) == {"up"}


def test_one_transform_for_each_section_from_a_file(run, raw, sections_of, tmp_path):
    file = tmp_path / "transforms of ö.json"
    moves = [{**STAGE, "id": f"a_to_b_z_{z:f}", "dataString": f"1 0 0 1 {z} 0"} for z in (1.0, 2.25, 3.0)]
    file.write_text(json.dumps(moves))
    options = {"input_stack": "raw", "output_stack": "new", "transformId": "a_to_b_z_{z:f}"}
    result = run(**options, transform_file=str(file), pool_size=2)
    assert result["provenance"]["inputs"]["sha256"].keys() == {str(file)}
    for z, section in sections_of("new").items():
        assert section.transforms[f"a_to_b_z_{z:f}"]["dataString"] == f"1 0 0 1 {z} 0"


def test_all_sections_that_a_file_has_no_transform_for_are_named(run, raw, tmp_path, render):
    file = tmp_path / "transforms.json"
    options = {"input_stack": "raw", "output_stack": "new", "transform_file": str(file)}
    file.write_text(json.dumps({"3.0": STAGE}))
    with pytest.raises(InputError, match=r"transforms.json: a transform for this z is not there: z=1.0, z=2.25"):
        run(**options)
    file.write_text(json.dumps({"className": "my.Model", "dataString": "1 0"}))
    with pytest.raises(InputError, match=r"my\.Model.*: z=1\.0, z=2\.25"):
        run(**options)
    assert stacks.stack_names(render) == ["raw"]


def test_applying_a_transform_again_is_refused_and_the_stack_is_as_it_was(run, raw, sections_of):
    run(input_stack="raw", output_stack="raw", transformId="shift", B0=5.0)
    before = sections_of("raw")
    with pytest.raises(SectionError, match=r"section z=1.0 of raw: .*shift already"):
        run(input_stack="raw", output_stack="raw", transformId="shift", B0=5.0)
    assert sections_of("raw") == before


def test_a_dry_run_writes_nothing(run, raw, render):
    run(input_stack="raw", output_stack="moved", B0=5.0, dry_run=True)
    assert stacks.stack_names(render) == ["raw"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"input_stack": "raw"}, "changes it in place"),
        ({"output_stack": "new"}, "give input_stack or input_stacks"),
        ({"input_stacks": ["raw"], "output_stack": "new"}, "output_prefix"),
        ({"input_stack": "raw", "output_stack": "new", "M00": 0.0}, "flatten"),
        ({"input_stack": "raw", "output_stack": "new", "B0": 1.0, "transform": STAGE}, "not several"),
        ({"input_stack": "raw", "output_stack": "new", "placement": "last"}, "Must be one of"),
        ({"input_stack": "raw", "output_stack": "new", "transformId": "{x}"}, "no format of a number z"),
    ],
)
def test_contradicting_parameters_are_refused(run, parameters, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        run(**parameters)
