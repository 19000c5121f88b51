"""A recording of Java Render, replayed against the service in strict mode.

It lies outside of the repository; ``RENDERMODULES_SHARED`` names the folder that has it.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rendermodules.render_ws.app import all_routes
from rendermodules.render_ws.java_routes import java_routes, place
from rendermodules.render_ws.routes_document import STRICT_DIFFERENCES
from rendermodules.render_ws.routing import PREFIX

REPOSITORY = Path(__file__).parents[2]
RECORDING = Path(os.environ.get("RENDERMODULES_SHARED", REPOSITORY.parent / "shared")) / "golden" / "rest"
WANTED = {"P0": 0.98, "P1": 0.98, "P2": 0.95}

pytestmark = pytest.mark.skipif(not (RECORDING / "replay.py").exists(), reason="the recording is not there")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "rendermodules.render_ws", "--store", str(tmp_path / "store.db"), "--port", "0"]
    command += ["--strict", "--image-root", str(RECORDING / "images")]
    log = tmp_path / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=errors)
    try:
        for _ in range(400):
            found = re.search(r"at (http://[0-9.:]+)", log.read_text())
            try:
                if found and requests.get(f"{found[1]}/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        assert found, log.read_text()
        yield found[1]
    finally:
        process.terminate()
        process.wait(30)


def listed(step: str) -> bool:
    """Return whether ROUTES.md lists the difference of a step."""
    ranges = [part.strip().split("-") for _, _, steps in STRICT_DIFFERENCES for part in steps.split(",")]
    return any(ends[0] <= step <= ends[-1] for ends in ranges)


def test_strict_mode_agrees_but_for_what_is_listed(address: str) -> None:
    steps = {one["id"]: one for one in map(json.loads, (RECORDING / "steps.jsonl").read_text().splitlines())}
    command = [sys.executable, str(RECORDING / "replay.py"), address + PREFIX, str(RECORDING)]
    done = subprocess.run(
        [*command, "--quiet", "--status-class", "--image-tol", "1"], capture_output=True, text=True, check=False
    )
    assert "compared" in done.stdout, done.stderr
    differing = re.findall(r"^(\w+) differs  ", done.stdout, re.MULTILINE)
    answered = {(route.method, place(route.path)) for route in all_routes()}
    unanswered = {f"{one.method} {one.short}" for one in java_routes() if (one.method, place(one.path)) not in answered}
    assert [id for id in differing if not listed(id) and steps[id]["route"] not in unanswered] == []
    total = Counter(one["prio"] for one in steps.values() if one["route"] not in unanswered)
    failed = Counter(steps[id]["prio"] for id in differing if steps[id]["route"] not in unanswered)
    shares = {priority: 1 - failed[priority] / total[priority] for priority in WANTED}
    print(f"\n{len(steps)} steps, {len(differing)} differ; agreement {shares}")
    assert all(shares[priority] >= wanted for priority, wanted in WANTED.items())
