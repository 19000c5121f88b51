"""Megapixels per CPU second of making the levels 1 to 3 of 8-bit TIFF files as TIFF files.

Beside it the way of the predecessors on the same images: Pillow resizes the original for every level.

    python benchmarks/mipmaps.py [--size 2048] [--images 16] [--folder /tmp]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from rendermodules.core.synthetic import SyntheticSettings, section_tiles, tile_image
from rendermodules.io.images import write_image
from rendermodules.io.mipmaps import MipmapWriting, RenderLayout, write_mipmaps

LEVELS = (1, 2, 3)


def by_rendermodules(images: list[Path], folder: Path, method: str) -> None:
    writing = MipmapWriting(RenderLayout(str(folder)), LEVELS, method, redo=True)
    for path in images:
        write_mipmaps(path, writing)


def by_pillow(images: list[Path], folder: Path, resampling: Image.Resampling | None) -> None:
    folder.mkdir(exist_ok=True)
    for path in images:
        original = Image.open(path)
        for level in LEVELS:
            size = original.width >> level, original.height >> level
            small = original.resize(size) if resampling is None else original.resize(size, resampling)
            small.save(folder / f"{path.stem}_mip{level:02d}.tif")


def cpu_seconds(work: Callable[[], None], repeats: int = 3) -> float:
    """Least CPU time of several runs; the first, which compiles and warms, does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=2048, help="edge of an image in pixels")
    parser.add_argument("--images", type=int, default=16, help="number of images")
    parser.add_argument("--folder", help="where to work; a temporary folder if absent")
    options = parser.parse_args()
    settings = SyntheticSettings(sections=1, rows=1, columns=1, tile_width=options.size, tile_height=options.size)
    picture = tile_image(settings, section_tiles(settings, 0)[0])
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        images = [folder / f"raw/tile_{number:03d}.tif" for number in range(options.images)]
        for path in images:
            write_image(path, picture)
        ways: dict[str, Callable[[], None]] = {
            "rendermodules, mean": lambda: by_rendermodules(images, folder / "ours", "mean"),
            "rendermodules, median": lambda: by_rendermodules(images, folder / "ours", "median"),
            "rendermodules, bicubic": lambda: by_rendermodules(images, folder / "ours", "bicubic"),
            "predecessors: Pillow's default per level": lambda: by_pillow(images, folder / "pillow", None),
            "Pillow BOX per level": lambda: by_pillow(images, folder / "pillow", Image.Resampling.BOX),
            "Pillow NEAREST per level": lambda: by_pillow(images, folder / "pillow", Image.Resampling.NEAREST),
        }
        seconds = {way: cpu_seconds(work) for way, work in ways.items()}
    megapixels = options.images * picture.size / 1e6
    slow = seconds["predecessors: Pillow's default per level"]
    print(f"{options.images} images of {options.size} x {options.size}, 8-bit TIFF to TIFF, levels 1 to 3\n")
    print(f"{'':42}{'Mpx per CPU s':>14}{'times the predecessors':>24}")
    for way, time_taken in seconds.items():
        print(f"{way:42}{megapixels / time_taken:14.0f}{slow / time_taken:24.1f}")


if __name__ == "__main__":
    main()
