"""The two bases and the command line of a module, by the smallest modules that use them."""

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from rendermodules.core.sections import Section, with_transform_appended
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.fields import Float
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import SectionMapParameters
from rendermodules.module.template_module import TemplateModule

VERSION = {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 40.0}


def affine(x):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} 0"}


def tile(name, z):
    return {
        "tileId": name,
        "z": z,
        "width": 100.0,
        "height": 80.0,
        "layout": {"sectionId": str(z)},
        "mipmapLevels": {"0": {"imageUrl": "file:///a.tif"}},
        "transforms": {"type": "list", "specList": [affine(0)]},
    }


class MoveSectionsParameters(SectionMapParameters):
    """Parameters of the mover."""

    x = Float("move along x in pixels", default=10.0)


class MoveSections(SectionMapModule):
    """Move every tile."""

    default_schema = MoveSectionsParameters

    def section_task(self):
        return functools.partial(with_transform_appended, transform=affine(self.args["x"]))


class DropAll(SectionMapModule):
    """Drop the tiles of all but the first section."""

    def section_task(self):
        return lambda section: section if section.z == 1.0 else Section(section.z, [], {})


class FailAtTwo(SectionMapModule):
    """Fail at z 2."""

    tried: list[float] = []  # noqa: RUF012

    def section_task(self):
        def task(section):
            self.tried.append(section.z)
            if section.z == 2.0 and not os.environ.get("REPAIRED"):
                raise ValueError("nothing to see")
            return section

        return task


@pytest.fixture
def raw(render):
    with stacks.written_stack(render, "raw", version=VERSION, close=True):
        for z in (1.0, 2.0, 3.0):
            stacks.write_section(render, "raw", Section(z, [tile(f"{z}a", z), tile(f"{z}b", z)]))
    return "raw"


def parameters(render_parameters, **more):
    return {"render": render_parameters, "input_stack": "raw", "output_stack": "moved", **more}


@pytest.mark.parametrize("pool", [{}, {"pool_size": 2}, {"pool_size": 2, "pool_kind": "threads"}])
def test_a_stack_is_mapped(render, raw, render_parameters, pool):
    # processes find MoveSections' task in core, not in this file
    result = MoveSections(input_data=parameters(render_parameters, x=7.0, **pool)).run()
    assert result["zValues"] == [1.0, 2.0, 3.0]
    assert result["tile_count"] == 6
    assert stacks.read_section(render, "moved", 2.0).tiles[0]["minX"] == 7.0
    metadata = stacks.stack_metadata(render, "moved")
    assert metadata["state"] == "COMPLETE"
    assert stacks.copied_metadata(metadata) == VERSION
    notes = json.loads(metadata["currentVersion"]["versionNotes"])
    assert notes["parameters"]["x"] == 7.0
    assert notes["inputs"]["raw"]["state"] == "COMPLETE"


def test_sections_are_chosen_and_the_stack_left_open(render, raw, render_parameters):
    MoveSections(input_data=parameters(render_parameters, minZ=2, close_stack=False)).run()
    assert stacks.z_values(render, "moved") == [2.0, 3.0]
    assert stacks.stack_metadata(render, "moved")["state"] == "LOADING"


def test_in_place(render, raw, render_parameters):
    MoveSections(input_data=parameters(render_parameters, output_stack="raw", z=2.0)).run()
    assert [stacks.read_section(render, "raw", z).tiles[0]["minX"] for z in (1.0, 2.0, 3.0)] == [0.0, 10.0, 0.0]
    assert stacks.stack_names(render) == ["raw"]


def test_a_dry_run_writes_nothing(render, raw, render_parameters, caplog):
    with caplog.at_level("INFO"):
        result = MoveSections(input_data=parameters(render_parameters, dry_run=True)).run()
    assert result["tile_count"] == 0
    assert "would write 3 sections" in caplog.text
    assert stacks.stack_names(render) == ["raw"]


def test_an_empty_section_is_reported(render, raw, render_parameters):
    result = DropAll(input_data=parameters(render_parameters)).run()
    assert result["zValues"] == [1.0]
    assert [one["z"] for one in result["skipped"]] == [2.0, 3.0]


def test_a_failing_section_is_named_and_the_rest_is_done_later(render, raw, render_parameters, monkeypatch):
    FailAtTwo.tried.clear()
    with pytest.raises(SectionError, match=r"section z=2.0 of raw: ValueError: nothing to see"):
        FailAtTwo(input_data=parameters(render_parameters)).run()
    assert stacks.stack_metadata(render, "moved")["state"] == "LOADING"
    monkeypatch.setenv("REPAIRED", "yes")
    result = FailAtTwo(input_data=parameters(render_parameters)).run()
    assert FailAtTwo.tried == [1.0, 2.0, 2.0, 3.0]
    assert result["zValues"] == [1.0, 2.0, 3.0]
    assert result["tile_count"] == 6


def test_what_was_removed_since_is_done_again(render, raw, render_parameters, monkeypatch):
    FailAtTwo.tried.clear()
    with pytest.raises(SectionError):
        FailAtTwo(input_data=parameters(render_parameters)).run()
    stacks.delete_stack(render, "moved")
    monkeypatch.setenv("REPAIRED", "yes")
    FailAtTwo(input_data=parameters(render_parameters)).run()
    assert FailAtTwo.tried == [1.0, 2.0, 1.0, 2.0, 3.0]


def test_failures_of_a_program_are_one_line(tmp_path, render_parameters, raw):
    script = tmp_path / "failing.py"
    script.write_text(
        textwrap.dedent(
            """
            from rendermodules.module.render_module import SectionMapModule
            from rendermodules.module.schemas import SectionMapParameters
            class FailingParameters(SectionMapParameters):
                pass
            class Failing(SectionMapModule):
                default_schema = FailingParameters
                def section_task(self):
                    return fail
            def fail(section):
                raise ValueError("no tissue")
            if __name__ == "__main__":
                raise SystemExit(Failing.main())
            """
        )
    )
    file = tmp_path / "p.json"
    file.write_text(json.dumps(parameters(render_parameters)))
    command = [sys.executable, str(script), "--input_json", str(file)]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "section z=1.0 of raw: ValueError: no tissue" in failed.stderr
    assert "Traceback" not in failed.stderr
    failed = subprocess.run([*command, "--log_level", "debug"], capture_output=True, text=True, check=False)
    assert 'raise ValueError("no tissue")' in failed.stderr


def test_a_module_made_in_a_program_leaves_its_command_line_alone(monkeypatch, render_parameters):
    monkeypatch.setattr(sys, "argv", ["pytest", "--nonsense"])
    data = {"render": dict(render_parameters), "example": "x"}
    assert TemplateModule(input_data=data).args["default_val"] == "a default value"
    assert data == {"render": render_parameters, "example": "x"}


def test_a_run_killed_in_mid_write_leaves_the_stack_in_place_whole(tmp_path, render, raw, render_parameters):
    before = [stacks.read_section(render, "raw", z) for z in (1.0, 2.0, 3.0)]
    script = tmp_path / "killed.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, signal
            from rendermodules.module.render_module import SectionMapModule
            from rendermodules.module.schemas import SectionMapParameters
            def task(section):
                if section.z == 3.0:
                    os.kill(os.getpid(), {int(signal.SIGKILL)})
                return type(section)(section.z, section.tiles[:1], {{}})
            class Killed(SectionMapModule):
                def section_task(self):
                    return task
            Killed(input_data={parameters(render_parameters, output_stack="raw")!r}).run()
            """
        )
    )
    killed = subprocess.run([sys.executable, str(script)], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [stacks.read_section(render, "raw", z) for z in (1.0, 2.0, 3.0)] == before
