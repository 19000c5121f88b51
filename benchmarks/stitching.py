"""Stitch a folder of tiles from images to a mosaic, and measure what each stage costs.

    python benchmarks/stitching.py --tiles FOLDER --out RESULT.json [--pool-size N] [--PARAMETER VALUE ...]

FOLDER has the images in ``tiles`` and their stage positions in ``nominal.json``; nothing else is read. The modules work
on an embedded store in a temporary folder. RESULT.json has, for each image by name, where the stack puts a grid of its
pixels, lens corrections included. Prints CPU seconds (workers included), wall seconds and peak memory of every stage.
Further parameters go to stitching.stitch_section.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rendermodules.core.transforms import tile_transform
from rendermodules.dataimport import ImportImageDirectory
from rendermodules.io.paths import path_of_url
from rendermodules.materialize import RenderVolume
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.stitching import StitchSection

GRID = 17


def cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


@contextmanager
def measured(stage: str) -> Iterator[None]:
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{stage:24}{cpu_seconds() - cpu:8.2f} CPU s{time.perf_counter() - wall:8.2f} s{peak:8.0f} MiB", flush=True)


def grids(render: Any, stack: str) -> dict[str, dict[str, Any]]:
    """Return where a stack puts a grid of the pixels of each image, by the name of the file."""
    section = stacks.read_section(render, stack, 0.0)
    placed = {}
    for tile in section.tiles:
        x, y = (np.linspace(0, tile[side] - 1, GRID) for side in ("width", "height"))
        pixels = np.stack(np.meshgrid(x, y), axis=-1)
        name = Path(path_of_url(tile["mipmapLevels"]["0"]["imageUrl"])).name
        placed[name] = {"grid": tile_transform(tile, section.transforms).apply(pixels).tolist()}
    return placed


def stitch(tiles: Path, folder: Path, pool_size: int, more: dict[str, str]) -> dict[str, Any]:
    """Run the modules; return the grids."""
    common = {"render": {"host": str(folder / "render.db"), "owner": "bench", "project": "stitching"}}
    common = {**common, "pool_size": pool_size}

    def run(stage: str, module: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        with measured(stage):
            result: dict[str, Any] = module({**common, **parameters}).run()
        return result

    run(
        "import",
        ImportImageDirectory,
        positions_file=str(tiles / "nominal.json"),
        image_directory=str(tiles / "tiles"),
        output_stack="raw",
    )
    result = run("pairs, matches, solve", StitchSection, input_stack="raw", output_stack="montage", **more)
    run("mosaic", RenderVolume, input_stacks=["montage"], volume_dir=str(folder / "mosaic"))
    (solve,) = result["solves"]
    shown = ("tile_count", "used_pair_count", "used_point_count", "unmatched_tiles", "regularization", "lenses")
    print(json.dumps({name: solve[name] for name in shown} | {"residual": solve["residual"]["rms"]}))
    print(json.dumps({"warnings": solve["warnings"], "methods": solve["matching"]["methods"]}))
    return grids(connect(common["render"]), "montage")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=Path, required=True, help="folder with nominal.json and a folder tiles")
    parser.add_argument("--out", type=Path, required=True, help="file for the result")
    parser.add_argument("--pool-size", type=int, default=1)
    options, rest = parser.parse_known_args()
    more = dict(zip([name.removeprefix("--") for name in rest[::2]], rest[1::2], strict=True))
    start = cpu_seconds()
    with tempfile.TemporaryDirectory() as folder:
        placed = stitch(options.tiles, Path(folder), options.pool_size, more)
    print(f"{'all, with imports':24}{cpu_seconds():8.2f} CPU s, of which {start:.2f} before the first stage")
    options.out.write_text(json.dumps({"tiles": placed}), encoding="utf-8")


if __name__ == "__main__":
    main()
