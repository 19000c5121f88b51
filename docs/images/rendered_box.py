"""Make ``rendered_box.jpg``: a box of synthetic tiles as it is drawn, and the same with the outlines of its tiles.

python docs/images/rendered_box.py
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from rendermodules.core.synthetic import SyntheticSettings, section_specs
from rendermodules.core.transforms import flattened, tile_bounds, tile_transform
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path
from rendermodules.io.synthetic_files import write_synthetic_files
from rendermodules.render_ws.rendering import Renderer
from rendermodules.render_ws.rendering.output import colours

SETTINGS = SyntheticSettings(
    seed=5, sections=1, rows=3, columns=3, tile_rotation=2.0, lens_distortion=20.0, vignetting=0.0, gain=0.0
)
SCALE = 0.22
MARGIN = 20
GAP = 12
PALETTE = [(230, 75, 60), (60, 140, 230), (240, 180, 40), (80, 190, 110)]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_synthetic_files(SETTINGS, folder)
        files = {path.stem: path for path in folder.rglob("*.tif")}
        section = section_specs(
            SETTINGS, 0.0, "true", lambda tile, channel: url_of_path(files[f"{tile.tile_id}_{channel}"])
        )
        tiles = [
            {
                **tile,
                "transforms": {
                    "type": "list",
                    "specList": flattened(tile["transforms"]["specList"], section.transforms),
                },
            }
            for tile in section.tiles
        ]
        bounds = np.array([tile_bounds(tile) for tile in tiles])
        x, y = bounds[:, :2].min(axis=0) - MARGIN / SCALE
        width, height = np.ceil(bounds[:, 2:].max(axis=0) + MARGIN / SCALE - [x, y]).astype(int).tolist()
        box = {"x": x, "y": y, "width": width, "height": height, "scale": SCALE, "backgroundRGBColor": 0xFFFFFF}
        image = colours(Renderer().render({**box, "tileSpecs": tiles}))
    outlined = image.copy()
    for number, tile in enumerate(tiles):
        outline = tile_transform(tile).apply(border(tile["width"] - 1, tile["height"] - 1))
        points = np.rint((outline - [x, y]) * SCALE * 16).astype(np.int32)
        cv2.polylines(outlined, [points], True, PALETTE[number % len(PALETTE)], 2, cv2.LINE_AA, 4)
    gap = np.full((image.shape[0], GAP, 3), 255, np.uint8)
    write_image(Path(__file__).with_suffix(".jpg"), np.concatenate([image, gap, outlined], axis=1), quality=0.8)


def border(width: float, height: float) -> np.ndarray:
    """Return points along the border of an image, all around it."""
    along = np.linspace(0, 1, 40)
    zero, one = np.zeros(40), np.ones(40)
    x = np.concatenate([along, one, along[::-1], zero])
    y = np.concatenate([zero, along, one, along[::-1]])
    return np.stack([x * width, y * height], axis=1)


if __name__ == "__main__":
    main()
