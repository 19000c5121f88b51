"""Client programs run in this process on the store of the test."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendermodules.io.images import write_image
from rendermodules.render_ws.adapter import embedded_url
from rendermodules.render_ws.clients.__main__ import main
from rendermodules.render_ws.routing import PREFIX


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rendermodules")


@pytest.fixture
def base_url(store: Path) -> str:
    return embedded_url(store) + PREFIX


@pytest.fixture
def run(base_url: str):
    """Function that runs a client on the project of the test, and on a stack if one is named; it checks the status."""

    def run(name: str, *words: Any, stack: str | None = None, status: int = 0) -> None:
        name = name if name.startswith("org.") else f"org.janelia.render.client.{name}"
        place = ["--baseDataUrl", base_url, "--owner", "owner"]
        if stack is not None:
            place += ["--project", "project", "--stack", stack]
        assert main(["1G", name, *place, *map(str, words)]) == status

    return run


@pytest.fixture
def sections(client):
    """Function that reads the tiles of a stack with references, by z and id."""

    def sections(path: str) -> dict[float, dict[str, Any]]:
        zs = client.ok("GET", f"{path}/zValues")
        return {z: client.ok("GET", f"{path}/z/{z}/resolvedTiles")["tileIdToSpecMap"] for z in zs}

    return sections


@pytest.fixture
def picture(tmp_path):
    """Function that writes an image of noise and returns its URL."""

    def picture(name: str, width: int = 100, height: int = 80, seed: int = 0) -> str:
        pixels = np.random.default_rng(seed).integers(1, 255, (height, width), dtype=np.uint8)
        write_image(tmp_path / name, pixels)
        return (tmp_path / name).as_uri()

    return picture


@pytest.fixture
def drawn_tile(tile, picture):
    """Function that makes a tile of 100 x 80 pixels with an image."""

    def drawn_tile(tile_id: str, z: float = 1.0, x: float = 0.0, y: float = 0.0, seed: int = 0, **members: Any):
        url = picture(f"{tile_id}.png", seed=seed)
        return tile(tile_id, z, x, y, mipmapLevels={"0": {"imageUrl": url}}, **members)

    return drawn_tile
