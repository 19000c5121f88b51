"""The demo, small: from raw tiles to a volume by shell commands, on a store of its own and over HTTP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rendermodules.demo import STORE, DemoOptions, run_demo
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.errors import RenderModuleError

STACKS = ("acquired", "raw", "montage", "aligned", "volume")


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rendermodules", "demo", "--out", str(folder), "--sections", "2", "--tiles", "2"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def project(folder: Path, host: str) -> dict:
    """Return everything that the stacks of the demo hold, with the folder's name taken out."""
    render = connect({"host": host, "owner": "demo", "project": "synthetic"})
    found = {
        stack: {str(z): vars(stacks.read_section(render, stack, z)) for z in stacks.z_values(render, stack)}
        for stack in STACKS
    }
    return json.loads(json.dumps(found, sort_keys=True).replace(str(folder), "FOLDER"))


def test_embedded_and_over_http(tmp_path, serve):
    here, there = tmp_path / "one", tmp_path / "two"
    done = demo(here, "--pool_size", "2")
    assert done.returncode == 0, done.stderr
    assert (here / "volume" / "volume.ome.zarr" / "zarr.json").is_file()
    assert "<html" in (here / "report.html").read_text()
    (judged,) = here.glob("*_judge_sections.out.json")
    sections = json.loads(judged.read_text())["sections"]
    assert len(sections) == 2
    assert all(one["before"] > 2.0 and one["after"] <= 0.3 for one in sections)
    (judged,) = here.glob("*_judge_volume.out.json")
    first = json.loads(judged.read_text())["sections"][0]
    assert first["seam"] < 0.3
    assert first["across"] < 2.0
    # every command that it printed ran
    printed = [line for line in done.stdout.splitlines() if " run " in line]
    assert len(printed) == len(list(here.glob("*.out.json")))
    _, url = serve(tmp_path / "served.db", "--image-root", str(tmp_path))
    done = demo(there, "--host", url, "--pool_size", "1")
    assert done.returncode == 0, done.stderr
    assert project(there, url) == project(here, str(here / STORE))


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(RenderModuleError, match="other than a demo"):
        run_demo(str(tmp_path), DemoOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
