import pytest

from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, section_specs
from rendermodules.io.synthetic_files import write_synthetic_files
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.synthetic import EvaluateStack

SETTINGS = SyntheticSettings(sections=2, rows=2, columns=2, tile_width=96, tile_height=96, deformation=0.0)


@pytest.fixture
def truth_dir(tmp_path):
    write_synthetic_files(SETTINGS, tmp_path / "data", map_pictures=lambda task, pictures: [])
    return str(tmp_path / "data")


def write(render, name, placement, without=()):
    stacks.open_stack(render, name, {})
    for z in SETTINGS.zvalues:
        section = section_specs(SETTINGS, z, placement)
        kept = [tile for number, tile in enumerate(section.tiles) if number not in without]
        stacks.write_section(render, name, Section(z, kept, section.transforms))
    stacks.close_stack(render, name)


def evaluate(render_parameters, stack, truth_dir, **more):
    return EvaluateStack(input_data={"render": render_parameters, "input_stack": stack, "truth_dir": truth_dir, **more})


def test_the_truth_has_no_error(render, render_parameters, truth_dir):
    write(render, "true", "true")
    result = evaluate(render_parameters, "true", truth_dir, max_error=1e-6).run()
    assert [one["after"] < 1e-6 and one["seam"] < 1e-6 for one in result["sections"]] == [True, True]
    assert result["sections"][0]["before"] > 1.0
    assert result["sections"][0]["across"] is None


def test_the_stage_is_as_far_off_as_before(render, render_parameters, truth_dir):
    write(render, "stage", "nominal")
    for one in evaluate(render_parameters, "stage", truth_dir).run()["sections"]:
        assert one["after"] == pytest.approx(one["before"])
    world = evaluate(render_parameters, "stage", truth_dir, frame="world").run()
    assert world["sections"][0]["across"] > 1.0


def test_a_bad_stack_fails_and_still_reports(render, render_parameters, truth_dir, tmp_path):
    write(render, "stage", "nominal")
    write(render, "holes", "true", without=[3])
    out = tmp_path / "out.json"
    with pytest.raises(RenderModuleError, match=r"2 sections miss tiles or are off by more than 0.3 px: z=0.0, z=1.0"):
        evaluate(render_parameters, "stage", truth_dir, max_error=0.3, output_json=str(out)).run()
    assert out.exists()
    with pytest.raises(RenderModuleError, match="miss tiles"):
        evaluate(render_parameters, "holes", truth_dir, max_error=0.3).run()
