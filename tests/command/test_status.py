"""``rendermodules status``."""

import json

from rendermodules.cli import main
from rendermodules.core.sections import Section


def test_a_project(render_parameters, write_stack, tile_spec, capsys):
    write_stack("raw", *[Section(z, [tile_spec(f"{z}", z)]) for z in (1.0, 2.0, 7.0)], stackResolutionX=4.0)
    assert main(["status", render_parameters["host"]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "project example of tester"
    assert lines[2].split() == ["stack", "state", "sections", "z", "tiles", "nm", "changed"]
    assert lines[3].split()[:9] == ["raw", "COMPLETE", "3", "1", "to", "7", "3", "4", "x"]
    assert lines[-1] == "no match collections yet"


def test_json(render_parameters, write_stack, tile_spec, capsys):
    write_stack("raw", Section(1.0, [tile_spec("t", 1.0)]))
    assert main(["status", render_parameters["host"], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["project"] == "example"
    assert found["stacks"][0]["z_values"] == [1.0]


def test_a_project_that_does_not_exist(render_parameters, write_stack, tile_spec, capsys):
    write_stack("raw", Section(1.0, [tile_spec("t", 1.0)]))
    assert main(["status", "tester/exampel", "--host", render_parameters["host"]]) == 1
    assert "there is no project tester/exampel" in capsys.readouterr().err


def test_a_server_that_does_not_answer(capsys):
    assert main(["status", "a/b", "--host", "http://127.0.0.1:9", "--port", "9"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
