"""The script as shells start it, on a service over HTTP; and the command line of all clients."""

import json
import os
import subprocess
import sys

import pytest
import requests

from rendermodules.io.images import read_image
from rendermodules.render_ws.clients import PYTHON_VARIABLE, SCRIPTS_FOLDER
from rendermodules.render_ws.clients.__main__ import main
from rendermodules.render_ws.clients.registry import CLIENTS, client_named
from rendermodules.render_ws.routing import PREFIX

SCRIPT = SCRIPTS_FOLDER / "run_ws_client.sh"


@pytest.fixture
def address(serve, store):
    """Address of a server of its own."""
    return serve(store)[1] + PREFIX


@pytest.fixture
def shell(tmp_path):
    """Function that runs the script as a program, in a folder with files that are called as modules are."""
    folder = tmp_path / "somewhere else"
    (folder / "rendermodules").mkdir(parents=True)
    for name in ("json.py", "rendermodules/__init__.py"):
        (folder / name).write_text("raise SystemExit('not this one')")
    (tmp_path / "link to it").symlink_to(SCRIPT)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def shell(*words, program=tmp_path / "link to it"):
        command = [str(word) for word in (program, *words)]
        environment[PYTHON_VARIABLE] = sys.executable
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)

    return shell


def test_a_stack_from_the_shell(shell, address, drawn_tile, tmp_path):
    place = ["--baseDataUrl", address, "--owner", "an owner", "--project", "p", "--stack", "s"]
    client = "org.janelia.render.client"
    (tmp_path / "two tiles.json").write_text(json.dumps([drawn_tile("a b", x=10), drawn_tile("c", x=100)]))
    for words in (
        [f"{client}.StackClient", *place, "--action", "CREATE", "--versionNotes", "a  note with $HOME and 'quotes'"],
        [f"{client}.ImportJsonClient", *place, tmp_path / "two tiles.json"],
        [f"{client}.StackClient", *place, "--action", "SET_STATE", "--stackState", "COMPLETE"],
        [f"{client}.RenderSectionClient", *place, "--rootDirectory", tmp_path / "o u t", "--scale", "1", "1"],
    ):
        done = shell("1G", *words)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    metadata = requests.get(f"{address}/owner/an owner/project/p/stack/s", timeout=10).json()
    assert metadata["currentVersion"]["versionNotes"] == "a  note with $HOME and 'quotes'"
    assert read_image(tmp_path / "o u t/p/s/sections_at_1.0/000/0/1.0.png").shape == (80, 190)
    failed = shell("1G", f"{client}.RenderSectionClient", *place, "--rootDirectory", tmp_path, "7", program=SCRIPT)
    assert failed.returncode == 1
    assert "error: GET owner/an%20owner/project/p/stack/s/z/7.0/bounds: 400" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_script_is_a_program(shell):
    assert os.access(SCRIPT, os.X_OK)
    assert shell("1G").returncode == 1
    assert shell("--help").stdout.startswith("usage: run_ws_client.sh HEAP CLASS")


def test_the_readme_names_every_client():
    rows = (SCRIPTS_FOLDER / "README.md").read_text().splitlines()
    assert {row.split("`")[1] for row in rows if row.startswith("| `")} == set(CLIENTS)


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_has_help(name, capsys):
    assert main(["1G", name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: run_ws_client.sh HEAP {name} ")
    assert all(f"--{option.name} " in told for option in client_named(name).options)
    assert client_named(name.rpartition(".")[2]).summary in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "usage:"),
        (["1G"], "usage:"),
        (["org.janelia.render.client.StackClient", "--action"], "usage:"),
        (["1G", "org.janelia.render.client.StackCleint"], "did you mean StackClient? There are:"),
        (["1G", "nothing like it"], "There are:\n  org.janelia.alignment.ArgbRenderer\n"),
        (["1G", "org.janelia.alignment.trakem2.Converter"], "TrakEM2 projects are not converted"),
        (["512m", "StackClient", "--stak", "s"], "unknown option --stak; did you mean --stack?"),
    ],
)
def test_what_is_not_understood(words, message, capsys):
    assert main(words) == 1
    assert message in capsys.readouterr().err
