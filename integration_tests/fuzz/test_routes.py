"""Every route of a server, with requests made from its own OpenAPI document."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import requests

from rendermodules.render_ws.routing import PREFIX

pytest.importorskip("schemathesis")

REPOSITORY = Path(__file__).parents[2]
SECONDS = float(os.environ.get("RENDERMODULES_FUZZ_SECONDS", "60"))
MOST_GROWTH = 150 << 20
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"

EXISTING = {
    "owner": ["o"],
    "project": ["p"],
    "stack": ["s", "full"],
    "toStack": ["copy", "full"],
    "matchCollection": ["m"],
    "tileId": ["a", "b"],
    "z": [1, 2.5],
    "sectionId": ["1.0"],
    "groupId": ["1.0", "g"],
    "qGroupId": ["1.0"],
    "id": ["a"],
    "qId": ["b"],
    "transformId": ["lens"],
    "scale": [1.0, 0.25],
    "width": [64, 7],
    "height": [32, 9],
    "level": [0, 2],
    "row": [0],
    "column": [0, 1],
}


def fill(url, folder):
    """Put a stack, images and matches into the store of a server."""
    cv2.imwrite(str(folder / "image.png"), np.arange(8000, dtype=np.uint16).reshape(80, 100).astype(np.uint8))
    lens = {"type": "leaf", "id": "lens", "className": AFFINE, "dataString": "1 0 0 1 3 2"}

    def tile(tile_id, z, x):
        affine = {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} 0"}
        return {
            "tileId": tile_id, "z": z, "width": 100, "height": 80, "groupId": "g", "layout": {"sectionId": f"{z}"},
            "mipmapLevels": {"0": {"imageUrl": f"file://{folder}/image.png"}},
            "transforms": {"type": "list", "specList": [{"type": "ref", "refId": "lens"}, affine]},
        }  # fmt: skip

    tiles = [tile("a", 1.0, 0), tile("b", 1.0, 90), tile("c", 2.5, 0)]
    body = {"transformIdToSpecMap": {"lens": lens}, "tileIdToSpecMap": {one["tileId"]: one for one in tiles}}
    pair = {"pGroupId": "1.0", "pId": "a", "qGroupId": "1.0", "qId": "b"}
    pair |= {"matches": {"p": [[95], [5]], "q": [[5], [5]], "w": [1]}}
    for stack in ("s", "full"):
        path = f"{url}{PREFIX}/owner/o/project/p/stack/{stack}"
        requests.post(path, json={}, timeout=30)
        requests.put(f"{path}/resolvedTiles?deriveData=true", json=body, timeout=30)
    requests.put(f"{url}{PREFIX}/owner/o/project/p/stack/full/state/COMPLETE", timeout=30)
    requests.put(f"{url}{PREFIX}/owner/o/matchCollection/m/matches", json=[pair], timeout=30)


def narrowed(document):
    """Let three of four values of the path be those that exist."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                values = EXISTING.get(parameter["name"]) if parameter["in"] == "path" else None
                if values:
                    parameter["schema"] = {"anyOf": [{"enum": values}] * 3 + [parameter["schema"]]}
    return document


@pytest.fixture
def server(tmp_path):
    """A server with data, its address and the folder of its logs."""
    log = tmp_path / "access.log"
    command = [sys.executable, "-m", "rendermodules.render_ws", "--store", str(tmp_path / "store.db"), "--port", "0"]
    with (tmp_path / "server.log").open("w") as errors:
        process = subprocess.Popen([*command, "--access-log", str(log)], cwd=REPOSITORY, stderr=errors)
        url = ""
        for _ in range(200):
            found = re.search(r"at (http://[0-9.:]+)", (tmp_path / "server.log").read_text())
            if found:
                url = found[1]
                break
            time.sleep(0.05)
        for _ in range(200):
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        fill(url, tmp_path)
        yield process, url, tmp_path
        process.terminate()
        process.wait(30)


def memory(process):
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return sum(one.memory_info().rss for one in family)


@contextmanager
def refilled(url, folder):
    """Put the data back now and then during the block: the fuzzer deletes them."""
    stopped = threading.Event()

    def refill():
        while not stopped.wait(1.0):
            fill(url, folder)

    filler = threading.Thread(target=refill)
    filler.start()
    try:
        yield
    finally:
        stopped.set()
        filler.join()


def fuzzed(schema, url, seed, seconds):
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", str(schema)]
    options = {
        "url": url,
        "checks": "not_a_server_error",
        "phases": "coverage,fuzzing",
        "seed": seed,
        "max-examples": 30,
        "request-timeout": 30,
        "suppress-health-check": "all",
        "max-time": int(seconds),
        "warnings": "off",
    }
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command += ["--no-shrink", "--no-color"]
    return subprocess.run(command, capture_output=True, text=True, cwd=schema.parent, check=False)


def test_no_request_breaks_the_service(server):
    process, url, folder = server
    schema = folder / "swagger.json"
    schema.write_text(json.dumps(narrowed(requests.get(f"{url}/swagger.json", timeout=30).json())))
    memories = []
    with refilled(url, folder):
        end, seed = time.time() + SECONDS, 0
        while time.time() < end:
            seed += 1
            done = fuzzed(schema, url, seed, max(10, end - time.time()))
            assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
            memories.append(memory(process))
    statuses = Counter(json.loads(line)["status"] for line in (folder / "access.log").read_text().splitlines())
    megabytes = [memory >> 20 for memory in memories]
    print(f"\n{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}; memory {megabytes} MiB")
    assert not [status for status in statuses if status >= 500 and status not in (501, 507)]
    assert "Traceback" not in (folder / "server.log").read_text()
    assert requests.get(f"{url}/health", timeout=10).json()["status"] == "ok"
    if len(memories) > 2:
        assert memories[-1] < memories[1] + MOST_GROWTH
