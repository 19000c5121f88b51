"""The guide from microscope to volume, command by command."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_its_commands_run(tmp_path):
    command = [sys.executable, str(REPOSITORY / "tests" / "document_commands.py"), "docs/workflow.md"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert list((tmp_path / "volume").iterdir())
