"""What the service costs, against the simplest store that could answer the same: JSON rows, parsed for every request.

CPU times are the least of several repeats, in milliseconds of this process; both stores take turns in one run, so
that their ratios hold on a busy machine too. The HTTP figures are CPU of the server's processes; they stand beside the
floor, which is the same server (granian) and framework (falcon) with one route that answers a constant.

    python benchmarks/service.py [--large]

``--large`` also makes a stack of 1,000,000 tiles in 1000 layers, and 200,000 pairs of matches; that takes some minutes
and 1 GB of disk.
"""

import argparse
import gc
import json
import multiprocessing
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
from rendermodules.render_ws.models import CollectionId
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.store import matches
from rendermodules.render_ws.store.database import Database, database_at

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
STACK = "/owner/o/project/p/stack/s"
JSON = {"Content-Type": "application/json"}
COLUMNS = 40


def tile(z: int, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return a tile spec of about 1 kB, as an import writes it."""
    row, column = divmod(number, COLUMNS)
    a, b, dx, dy = rng.normal(scale=(1e-3, 1e-3, 20.0, 20.0)).tolist()
    name = f"section{z:05d}/tile_{row:03d}_{column:03d}"
    return {
        "tileId": f"t{z:05d}_{row:03d}_{column:03d}",
        "z": float(z),
        "width": 2048.0,
        "height": 2048.0,
        "minIntensity": 0.0,
        "maxIntensity": 255.0,
        "layout": {
            "sectionId": f"{z}.0", "temca": "scope", "camera": "cam0", "imageRow": row, "imageCol": column,
            "stageX": column * 1800 + dx, "stageY": row * 1800 + dy, "rotation": 0.0, "pixelsize": 4.0,
        },
        "mipmapLevels": {str(n): {"imageUrl": f"file:///data/project/raw/{n}/{name}.png"} for n in range(4)},
        "transforms": {
            "type": "list",
            "specList": [
                {
                    "type": "leaf",
                    "className": AFFINE,
                    "dataString": f"{1 + a:.10f} {b:.10f} {-b:.10f} {1 + a:.10f} "
                    f"{column * 1800 + dx:.10f} {row * 1800 + dy:.10f}",
                }
            ],
        },
    }  # fmt: skip


def body(z: int, count: int) -> bytes:
    """Return the body of a PUT of one layer, as render-python sends it."""
    rng = np.random.default_rng(z)
    tiles = [tile(z, number, rng) for number in range(count)]
    return json.dumps({"transformIdToSpecMap": {}, "tileIdToSpecMap": {one["tileId"]: one for one in tiles}}).encode()


def pairs(group: int, count: int, points: int = 50) -> list[dict[str, Any]]:
    """Return matches within one group."""
    rng = np.random.default_rng(group)
    return [
        {
            "pGroupId": f"{group}.0", "pId": f"t{group:05d}_{number:05d}",
            "qGroupId": f"{group}.0", "qId": f"t{group:05d}_{number:05d}_q",
            "matches": {
                "p": rng.random((2, points)).tolist(), "q": rng.random((2, points)).tolist(), "w": [1.0] * points,
            },
        }
        for number in range(count)
    ]  # fmt: skip


class NaiveStore:
    """One row of JSON for each tile and pair, parsed on the way in and out, pragmas as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path)
        self.connection.executescript(
            """CREATE TABLE tile (stack TEXT, tile_id TEXT, z REAL, min_x REAL, min_y REAL, max_x REAL, max_y REAL,
            spec TEXT, PRIMARY KEY (stack, tile_id)); CREATE INDEX tile_z ON tile (stack, z);
            CREATE TABLE pair (p_group TEXT, q_group TEXT, p_id TEXT, q_id TEXT, spec TEXT,
            PRIMARY KEY (p_group, q_group, p_id, q_id))"""
        )

    def put(self, content: bytes, at_once: bool = True) -> None:
        """Put tiles; their boxes are derived together, as the service does, or one by one."""
        from rendermodules.core.transforms import tile_bounds, tiles_bounds

        rows = []
        specs = list(json.loads(content)["tileIdToSpecMap"].values())
        boxes = tiles_bounds(specs).tolist() if at_once else [tuple(tile_bounds(spec)) for spec in specs]
        for spec, box in zip(specs, boxes, strict=True):
            spec |= dict(zip(("minX", "minY", "maxX", "maxY"), box, strict=True))
            rows.append(("s", spec["tileId"], spec["z"], *box, json.dumps(spec)))
        self.connection.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.connection.commit()

    def get(self, z: float) -> bytes:
        rows = self.connection.execute("SELECT spec FROM tile WHERE stack = 's' AND z = ? ORDER BY tile_id", (z,))
        return json.dumps([json.loads(spec) for (spec,) in rows]).encode()

    def clone(self, name: str) -> None:
        self.connection.execute(
            """INSERT INTO tile SELECT ?, tile_id, z, min_x, min_y, max_x, max_y, spec FROM tile
            WHERE stack = 's'""",
            (name,),
        )
        self.connection.commit()

    def put_pairs(self, content: bytes) -> None:
        rows = [
            (one["pGroupId"], one["qGroupId"], one["pId"], one["qId"], json.dumps(one)) for one in json.loads(content)
        ]
        self.connection.executemany("INSERT OR REPLACE INTO pair VALUES (?, ?, ?, ?, ?)", rows)
        self.connection.commit()

    def arrays(self, group: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        rows = self.connection.execute("SELECT spec FROM pair WHERE p_group = ? AND q_group = ?", (group, group))
        found = [json.loads(spec)["matches"] for (spec,) in rows]
        return [(np.array(one["p"]), np.array(one["q"]), np.array(one["w"])) for one in found]

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class Service:
    """The service in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount(EMBEDDED_URL, EmbeddedAdapter(path))
        self.send("POST", STACK, b"{}")

    def send(self, method: str, path: str, content: bytes | None = None) -> bytes:
        answer = self.session.request(
            method, EMBEDDED_URL + PREFIX + path, data=content, headers=JSON if content else None
        )
        assert answer.status_code < 300, answer.text
        return answer.content

    def put(self, content: bytes) -> None:
        self.send("PUT", f"{STACK}/resolvedTiles?deriveData=true", content)

    def get(self, z: float) -> bytes:
        return self.send("GET", f"{STACK}/z/{z}/tile-specs")

    def clone(self, name: str) -> None:
        self.send("PUT", f"{STACK}/cloneTo/{name}", b"{}")

    def put_pairs(self, content: bytes) -> None:
        self.send("PUT", "/owner/o/matchCollection/m/matches", content)

    def arrays(self, group: str) -> list[Any]:
        connection = database_at(self.path).connection
        key = matches.get_collection_key(connection, CollectionId("o", "m"))
        return matches.get_point_arrays(connection, key, matches.within_group(group))

    @property
    def size(self) -> int:
        database = Database(self.path)
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return self.path.stat().st_size


def least(work: Callable[[], Any], repeats: int) -> float:
    """Return the least CPU time of a call, in milliseconds."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times) * 1e3


def median(work: Callable[[int], Any], repeats: int) -> float:
    """Return the median wall time of a call, in milliseconds."""
    times = []
    for number in range(repeats):
        begun = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def compare(folder: Path) -> Iterator[tuple[str, float, float, float]]:
    """Return (what, naive, here, wanted ratio) rows."""
    naive, here = NaiveStore(folder / "naive.db"), Service(folder / "store.db")
    large = [body(z, 10_000) for z in range(3)]
    naive.put(large[0])
    here.put(large[0])

    def both(work: Callable[[Any], Any], repeats: int) -> tuple[float, float]:
        gc.collect()
        return least(lambda: work(naive), repeats), least(lambda: work(here), repeats)

    rounds = [both(lambda store, content=content: store.put(content), 1) for content in large[1:]]
    here_put = min(one[1] for one in rounds)
    yield "PUT 10,000 tiles, CPU ms", min(one[0] for one in rounds), here_put, 2
    yield "the same, boxes one by one", least(lambda: naive.put(large[1], at_once=False), 1), here_put, 2
    yield "GET a layer of 10,000 tiles, CPU ms", *both(lambda store: store.get(1.0), 5), 8
    for z in range(3, 63):
        content = body(z, 1000)
        naive.put(content)
        here.put(content)
    sizes = naive.size, here.size
    yield "disk for 90,000 tiles, MB", sizes[0] / 1e6, sizes[1] / 1e6, 1 / 0.3
    names = iter("cdefgh")
    yield "clone of 90,000 tiles, CPU ms", *both(lambda store: store.clone(next(names)), 2), 50
    yield "disk added by the two clones, MB", (naive.size - sizes[0]) / 1e6, max(here.size - sizes[1], 1) / 1e6, 50
    content = json.dumps(pairs(1, 1000)).encode()
    yield "PUT 1000 pairs of 50 points, CPU ms", *both(lambda store: store.put_pairs(content), 3), 1
    yield "1000 pairs to arrays, CPU ms", *both(lambda store: store.arrays("1.0"), 20), 20
    path = f"{STACK}/tile/t00002_003_003"
    yield "one tile in this process, median ms", float("nan"), median(lambda _: here.send("GET", path), 500), 0


def get_times(port: int, path: str, count: int) -> list[float]:
    """Return how long each of some requests took, in seconds, over one connection."""
    connection = HTTPConnection("127.0.0.1", port)
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        connection.request("GET", PREFIX + path)
        connection.getresponse().read()
        times.append(time.perf_counter() - begun)
    connection.close()
    return times


EMPTY = f"""
import socket, sys
import falcon
from granian.constants import HTTPModes, Interfaces
from granian.server import Server
class Constant:
    def on_get(self, request, response, **path):
        response.content_type, response.data = "application/json", b"x" * 1000
def load(*arguments, **options):
    application = falcon.App()
    application.add_route("{PREFIX}/owners", Constant())
    application.add_route("{PREFIX}/owner/{{owner}}/project/{{project}}/stack/{{stack}}/tile/{{tileId}}", Constant())
    return application
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
print(f"empty at http://127.0.0.1:{{port}}/", file=sys.stderr, flush=True)
Server("", address="127.0.0.1", port=port, interface=Interfaces.WSGI, blocking_threads=64, http=HTTPModes.http1,
       websockets=False, log_enabled=False).serve(target_loader=load, wrap_loader=False)
"""
"""A server whose routes answer a constant."""


class Server:
    """A server over HTTP; CPU and memory of its processes."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.port = int(self.process.stderr.readline().split(" at ")[-1].split(":")[2].split("/")[0])
        for _ in range(200):
            try:
                self.get("/owners", 1)
                break
            except OSError:
                time.sleep(0.05)

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.family())

    def memory(self) -> float:
        return sum(process.memory_info().rss for process in self.family()) / (1 << 20)

    def get(self, path: str, count: int) -> list[float]:
        return get_times(self.port, path, count)

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


def serving(store: Path) -> Server:
    """Return the service on a store."""
    return Server("-m", "rendermodules.render_ws", "--store", str(store), "--port", "0")


def over_http(store: Path) -> Iterator[tuple[str, str]]:
    """Return rows about small requests over HTTP."""
    server, empty = serving(store), Server("-c", EMPTY)
    path = f"{STACK}/tile/t00002_003_003"
    count, times = 2000, []
    cpu: dict[Server, list[float]] = {server: [], empty: []}
    for one in [server, empty] * 4:
        begun = one.cpu()
        taken = one.get(path, count)
        cpu[one].append((one.cpu() - begun) / count * 1e3)
        times += taken if one is server else []
    empty.close()
    yield "one tile over HTTP, server CPU ms", f"{min(cpu[server]):.3f} (wanted 0.15); floor {min(cpu[empty]):.3f}"
    yield "the same, median of the client", f"{statistics.median(times) * 1e3:.2f} ms"
    clients, each = 8, 500
    begun, wall = server.cpu(), time.perf_counter()
    with multiprocessing.get_context("fork").Pool(clients) as pool:
        times = sorted(sum(pool.starmap(get_times, [(server.port, path, each)] * clients), []))
    rate = clients * each / (time.perf_counter() - wall)
    cpu = (server.cpu() - begun) / (clients * each) * 1e3
    p99 = times[int(len(times) * 0.99)] * 1e3
    yield f"the same, {clients} clients", f"{cpu:.3f} ms CPU, {rate:.0f} requests/s, p99 {p99:.1f} ms"
    server.close()


def large_stack(folder: Path) -> Iterator[tuple[str, str]]:
    """Return rows about a stack of a million tiles."""
    store = folder / "large.db"
    service = Service(store)
    begun, wall = time.process_time(), time.perf_counter()
    making = 0.0
    for z in range(1000):
        start = time.process_time()
        content = body(z, 1000)
        making += time.process_time() - start
        service.put(content)
    cpu = time.process_time() - begun - making
    yield "PUT 1,000,000 tiles in 1000 layers", f"{cpu:.0f} s CPU, {time.perf_counter() - wall:.0f} s with the client"
    yield "disk", f"{service.size / 1e6:.0f} MB"
    begun = time.process_time()
    service.send("PUT", f"{STACK}/state/COMPLETE", b"")
    yield "completion", f"{(time.process_time() - begun) * 1e3:.0f} ms CPU"
    rng = np.random.default_rng(5)
    zs = rng.integers(0, 1000, 200).tolist()
    questions = {
        "a layer of 1000 tiles by z (wanted 5)": lambda i: f"{STACK}/z/{zs[i]}/tile-specs",
        "render parameters of a box with 6 tiles (wanted 1)": lambda i: (
            f"{STACK}/z/{zs[i]}/box/{(i % 30) * 1800 + 900},{(i % 20) * 1800 + 900},4096,2048,1.0/render-parameters"
        ),
        "section data of the stack (wanted 5)": lambda i: f"{STACK}/sectionData",
        "one tile": lambda i: f"{STACK}/tile/t{zs[i]:05d}_003_003",
    }
    for name, path in questions.items():
        service.send("GET", path(0))
        begun = time.process_time()
        wall = median(lambda i, path=path: service.send("GET", path(i)), 200)
        yield name, f"median {wall:.2f} ms, CPU {(time.process_time() - begun) / 200 * 1e3:.2f} ms"
    begun = time.process_time()
    service.clone("c")
    yield "clone", f"{(time.process_time() - begun) * 1e3:.0f} ms CPU, then {service.size / 1e6:.0f} MB"
    server = serving(store)
    for path in questions.values():
        for number in range(200):
            server.get(path(number), 1)
    yield "memory of the server after these", f"{server.memory():.0f} MiB (wanted 400)"
    server.close()
    begun = time.process_time()
    service.send("DELETE", STACK)
    yield "delete", f"{(time.process_time() - begun) * 1e3:.0f} ms CPU"
    for group in range(200):
        service.put_pairs(json.dumps(pairs(group, 1000)).encode())
    yield "disk with 200,000 pairs", f"{service.size / 1e6:.0f} MB"
    within = "/owner/o/matchCollection/m/group/7.0/matchesWithinGroup"
    service.send("GET", within)
    yield "1000 pairs of 200,000 as JSON", f"median {median(lambda _: service.send('GET', within), 20):.1f} ms"
    ids = "/owner/o/matchCollection/m/groupIds"
    yield "their groups", f"median {median(lambda _: service.send('GET', ids), 20):.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="a million tiles too")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print(f"{'':40} {'naive':>10} {'here':>10} {'ratio':>8} {'wanted':>8}")
        for what, naive, here, wanted in compare(folder):
            print(f"{what:40} {naive:10.2f} {here:10.3f} {naive / here:8.1f} {wanted:8.1f}", flush=True)
        print()
        for what, value in over_http(folder / "store.db"):
            print(f"{what:55} {value}", flush=True)
        if options.large:
            print()
            for what, value in large_stack(folder):
                print(f"{what:55} {value}", flush=True)


if __name__ == "__main__":
    main()
