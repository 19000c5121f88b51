"""Tiles of synthetic images, and boxes of them."""

from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.transforms import Affine
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path
from rendermodules.render_ws.rendering import Renderer


def _texture(seed: int, rows: int = 150, columns: int = 200, kind: type = np.uint8) -> np.ndarray:
    """Return smooth noise that uses the whole range of its type; no pixel is 0."""
    rng = np.random.default_rng(seed)
    waves = [rng.normal(size=4) for _ in range(8)]
    y, x = np.mgrid[0:rows, 0:columns] / 20.0
    noise = sum(np.sin(a * x + b * y + 3 * c) * (1 + d * d) for a, b, c, d in waves)
    unit = (noise - noise.min()) / (noise.max() - noise.min())
    if kind is np.float32:
        return (unit * 250 + 1).astype(np.float32)
    return (unit * (np.iinfo(kind).max - 1) + 1).astype(kind)


class Tiles:
    """Writes images to a folder and makes tile specs of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, array: np.ndarray, name: str) -> str:
        write_image(self.folder / name, array)
        return url_of_path(self.folder / name)

    def tile(self, array, matrix=((1, 0, 0), (0, 1, 0)), mask=None, name="tile", transforms=None, **fields):
        rows, columns = array.shape[:2]
        level = {"imageUrl": self.image(array, f"{name}.tif")}
        if mask is not None:
            level["maskUrl"] = self.image(mask, f"{name}_mask.png")
        specs = [Affine(matrix).spec()] if transforms is None else [transform.spec() for transform in transforms]
        return {
            "tileId": name,
            "width": columns,
            "height": rows,
            "mipmapLevels": {"0": level},
            "transforms": {"type": "list", "specList": specs},
            **fields,
        }


@pytest.fixture
def texture():
    """Make an image of smooth noise: ``texture(seed, rows, columns, kind)``."""
    return _texture


@pytest.fixture
def tiles(tmp_path) -> Tiles:
    return Tiles(tmp_path / "images")


@pytest.fixture
def draw():
    """Draw a box of tiles: ``draw(tiles, width, height, strict=False, **other_render_parameters)``."""

    def drawn(tile_specs, width, height, strict=False, keep_values=False, threads=1, **parameters):
        spec = {"width": width, "height": height, "tileSpecs": tile_specs, **parameters}
        return Renderer(strict=strict, threads=threads).render(spec, keep_values)

    return drawn
