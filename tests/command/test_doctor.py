"""``rendermodules doctor``."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from rendermodules.cli import main
from rendermodules.command import doctor, doctor_libraries
from rendermodules.core.sections import Section
from rendermodules.io.paths import url_of_path


def findings(capsys, *arguments):
    status = main(["doctor", "--json", *arguments])
    return status, {one["about"]: one for one in json.loads(capsys.readouterr().out)}


def test_a_machine_that_is_well(capsys):
    status, found = findings(capsys)
    assert status == 0
    assert found["libraries"]["state"] == "ok"
    assert found["project"]["remedy"].startswith("name one")


def test_the_text_says_what_to_do(capsys):
    assert main(["doctor", "nowhere.db"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "note  store: nowhere.db does not exist yet" in lines
    assert "        -> the first module that writes makes it" in lines


def test_images_that_are_gone(capsys, render_parameters, write_stack, tile_spec, tmp_path):
    here = tmp_path / "here.tif"
    tifffile.imwrite(here, np.zeros((10, 20), np.uint8))
    write_stack("whole", Section(1.0, [tile_spec("a", 1.0, image=url_of_path(here))]))
    write_stack("torn", Section(1.0, [tile_spec("a", 1.0, image=url_of_path(here)), tile_spec("b", 1.0)]))
    status, found = findings(capsys, render_parameters["host"])
    assert status == 1
    assert found["images of whole"]["state"] == found["drawing whole"]["state"] == "ok"
    assert found["images of torn"]["message"].startswith("1 of 2 looked at are not here, the first is file:/nowhere")
    assert found["projects"]["message"] == "tester/example"
    assert found["service"]["message"].startswith("rendermodules")


def test_images_that_render_cannot_draw(capsys, render_parameters, write_stack, tile_spec, tmp_path):
    spoilt = tmp_path / "spoilt.tif"
    spoilt.write_bytes(b"II*\0 no picture")
    write_stack("spoilt", Section(1.0, [tile_spec("a", 1.0, image=url_of_path(spoilt))]))
    status, found = findings(capsys, render_parameters["host"])
    assert status == 1
    assert found["images of spoilt"]["state"] == "ok"
    assert "spoilt.tif" in found["drawing spoilt"]["message"]
    assert "--image-root" in found["drawing spoilt"]["remedy"]


def test_a_stack_that_was_left_behind(capsys, render, render_parameters, tile_spec):
    from rendermodules.module import stacks

    stacks.open_stack(render, "half", {})
    stacks.write_section(render, "half", Section(1.0, [tile_spec("a", 1.0)]))
    _, found = findings(capsys, render_parameters["host"])
    assert "LOADING" in found["stack half"]["message"]


def test_a_server_that_does_not_answer(capsys):
    status, found = findings(capsys, "--host", "http://127.0.0.1:9")
    assert status == 1
    assert found["project"]["remedy"].startswith("is the address right")


def test_a_folder_that_cannot_be_written(capsys, monkeypatch):
    monkeypatch.setenv("RENDERMODULES_STATE", "/proc/version/state")
    status, found = findings(capsys)
    assert status == 1
    assert "RENDERMODULES_STATE" in found["journals"]["remedy"]


def test_little_space(capsys, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=1 << 20))
    status, found = findings(capsys)
    assert status == 1
    assert found["this folder"]["remedy"] == "free some space, or work on another disk"


@pytest.mark.parametrize(
    ("requirement", "message"),
    [("no-such-library>=1.0", "is not installed"), ("numpy>=999.0", "is too old"), ("numpy>=1.0", None)],
)
def test_libraries(monkeypatch, requirement, message):
    monkeypatch.setattr(doctor_libraries, "_requirements", lambda: [requirement])
    (finding,) = doctor_libraries.libraries()
    if message is None:
        assert finding.state == "ok"
    else:
        assert message in finding.message
        assert finding.remedy.startswith("pip install")
