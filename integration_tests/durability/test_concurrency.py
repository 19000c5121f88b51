"""Several writers and readers at a time: no error, no half-written layer, and nobody waits for ever."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SECONDS = float(os.environ.get("RENDERMODULES_CONCURRENCY_SECONDS", "60"))
TILES = 500

COMMON = f"""
import random, sys, time, requests
from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
session = requests.Session()
session.mount(EMBEDDED_URL, EmbeddedAdapter(sys.argv[1]))
stack = EMBEDDED_URL + "/render-ws/v1/owner/o/project/p/stack/s"
end = time.time() + {SECONDS}
generator = random.Random(int(sys.argv[2]))
affine = {{"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": "1 0 0 1 0 0"}}
tile = {{"width": 10, "height": 10, "transforms": {{"type": "list", "specList": [affine]}}}}
def body(z):
    ids = [f"{{z}}_{{i}}" for i in range({TILES})]
    return {{"tileIdToSpecMap": {{id: {{**tile, "z": z, "tileId": id}} for id in ids}}}}
session.get(stack, timeout=60)
"""

WRITER = f"""{COMMON}
while time.time() < end:
    layer = body(generator.randrange(40))
    begun = time.perf_counter()
    answer = session.put(stack + "/resolvedTiles", json=layer, timeout=60)
    print(time.perf_counter() - begun, flush=True)
    assert answer.status_code == 201, answer.text
"""

READER = f"""{COMMON}
while time.time() < end:
    begun = time.perf_counter()
    answer = session.get(f"{{stack}}/z/{{generator.randrange(40)}}/resolvedTiles", timeout=60)
    print(time.perf_counter() - begun, flush=True)
    assert answer.status_code in (200, 404), answer.text
    assert answer.status_code == 404 or len(answer.json()["tileIdToSpecMap"]) == {TILES}
"""


def test_writers_queue_fairly_and_readers_do_not_wait(tmp_path):
    store = tmp_path / "store.db"
    create = COMMON + "assert session.post(stack, json={}, timeout=60).status_code == 201"
    subprocess.run([sys.executable, "-c", create, str(store), "0"], cwd=REPOSITORY, check=True)
    programs = {"writers": [WRITER] * 4, "readers": [READER] * 4}
    running = {
        kind: [
            subprocess.Popen(
                [sys.executable, "-c", program, str(store), str(seed)],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for seed, program in enumerate(several)
        ]
        for kind, several in programs.items()
    }
    for kind, processes in running.items():
        seconds, shares = [], []
        for process in processes:
            out, error = process.communicate()
            assert process.returncode == 0, error
            # the first request opens the store and loads what it needs
            own = sorted(float(line) for line in out.split()[1:])
            shares.append(len(own))
            seconds += own
        seconds.sort()
        median, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]
        print(f"{kind}: {len(seconds)} requests, median {median * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, shares {shares}")
        if kind == "writers":
            assert p99 <= 4 * median
            assert min(shares) > max(shares) / 2
