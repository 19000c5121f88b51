"""A service to test, three times: in this process, over HTTP, and Java's when there is one."""

import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import renderapi
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
from rendermodules.render_ws.java_routes import java_routes
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.store.database import close_databases

REPOSITORY = Path(__file__).parents[2]
OWNER = "contract"
AFFINE = "mpicbg.trakem2.transform.AffineModel2D"

# the most specific template first: "{id}" matches "matches" too
TEMPLATES = sorted(
    (
        (route, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+?", re.escape(PREFIX + route.path)) + "/?"))
        for route in java_routes()
    ),
    key=lambda pair: pair[0].path.count("{"),
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "routes(*names): the routes of Java Render that a test is about")
    config.addinivalue_line("markers", "differs_from_java(reason): this service answers otherwise on purpose")


class Session(requests.Session):
    """Remembers which routes were called."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.called: set[str] = set()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path = urlsplit(request.url or "").path
        for route, pattern in TEMPLATES:
            if route.method == request.method and pattern.fullmatch(path):
                self.called.add(f"{route.method} {route.short}")
                break
        return super().send(request, **options)


class Service:
    """One project on a service: render-python's connection, and plain requests."""

    def __init__(self, kind: str, url: str, session: Session, images: Path | None) -> None:
        self.kind = kind
        self.session = session
        self.images = images
        self.base = url + PREFIX
        self.project = f"p{uuid.uuid4().hex[:12]}"
        self.render = renderapi.render.Render(
            host=url, port=None, owner=OWNER, project=self.project, client_scripts="", session=session
        )

    def stack(self, name: str = "s") -> str:
        return f"/owner/{OWNER}/project/{self.project}/stack/{name}"

    def collection(self, name: str = "m") -> str:
        return f"/owner/{OWNER}/matchCollection/{self.collection_name(name)}"

    def collection_name(self, name: str = "m") -> str:
        return f"{self.project}_{name}"

    def send(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        if json is not None:
            options["json"] = json
        return self.session.request(method, self.base + path, timeout=60, **options)

    def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        answer = self.send(method, path, json, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        if not answer.content:
            return None
        return answer.json() if answer.headers["Content-Type"].startswith("application/json") else answer

    def fails(self, method: str, path: str, json: Any = None, **options: Any) -> None:
        answer = self.send(method, path, json, **options)
        assert answer.status_code >= 400, f"{method} {path}: {answer.status_code}"

    def image(self, path: str) -> np.ndarray:
        """An image of the answer; colours are blue, green, red (, alpha)."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return image

    def put(self, *tiles: dict[str, Any], stack: str = "s", transforms: tuple[dict[str, Any], ...] = ()) -> None:
        """Put tiles into a stack, made when it does not exist."""
        if self.send("GET", self.stack(stack)).status_code == 404:
            self.ok("POST", self.stack(stack), {"stackResolutionX": 4.0})
        body = {
            "transformIdToSpecMap": {transform["id"]: transform for transform in transforms},
            "tileIdToSpecMap": {tile["tileId"]: tile for tile in tiles},
        }
        self.ok("PUT", f"{self.stack(stack)}/resolvedTiles?deriveData=true", body)

    def complete(self, stack: str = "s") -> None:
        self.ok("PUT", f"{self.stack(stack)}/state/COMPLETE")

    def clean(self) -> None:
        for metadata in self.send("GET", f"/owner/{OWNER}/project/{self.project}/stacks").json():
            path = self.stack(metadata["stackId"]["stack"])
            if metadata["state"] == "READ_ONLY":
                self.send("PUT", f"{path}/state/COMPLETE")
            self.send("DELETE", path)
        for collection in self.send("GET", f"/owner/{OWNER}/matchCollections").json():
            name = collection["collectionId"]["name"]
            if name.startswith(self.project):
                self.send("DELETE", f"/owner/{OWNER}/matchCollection/{name}")


KINDS = ["embedded", "http", "java"]


@pytest.fixture(scope="session", params=KINDS)
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Path | None, Path | None]]:
    """Kind, URL, store and folder of images of a service."""
    if request.param == "java":
        host = os.environ.get("RENDER_HOST")
        if not host:
            pytest.skip("RENDER_HOST names no Java Render server")
        url = host if "://" in host else f"http://{host}:{os.environ.get('RENDER_PORT', '8080')}"
        images = os.environ.get("RENDER_CONTRACT_IMAGES")
        yield "java", url, None, None if images is None else Path(images)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"
        if request.param == "embedded":
            yield "embedded", EMBEDDED_URL, store, Path(folder)
            close_databases()
            return
        command = [sys.executable, "-m", "rendermodules.render_ws", "--store", str(store), "--port", "0"]
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        url = process.stderr.readline().split(" at ")[-1].strip().removesuffix(PREFIX)
        for _ in range(200):
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield "http", url, None, Path(folder)
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def service(address: Any, request: pytest.FixtureRequest) -> Iterator[Service]:
    """A project of its own on each kind of service; checks that the routes named were called."""
    kind, url, store, images = address
    if kind == "java" and request.node.get_closest_marker("differs_from_java"):
        pytest.skip("differs from Java Render on purpose")
    session = Session()
    if store is not None:
        session.mount(EMBEDDED_URL, EmbeddedAdapter(store))
    service = Service(kind, url, session, images)
    yield service
    called = set(session.called)
    service.clean()
    session.close()
    named = {name for marker in request.node.iter_markers("routes") for name in marker.args}
    assert named <= called, f"named but not called: {sorted(named - called)}"


@pytest.fixture
def render(service: Service) -> renderapi.render.Render:
    return service.render


@pytest.fixture
def tile() -> Any:
    """Function that makes a tile of 100 x 80 pixels at (x, y)."""

    def make(tile_id: str, z: float = 1.0, x: float = 0.0, y: float = 0.0, **members: Any) -> dict[str, Any]:
        affine = {"type": "leaf", "className": AFFINE, "dataString": f"1.0 0.0 0.0 1.0 {x} {y}"}
        return {
            "tileId": tile_id,
            "z": z,
            "width": 100.0,
            "height": 80.0,
            "minIntensity": 0.0,
            "maxIntensity": 255.0,
            "layout": {"sectionId": f"{float(z)}", "imageRow": 0, "imageCol": int(x // 90), "stageX": x, "stageY": y},
            "mipmapLevels": {"0": {"imageUrl": f"file:///nowhere/{tile_id}.png"}},
            "transforms": {"type": "list", "specList": [affine]},
            **members,
        }

    return make


@pytest.fixture
def drawn(service: Service, tile: Any) -> Any:
    """Function that makes a tile with an image of one gray, or a gradient without one, on disk."""
    if service.images is None:
        pytest.skip("RENDER_CONTRACT_IMAGES names no folder that the server can read")

    def make(tile_id: str, gray: int | None = None, mask: bool = False, **options: Any) -> dict[str, Any]:
        image = np.full((80, 100), gray, np.uint8) if gray is not None else np.zeros((80, 100), np.uint8)
        if gray is None:
            image += np.arange(100, dtype=np.uint8) * 2
        name = f"{service.project}_{tile_id}"
        files = {"imageUrl": image}
        if mask:
            half = np.zeros((80, 100), np.uint8)
            half[:, :50] = 255
            files["maskUrl"] = half
        levels = {}
        for member, pixels in files.items():
            file = service.images / f"{name}_{member}.png"
            cv2.imwrite(str(file), pixels)
            levels[member] = f"file://{file}"
        return tile(tile_id, mipmapLevels={"0": levels}, **options)

    return make
