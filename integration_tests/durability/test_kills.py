"""Programs killed in mid-write: nothing acknowledged is lost, nothing half-written is seen."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from rendermodules.render_ws.models import StackId
from rendermodules.render_ws.routing import PREFIX
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
from rendermodules.render_ws.sessions import mounted
session = requests.Session()
stack = mounted(session, sys.argv[1], 0) + "/render-ws/v1/owner/o/project/p/stack/s"
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


def started(program, *arguments, **options):
    return subprocess.Popen([sys.executable, *program, *arguments], cwd=REPOSITORY, text=True, **options)


def served(store):
    """Return a server's process, those of its workers, and its address."""
    server = started(["-m", "rendermodules.render_ws"], "--store", str(store), "--port", "0", stderr=subprocess.PIPE)
    address = server.stderr.readline().split(" at ")[-1].strip().removesuffix(PREFIX)
    for _ in range(200):
        try:
            requests.get(f"{address}/health", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.05)
    return server, psutil.Process(server.pid).children(), address


@pytest.mark.parametrize(("writers", "through_a_server"), [(1, False), (2, False), (3, True)])
def test_kill_9_in_mid_write(tmp_path, writers, through_a_server):
    generator = random.Random(writers)
    store = tmp_path / "store.db"
    acknowledged: set[int] = set()
    torn, lost, unsound = [], [], []
    for kill in range(KILLS // writers):
        places, servers = [str(store)] * writers, []
        if through_a_server:
            server, workers, places[0] = served(store)
            servers = [server, *workers]
        first = [kill * 10_000 + 1_000_000 * writer for writer in range(writers)]
        processes = [
            started(["-c", WRITER], place, str(begin), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for place, begin in zip(places, first, strict=True)
        ]
        # wait until each has begun to write, then at any moment
        said = [process.stdout.readline() for process in processes]
        time.sleep(generator.uniform(0, 0.3))
        for process in [*servers, *processes]:
            process.kill()
        for process, begun in zip(processes, said, strict=True):
            rest, _ = process.communicate()
            acknowledged |= {int(line) for line in (begun + rest).split()}
        if through_a_server:
            server.communicate()
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
    assert len(acknowledged) >= KILLS // writers * writers
    print(json.dumps({"writers": writers, "acknowledged layers": len(acknowledged)}))
