"""Modules as programs of their own, on a service over HTTP or on an embedded store."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from rendermodules.module import stacks
from rendermodules.module.connection import connect


@dataclass(frozen=True)
class Terminal:
    """Runs modules as a shell does, in one folder, with one set of parameters that all of them get.

    Attributes
    ----------
    folder : Path
        Where they run, and where their parameters and results go as JSON.
    common : dict
        Parameters of all modules.
    """

    folder: Path
    common: Mapping[str, Any]

    def tried(self, module: str, **parameters: Any) -> subprocess.CompletedProcess[str]:
        """Run ``python -m rendermodules.MODULE --input_json FILE`` and return how it ended."""
        self.folder.mkdir(exist_ok=True)
        number = len(list(self.folder.glob("*.parameters.json")))
        file = self.folder / f"{number:02d}_{module}.parameters.json"
        file.write_text(json.dumps({"log_level": "WARNING", **self.common, **parameters}, ensure_ascii=False))
        command = [sys.executable, "-m", f"rendermodules.{module}", "--input_json", file.name]
        command += ["--output_json", f"{module}.json"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def run(self, module: str, **parameters: Any) -> dict[str, Any]:
        """Run a module that succeeds and has nothing to warn of; return its result."""
        done = self.tried(module, **parameters)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return json.loads((self.folder / f"{module}.json").read_bytes())


@pytest.fixture
def terminal(tmp_path) -> Callable[..., Terminal]:
    """Function that makes a terminal in a folder of its own, whose modules speak to a host."""

    def terminal(name: str, host: str | Path, **common: Any) -> Terminal:
        render = {"host": str(host), "owner": "tester", "project": "example"}
        return Terminal(tmp_path / name, {"render": render, **common})

    return terminal


@pytest.fixture
def project() -> Callable[[Terminal], dict[str, Any]]:
    """Function that reads all stacks of a terminal's project: versions and sections, by name.

    What tells one run from another is taken out: times, the notes of the modules, and the path of the terminal's
    folder.
    """

    def project(terminal: Terminal) -> dict[str, Any]:
        render = connect(terminal.common["render"])
        found = {}
        for name in stacks.stack_names(render):
            metadata = stacks.stack_metadata(render, name)
            version = {**metadata["currentVersion"], "createTimestamp": None, "versionNotes": None}
            sections = {str(z): stacks.read_section(render, name, z) for z in stacks.z_values(render, name)}
            found[name] = {
                "state": metadata["state"],
                "stats": metadata["stats"],
                "version": version,
                "sections": {z: [section.tiles, section.transforms] for z, section in sections.items()},
            }
        text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
        return orjson.loads(re.sub(f"{terminal.folder.as_uri()}/", "", text))

    return project
