"""Programs killed in mid-write: nothing acknowledged is lost, nothing half-written is seen."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rendermodules.render_ws.models import StackId
from rendermodules.render_ws.store import stacks, tiles
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.maintenance import problems_of
from rendermodules.render_ws.store.tiles import Selection

REPOSITORY = Path(__file__).parents[2]
KILLS = 25
TILES = 300

# puts layers one after the other, and says so after each; some are put again, some deleted, some cloned
WRITER = f"""
import itertools, sys, requests
from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
session = requests.Session()
session.mount(EMBEDDED_URL, EmbeddedAdapter(sys.argv[1]))
stack = EMBEDDED_URL + "/render-ws/v1/owner/o/project/p/stack/s"
session.post(stack, json={{}}, timeout=60)
for z in itertools.count(int(sys.argv[2])):
    ids = [f"{{z}}_{{i}}" for i in range({TILES})]
    affine = {{"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {{z}} 0"}}
    tile = {{"z": z, "width": 10, "height": 10, "transforms": {{"type": "list", "specList": [affine]}}}}
    body = {{"tileIdToSpecMap": {{id: {{**tile, "tileId": id, "url": "file:/" + id * 9}} for id in ids}}}}
    assert session.put(stack + "/resolvedTiles", json=body, timeout=60).status_code == 201
    print(z, flush=True)
    if z % 5 == 4:
        session.put(stack + "/cloneTo/c" + str(z), json={{}}, timeout=60)
        session.delete(f"{{stack}}/z/{{z}}", timeout=60)
        assert session.put(stack + "/resolvedTiles", json=body, timeout=60).status_code == 201
        print(z, flush=True)
"""


@pytest.mark.parametrize("writers", [1, 2])
def test_kill_9_in_mid_write(tmp_path, writers):
    generator = random.Random(writers)
    store = tmp_path / "store.db"
    acknowledged: set[int] = set()
    torn, lost, unsound = [], [], []
    for kill in range(KILLS if writers == 1 else KILLS // 2):
        first = [kill * 10_000 + 1_000_000 * writer for writer in range(writers)]
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(store), str(begin)],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                text=True,
            )
            for begin in first
        ]
        # wait until each has begun to write, then at any moment
        said = [process.stdout.readline() for process in processes]
        time.sleep(generator.uniform(0, 0.3))
        for process in processes:
            process.kill()
        for process, begun in zip(processes, said, strict=True):
            rest, _ = process.communicate()
            acknowledged |= {int(line) for line in (begun + rest).split()}
        database = Database(store)
        stack = stacks.get_stack(database.connection, StackId("o", "p", "s"))
        for z in stacks.get_z_values(database.connection, stack):
            if tiles.count_tiles(database.connection, stack, Selection(z=z)) != TILES:
                torn.append((kill, z))
        present = set(stacks.get_z_values(database.connection, stack))
        # a layer that is deleted and put again may be absent in between
        lost += [(kill, z) for z in acknowledged if z not in present and z % 5 != 4]
        database.close()
        unsound += [(kill, problem) for problem in problems_of(store)]
    assert (torn, lost, unsound) == ([], [], [])
    assert len(acknowledged) > KILLS / 2
    print(json.dumps({"writers": writers, "acknowledged layers": len(acknowledged)}))
