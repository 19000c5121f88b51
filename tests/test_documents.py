"""The documents: their commands run, and their links lead to files. The longest one is run by the integration tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = ["README.md", *sorted(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("docs/*.md"))]


@pytest.mark.parametrize("name", ["README.md", "docs/server.md"])
def test_commands_run(name, tmp_path):
    command = [sys.executable, str(REPOSITORY / "tests" / "document_commands.py"), name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name):
    document = REPOSITORY / name
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (document.parent / link).exists(), link


def test_every_command_is_run_by_some_test():
    run = {"README.md", "docs/server.md", "docs/workflow.md"}
    assert {name for name in DOCUMENTS if "```sh" in (REPOSITORY / name).read_text(encoding="utf-8")} == run
