"""A service in this process on a store of its own, and a client that speaks plain HTTP to it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.store.database import close_databases

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


class Client:
    """Requests to a service; paths are below the prefix, or below a stack or a collection."""

    def __init__(self, session: requests.Session, url: str = EMBEDDED_URL) -> None:
        self.session = session
        self.base = url + PREFIX

    def send(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        if json is not None:
            options["json"] = json
        return self.session.request(method, self.base + path, timeout=60, **options)

    def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """Return the JSON of a success, or None when it has no body."""
        answer = self.send(method, path, json, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def status(self, method: str, path: str, json: Any = None, **options: Any) -> int:
        return self.send(method, path, json, **options).status_code

    def create(self, stack: str, **version: Any) -> str:
        """Make a stack and return its path."""
        path = stack_path(stack)
        self.ok("POST", path, version)
        return path

    def put(self, path: str, *tiles: dict[str, Any], transforms: tuple[dict[str, Any], ...] = ()) -> None:
        self.ok("PUT", f"{path}/resolvedTiles", collection(*tiles, transforms=transforms))

    def complete(self, path: str) -> None:
        self.ok("PUT", f"{path}/state/COMPLETE")


def stack_path(stack: str, project: str = "project") -> str:
    return f"/owner/owner/project/{project}/stack/{stack}"


def collection(*tiles: dict[str, Any], transforms: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "transformIdToSpecMap": {transform["id"]: transform for transform in transforms},
        "tileIdToSpecMap": {tile["tileId"]: tile for tile in tiles},
    }


def a_tile(tile_id: str, z: float = 1.0, x: float = 0.0, y: float = 0.0, **members: Any) -> dict[str, Any]:
    """A tile of 100 x 80 pixels at (x, y)."""
    return {
        "tileId": tile_id,
        "z": z,
        "width": 100.0,
        "height": 80.0,
        "layout": {"sectionId": f"{float(z)}"},
        "mipmapLevels": {"0": {"imageUrl": f"file:/nowhere/{tile_id}.png"}},
        "transforms": {"type": "list", "specList": [a_translation(x, y)]},
        **members,
    }


def a_translation(x: float, y: float, **members: Any) -> dict[str, Any]:
    return {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} {y}", **members}


@pytest.fixture
def tile():
    """Function that makes a tile of 100 x 80 pixels at (x, y)."""
    return a_tile


@pytest.fixture
def translation():
    """Function that makes a translation; with an ``id`` it can be shared."""
    return a_translation


@pytest.fixture(autouse=True)
def _no_open_stores():
    yield
    close_databases()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def connect(store: Path):
    """Function that opens a client to the store of the test, with the given `Settings`."""
    sessions = []

    def connect(**settings: Any) -> Client:
        session = requests.Session()
        session.trust_env = False
        adapter = EmbeddedAdapter(store)
        adapter.settings = dataclasses.replace(adapter.settings, **settings)
        session.mount(EMBEDDED_URL, adapter)
        sessions.append(session)
        return Client(session)

    yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def client(connect) -> Client:
    return connect()


@pytest.fixture
def strict_client(connect) -> Client:
    return connect(strict=True)
