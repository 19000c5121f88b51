"""Stitch a folder of tiles from images to a mosaic, and measure what each stage costs.

    python benchmarks/stitching.py                                        synthetic tiles with known truth
    python benchmarks/stitching.py --tiles FOLDER --out RESULT.json       tiles with their stage positions
    ... [--pool-size N] [--PARAMETER VALUE ...]

FOLDER has the images in ``tiles`` and their stage positions in ``nominal.json``; nothing else is read. The modules work
on an embedded store in a temporary folder. RESULT.json has, for each image by name, where the stack puts a grid of its
pixels, lens corrections included. Prints CPU seconds (workers included), wall seconds and peak memory of every stage,
and for synthetic tiles the errors. Further parameters go to stitching.stitch_section.
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
from rendermodules.synthetic import CreateSyntheticImages, EvaluateStack

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


class Stages:
    """The modules, run one after the other on a store in a folder."""

    def __init__(self, folder: Path, pool_size: int) -> None:
        self.folder = folder
        self.render = {"host": str(folder / "render.db"), "owner": "bench", "project": "stitching"}
        self.common = {"render": self.render, "pool_size": pool_size}

    def run(self, stage: str, module: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        with measured(stage):
            result: dict[str, Any] = module({**self.common, **parameters}).run()
        return result

    def stitch(self, positions: Path, images: Path, more: dict[str, str]) -> None:
        """Make the stack ``montage`` and its mosaic, and print what the solve says."""
        tiles = {"positions_file": str(positions), "image_directory": str(images)}
        self.run("import", ImportImageDirectory, output_stack="raw", **tiles)
        result = self.run("pairs, matches, solve", StitchSection, input_stack="raw", output_stack="montage", **more)
        self.run("mosaic", RenderVolume, input_stacks=["montage"], volume_dir=str(self.folder / "mosaic"))
        (solve,) = result["solves"]
        shown = ("tile_count", "used_pair_count", "used_point_count", "unmatched_tiles", "regularization", "lenses")
        print(json.dumps({name: solve[name] for name in shown} | {"residual": solve["residual"]["rms"]}))
        print(json.dumps({"warnings": solve["warnings"], "methods": solve["matching"]["methods"]}))


def stitch_folder(tiles: Path, out: Path, pool_size: int, more: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stages = Stages(Path(folder), pool_size)
        stages.stitch(tiles / "nominal.json", tiles / "tiles", more)
        placed = grids(connect(stages.render), "montage")
    out.write_text(json.dumps({"tiles": placed}), encoding="utf-8")


SYNTHETIC = (
    ("translations", {"tile_rotation": 0.0}),
    ("rotations", {"tile_rotation": 0.25}),
    ("rotations and a lens", {"tile_rotation": 0.25, "lens_distortion": 4.0}),
)


def stitch_synthetic(pool_size: int, more: dict[str, str]) -> None:
    size = {"sections": 1, "rows": 4, "columns": 4, "tile_width": 1536, "tile_height": 1536, "stage_jitter": 20.0}
    flat = {"deformation": 0.0, "section_rotation": 0.0, "section_shift": 0.0}
    for name, changes in SYNTHETIC:
        print(f"\n{name}: 4 x 4 tiles of 1536 x 1536 pixels, a tenth of overlap, stage jitter of 20 pixels")
        with tempfile.TemporaryDirectory() as folder:
            truth = Path(folder) / "truth"
            CreateSyntheticImages({**size, **flat, **changes, "output_dir": str(truth)}).run()
            stages = Stages(Path(folder), pool_size)
            stages.stitch(truth / "positions.csv", truth, more)
            evaluation = {"render": stages.render, "input_stack": "montage", "truth_dir": str(truth)}
            (errors,) = EvaluateStack(evaluation).run()["sections"]
        print(f"error {errors['before']:.2f} px before, {errors['after']:.3f} px after; seams {errors['seam']:.3f} px")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=Path, help="folder with nominal.json and a folder tiles")
    parser.add_argument("--out", type=Path, help="file for the result")
    parser.add_argument("--pool-size", type=int, default=1)
    options, rest = parser.parse_known_args()
    if (options.tiles is None) != (options.out is None):
        parser.error("--tiles and --out go together")
    more = dict(zip([name.removeprefix("--") for name in rest[::2]], rest[1::2], strict=True))
    if options.tiles is None:
        stitch_synthetic(options.pool_size, more)
    else:
        stitch_folder(options.tiles, options.out, options.pool_size, more)
    print(f"{'all, with imports':24}{cpu_seconds():8.2f} CPU s")


if __name__ == "__main__":
    main()
