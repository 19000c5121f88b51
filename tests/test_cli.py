"""The ``rendermodules`` command."""

import json
import subprocess
import sys

import pytest

import rendermodules
from rendermodules.cli import COMMANDS, main


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert all(f"    {command.name}" in text for command in COMMANDS)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help(command, capsys):
    try:
        status = main([command, "--help"])
    except SystemExit as end:
        status = end.code
    assert status == 0
    assert "usage: " in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"rendermodules {rendermodules.__version__}\n"


def test_a_module_is_run(tmp_path, capsys, render_parameters):
    output = tmp_path / "out.json"
    connection = [f"--render.{name}={value}" for name, value in render_parameters.items()]
    assert main(["run", "template_module", "--example", "a", "--output_json", str(output), *connection]) == 0
    assert json.loads(output.read_text())["output_value"] == "aa default value"


def test_help_of_an_area_or_a_command(capsys):
    assert main(["help", "stack"]) == 0
    assert "stack: Stacks in order" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["help", "status"])
    assert ended.value.code == 0
    assert "usage: rendermodules status" in capsys.readouterr().out


def test_nothing_said(capsys):
    assert main([]) == 2
    assert "completion" in capsys.readouterr().err


def test_help_of_a_module(capsys):
    assert main(["help", "module.template_module"]) == 0
    assert "--default_val" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run"], 2, "usage: rendermodules run MODULE"),
        (["help", "template_modul"], 1, "did you mean template_module?"),
        (["run", "template_module", "--exampel", "a"], 2, "unknown option --exampel; did you mean --example?"),
        (["template", "nothing.like_it"], 1, "no module is called nothing.like_it"),
    ],
)
def test_refusals(arguments, status, message, capsys):
    assert main(arguments) == status
    assert message in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    code = f"{sys.executable} -m rendermodules template template_module | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
