"""CPU time and memory of modules that only change tile specs, beside render-python's for reading and writing the tiles.

Every way runs in a process of its own on one embedded store: all sections are read and written to a new stack. Times
are without start-up. ``peak`` is the memory beyond that of the process before it began.

    python benchmarks/stack_modules.py [--tiles 100000] [--sections 100] [--folder /tmp]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import renderapi

from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.catalogue import find_module
from rendermodules.module.connection import connect

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
    "dataString": "0 1 0 0.00001 0 0 0 0 1 0 0 0.00001",
}

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "apply_transform_to_stack": (
        "stack.apply_transform_to_stack",
        {"transformId": "shift", "B0": 100.0, "B1": -50.0},
    ),
    "remap_zs": ("stack.remap_zs", {"mode": "offset", "offset": 1000.0, "remap_sectionId": True}),
    "merge_channels": ("stack.merge_channels", {"channel_stacks": [{"stack": "second", "channel": "GFP"}]}),
    "consolidate_transforms": ("stack.consolidate_transforms", {}),
    "set_stack_levels": ("stack.set_stack_levels", {"minIntensity": 100, "maxIntensity": 5000}),
    "edit_image_pyramids": (
        "stack.edit_image_pyramids",
        {"operations": [{"operation": "replace", "find": "/data/", "replace": "/archive/"}]},
    ),
}


def tile(z: float, index: int, stain: str) -> dict[str, Any]:
    row, column = divmod(index, 40)
    stage = {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {column * 1843.25} {row * 1843.75}"}
    turn = {"type": "leaf", "className": AFFINE, "dataString": "0.9999 0.0123 -0.0123 0.9999 12.5 -3.25"}
    name = f"{stain}_S{int(z):04d}_F{index:04d}_Z00"
    levels = {
        str(level): {"imageUrl": f"file:///data/project/ribbon0001/session01/{stain}/{name}_mip{level:02d}.tif"}
        for level in range(4)
    }
    return {
        "tileId": f"{stain}.{int(z):06d}.{index:05d}",
        "z": z,
        "width": 2048.0,
        "height": 2048.0,
        "minIntensity": 0.0,
        "maxIntensity": 65535.0,
        "layout": {
            "sectionId": f"{z:.1f}",
            "imageRow": row,
            "imageCol": column,
            "stageX": column * 1843.25,
            "stageY": row * 1843.75,
            "rotation": 0.0,
            "pixelsize": 0.1,
        },
        "mipmapLevels": levels,
        "transforms": {"type": "list", "specList": [{"type": "ref", "refId": "lens"}, stage, turn]},
    }


def make_stacks(parameters: dict[str, Any], tiles: int, sections: int) -> None:
    render = connect(parameters)
    for stack, stain in (("raw", "DAPI"), ("second", "GFP")):
        with stacks.written_stack(render, stack, version={"stackResolutionX": 100.0}, close=True):
            for z in range(sections):
                specs = [tile(float(z), index, stain) for index in range(tiles // sections)]
                stacks.write_section(render, stack, Section(float(z), specs, {"lens": LENS}))


def by_render_python(parameters: dict[str, Any]) -> None:
    render = connect(parameters)
    renderapi.stack.create_stack("new", render=render)
    for z in renderapi.stack.get_z_values_for_stack("raw", render=render):
        resolved = renderapi.resolvedtiles.get_resolved_tiles_from_z("raw", z, render=render)
        renderapi.resolvedtiles.put_tilespecs("new", resolved, render=render)
    renderapi.stack.set_stack_state("new", "COMPLETE", render=render)


def run_way(way: str, parameters: dict[str, Any], pool_size: int) -> None:
    """Do the work of one way in this process and print what it took."""
    if way != "render-python":
        name, options = WAYS[way]
        stack_names = {"input_stack": "raw", "output_stack": "new"}
        module = find_module(name).load()({"render": parameters, **stack_names, **options, "pool_size": pool_size})
    connect(parameters).session.get("http://embedded.store/nothing")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, start = cpu_seconds(), time.perf_counter()
    if way == "render-python":
        by_render_python(parameters)
    else:
        module.run()
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - start, "peak": peak}))


def cpu_seconds() -> float:
    """CPU time of this process and of its workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measured(way: str, parameters: dict[str, Any], pool_size: int = 1) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--render", json.dumps(parameters), "--pool", str(pool_size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    stacks.delete_stack(connect(parameters), "new")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiles", type=int, default=100_000, help="number of tiles of a stack")
    parser.add_argument("--sections", type=int, default=100, help="number of sections of a stack")
    parser.add_argument("--folder", help="where to work; a temporary folder if absent")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--render", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--pool", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        run_way(options.way, options.render, options.pool)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        parameters = {"host": str(Path(name) / "render.db"), "owner": "bench", "project": "tiles"}
        make_stacks(parameters, options.tiles, options.sections)
        base = measured("render-python", parameters)
        print(f"{options.tiles} tiles in {options.sections} sections, embedded store\n")
        print(f"{'':28}{'CPU s':>8}{'ratio':>8}{'peak MB':>9}{'wall s':>8}{'2 workers':>11}{'speed-up':>10}")
        print(f"{'render-python':28}{base['cpu']:8.1f}{1:8.2f}{base['peak']:9.0f}{base['wall']:8.1f}")
        for way in WAYS:
            one, two = measured(way, parameters), measured(way, parameters, pool_size=2)
            ratio, speed = one["cpu"] / base["cpu"], one["wall"] / two["wall"]
            print(
                f"{way:28}{one['cpu']:8.1f}{ratio:8.2f}{one['peak']:9.0f}{one['wall']:8.1f}{two['wall']:11.1f}{speed:10.2f}"
            )


if __name__ == "__main__":
    main()
