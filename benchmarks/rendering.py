"""How fast boxes are drawn: megapixels of the result per second and per second of CPU, and against the Java renderer.

Tiles are 2048 x 2048 pixels of synthetic texture that overlap by 205, stored as raw TIFF and in the cache already;
transforms are read anew for each box, as the Java renderer does. Java's figures are those of its single thread, of a
warm virtual machine: megapixels per second of a quiet machine for full scale, per second of CPU for the others.

    python benchmarks/rendering.py [--repeats 7]
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from rendermodules.core.transforms import Affine, LensCorrection, ThinPlateSpline
from rendermodules.io.image_cache import ImageCache
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path
from rendermodules.render_ws.rendering import Renderer, RenderParameters

SIZE, OVERLAP = 2048, 205
STEP = SIZE - OVERLAP

# name, tiles in a row, lens and spline, soft masks, box (x, y, side), scale, Java's megapixels per second
CASES = [
    ("4 tiles, affine", 2, False, False, ((STEP + SIZE) // 2 - 1024, 2048), 1.0, 49.7),
    ("4 tiles, affine, soft masks", 2, False, True, ((STEP + SIZE) // 2 - 1024, 2048), 1.0, 25.0),
    ("4 tiles, lens + affine + spline", 2, True, False, ((STEP + SIZE) // 2 - 1024, 2048), 1.0, 34.4),
    ("4 tiles, lens + affine + spline, soft masks", 2, True, True, ((STEP + SIZE) // 2 - 1024, 2048), 1.0, 22.8),
    ("9 tiles, affine", 3, False, False, (STEP, 2048), 1.0, 32.9),
    ("9 tiles, lens + affine + spline", 3, True, False, (STEP, 2048), 1.0, 26.9),
    ("9 tiles, affine, scale 0.5", 3, False, False, (0, 5734), 0.5, 39.6),
    ("9 tiles, lens + affine + spline, scale 0.5", 3, True, False, (0, 5734), 0.5, 26.4),
    ("9 tiles, affine, scale 0.25", 3, False, False, (0, 5734), 0.25, 26.7),
    ("9 tiles, lens + affine + spline, scale 0.25", 3, True, False, (0, 5734), 0.25, 19.7),
    ("9 tiles, affine, soft masks, scale 0.25", 3, False, True, (0, 5734), 0.25, 22.8),
]


def write_tiles(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for number in range(9):
        noise = rng.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
        texture = cv2.normalize(cv2.GaussianBlur(noise, (9, 9), 2), None, 0, 255, cv2.NORM_MINMAX)
        write_image(folder / f"tile{number}.tif", texture)
    ramp = np.clip(np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]) * (255 / 100), 0, 255)
    write_image(folder / "mask.tif", np.minimum.outer(ramp, ramp).astype(np.uint8))


def lens() -> LensCorrection:
    coefficients = np.zeros((21, 2))
    coefficients[0] = [600, 0.5]
    coefficients[1] = [-0.5, 600]
    coefficients[2:20] = np.random.default_rng(2).normal(size=(18, 2))
    coefficients[20] = [10.24, 10.24]
    mean, variance = np.zeros(21), np.ones(21)
    powers = [(j, degree - j) for degree in range(1, 6) for j in range(degree, -1, -1)]
    for term, (i, j) in enumerate(powers):
        mean[term] = (SIZE / 2) ** (i + j)
        variance[term] = mean[term] * 0.6
    variance[:2] = 600
    return LensCorrection(5, coefficients, mean, variance, SIZE, SIZE)


def spline() -> ThinPlateSpline:
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.linspace(0, 3 * STEP, 5)] * 2), axis=-1).reshape(-1, 2)
    return ThinPlateSpline(grid, rng.normal(size=grid.shape) * 2e-7, np.zeros((2, 3)))


def parameters(
    folder: Path, row: int, deformed: bool, masked: bool, box: tuple[int, int], scale: float
) -> RenderParameters:
    rng = np.random.default_rng(4)
    tiles = []
    for number in range(row * row):
        x, y = number % row * STEP, number // row * STEP
        turn = rng.normal() * 0.002
        affine = Affine(
            [[np.cos(turn), -np.sin(turn), x + rng.normal()], [np.sin(turn), np.cos(turn), y + rng.normal()]]
        )
        transforms = [lens().spec(), affine.spec(), spline().spec()] if deformed else [affine.spec()]
        level = {"imageUrl": url_of_path(folder / f"tile{number}.tif")}
        if masked:
            level["maskUrl"] = url_of_path(folder / "mask.tif")
        tiles.append(
            {
                "tileId": f"t{number}",
                "width": SIZE,
                "height": SIZE,
                "mipmapLevels": {"0": level},
                "transforms": {"type": "list", "specList": transforms},
            }
        )
    begin, side = box
    return RenderParameters.of(
        {"x": begin, "y": begin, "width": side, "height": side, "scale": scale, "tileSpecs": tiles}
    )


def best_times(renderer: Renderer, box: RenderParameters, repeats: int) -> tuple[float, float]:
    """Return the shortest wall and CPU time of a box."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        renderer.render(box)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls[1:] or walls), min(cpus[1:] or cpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="how often each box is drawn; the best counts")
    repeats = parser.parse_args().repeats
    cv2.setNumThreads(1)
    images = ImageCache(2 << 30)
    one, two = Renderer(images, threads=1), Renderer(images, threads=2)
    head = ("case", "MP", "1 thread MP/s", "MP/CPU s", "2 threads MP/s", "MP/CPU s", "2 : 1", "to Java (CPU)")
    print(f"{head[0]:48} {head[1]:>5} {head[2]:>14} {head[3]:>9} {head[4]:>15} {head[5]:>9} {head[6]:>6} {head[7]:>14}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tiles(folder)
        for title, row, deformed, masked, box, scale, java in CASES:
            drawn = parameters(folder, row, deformed, masked, box, scale)
            width, height = drawn.image_size
            megapixels = width * height / 1e6
            (wall_1, cpu_1), (wall_2, cpu_2) = (best_times(renderer, drawn, repeats) for renderer in (one, two))
            figures = (megapixels / wall_1, megapixels / cpu_1, megapixels / wall_2, megapixels / cpu_2)
            rates = " ".join(f"{figure:{width}.0f}" for figure, width in zip(figures, (14, 9, 15, 9), strict=True))
            print(f"{title:48} {megapixels:5.2f} {rates} {wall_1 / wall_2:6.2f} {figures[1] / java:13.1f}x")


if __name__ == "__main__":
    main()
