"""Run the commands of a document: ``python document_commands.py DOCUMENT.md``, in an empty folder.

Blocks of ``sh`` and ``python`` run one after the other in one shell, with a port of their own in place of 8080. What
reaches for the network is left out, what would take long is only looked up, and a server stays in the background.
"""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

PRELUDE = """
set -euxo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
git() { test "$1" = clone; mkdir -p "$3/.venv/bin"; touch "$3/.venv/bin/activate"; }
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


def script(document: Path) -> str:
    """Return the commands of a document as one shell script."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    parts = [PRELUDE]
    for language, text in BLOCK.findall(document.read_text(encoding="utf-8")):
        parts.append(text if language == "sh" else f"python - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON\n")
    return "\n".join(parts).replace("8080", port)


def main() -> int:
    """Run the script; return its exit status."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(Path.cwd()),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(REPOSITORY),
        "REPOSITORY": str(REPOSITORY),
        "RENDERMODULES_STATE": os.environ.get("RENDERMODULES_STATE", str(Path.cwd() / "state")),
    }
    command = ["bash", "-c", script(REPOSITORY / sys.argv[1])]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
