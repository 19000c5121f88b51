"""The commands in the documents: they are taken out and run."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# what reaches for the network is left out, what would take long is only looked up; a server stays in the background
PRELUDE = """
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
git() { test "$1" = clone; }
pip() { true; }
make() { command make --dry-run -C "$REPOSITORY" "${@: -1}" PYTHON="$PYTHON" > /dev/null; }
python() { "$PYTHON" "$@"; }
rendermodules() {
  if test "$1" = serve; then
    "$PYTHON" -m rendermodules "$@" 2> serve.log &
    for _ in $(seq 200); do
      grep -q 'to look at it' serve.log && return
      sleep 0.1
    done
    cat serve.log >&2
    return 1
  fi
  "$PYTHON" -m rendermodules "$@"
}
"""


def script_of(document: Path) -> str:
    """The commands of a document as one shell script, with a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    parts = [PRELUDE]
    for language, text in BLOCK.findall(document.read_text(encoding="utf-8")):
        parts.append(text if language == "sh" else f"python - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON\n")
    return "\n".join(parts).replace("8080", port)


@pytest.mark.parametrize("name", ["README.md", "docs/server.md"])
def test_commands_run(name, tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(REPOSITORY),
        "REPOSITORY": str(REPOSITORY),
        "RENDERMODULES_STATE": str(tmp_path / "state"),
    }
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        ["bash", "-x", "-c", script_of(REPOSITORY / name)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize(
    "name", ["README.md", *sorted(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("docs/*.md"))]
)
def test_links_lead_to_files(name):
    document = REPOSITORY / name
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (document.parent / link).exists(), link
