"""CPU seconds and memory of importing many tiles into an embedded store, and what of it is the store's own.

python benchmarks/importing.py [--sections 100] [--tiles 1000] [--folder /tmp]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import numpy as np

from rendermodules.dataimport import ImportImageDirectory, ImportStatetable, ImportTilespecs
from rendermodules.io.images import write_image
from rendermodules.module import stacks
from rendermodules.module.connection import connect

AFFINE = "a00,a01,a02,a10,a11,a12"


def write_inputs(folder: Path, sections: int, tiles: int) -> None:
    """Write small images (links to one a section) with a table of positions, a state table and files of tile specs."""
    positions = ["file,x,y,z"]
    states = [f"ribbon,section,ch_name,full_path,z,tileID,{AFFINE}"]
    (folder / "specs").mkdir()
    for z in range(sections):
        first = folder / f"images/s{z:04d}/t0000.tif"
        write_image(first, np.zeros((64, 64), np.uint8))
        specs = []
        for tile in range(tiles):
            path = first.with_name(f"t{tile:04d}.tif")
            if path != first:
                os.link(first, path)
            name, x, y = path.relative_to(folder / "images"), tile % 32 * 60, tile // 32 * 60
            positions.append(f"{name},{x},{y},{z}")
            states.append(f"0,{z},DAPI,{name},{z},z{z}t{tile},1,0,{x},0,1,{y}")
            affine = {"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} {y}"}
            specs.append(
                {
                    "tileId": f"z{z}t{tile}",
                    "z": z,
                    "width": 64,
                    "height": 64,
                    "layout": {"sectionId": str(z)},
                    "mipmapLevels": {"0": {"imageUrl": path.as_uri()}},
                    "transforms": {"type": "list", "specList": [affine]},
                }
            )
        (folder / f"specs/{z:04d}.json").write_text(json.dumps(specs))
    (folder / "positions.csv").write_text("\n".join(positions))
    (folder / "states.csv").write_text("\n".join(states))


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process for one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def written_by_store_alone(folder: Path, sections: int) -> None:
    render = connect({"host": str(folder / "copy.db"), "owner": "o", "project": "p"})
    source = connect({"host": str(folder / "tilespecs.db"), "owner": "o", "project": "p"})
    stacks.open_stack(render, "raw", {})
    for z in range(sections):
        stacks.write_section(render, "raw", stacks.read_section(source, "raw", z))
    stacks.close_stack(render, "raw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sections", type=int, default=100)
    parser.add_argument("--tiles", type=int, default=1000, help="tiles of a section")
    parser.add_argument("--folder", help="where to work; a temporary folder if absent")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        write_inputs(folder, options.sections, options.tiles)

        def run(module: type, store: str, **parameters: object) -> float:
            render = {"host": str(folder / f"{store}.db"), "owner": "o", "project": "p"}
            return cpu_seconds(lambda: module(input_data={"render": render, **parameters}).run())

        table = {"positions_file": str(folder / "positions.csv"), "image_directory": str(folder / "images")}
        table.update(output_stack="raw", tile_id="z{z}{stem}")
        states = {"statetable_files": [str(folder / "states.csv")], "project_directory": str(folder / "images")}
        seconds = {
            "import_image_directory, headers of all images": run(ImportImageDirectory, "each", **table),
            "import_image_directory, first of each channel": run(
                ImportImageDirectory, "first", **table, image_sizes="first"
            ),
            "import_statetable, headers of all images": run(ImportStatetable, "states", **states),
            "import_tilespecs": run(
                ImportTilespecs, "tilespecs", output_stack="raw", tilespec_files=[str(folder / "specs/*.json")]
            ),
        }
        seconds["read and written by the store alone"] = cpu_seconds(
            lambda: written_by_store_alone(folder, options.sections)
        )
    tiles = options.sections * options.tiles
    print(f"{tiles} tiles in {options.sections} sections, one process\n")
    print(f"{'':50}{'CPU s':>8}{'tiles per CPU s':>17}")
    for work, spent in seconds.items():
        print(f"{work:50}{spent:8.1f}{tiles / spent:17.0f}")
    print(f"\npeak memory {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
