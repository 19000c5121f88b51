"""The examples of stack, tile and datamanagement run as they stand, on synthetic sections."""

import json
from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_specs, tile_image
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path
from rendermodules.module import stacks
from rendermodules.module.catalogue import find_module
from rendermodules.module.connection import connect
from rendermodules.module.provenance import input_stacks

EXAMPLES = Path(__file__).parents[2] / "example_json"
NAMES = sorted(
    f"{area}.{file.stem}" for area in ("stack", "tile", "datamanagement") for file in (EXAMPLES / area).glob("*.json")
)
SETTINGS = {
    "sections": 2,
    "rows": 1,
    "columns": 2,
    "tile_width": 192,
    "tile_height": 192,
    "pixel_size": 4.0,
    "channels": ("DAPI",),
}


def images_url(example, stack):
    """Return the function from tile and channel to the URL of an image, which is written if somebody looks at it."""
    if not example.keys() & {"output_directory", "num_samples", "mask_dir"}:
        return lambda tile, channel: f"file:///scratch/{stack}/{channel}_z{tile.z}_F{tile.column:04d}.tif"

    def url(tile, channel):
        path = Path("images", stack, f"{channel}_z{tile.z}_F{tile.column:04d}.tif").absolute()
        write_image(path, tile_image(settings(example), tile, channel))
        return url_of_path(path)

    return url


def settings(example):
    # electron micrographs for the modules of tiles, 16-bit fluorescence for the others
    kind = {"channels": ("EM",)} if "output_directory" in example else {"bit_depth": 16}
    return SyntheticSettings(**{**SETTINGS, **kind})


def write_inputs(example, stack, project=None):
    """Write a stack that an example reads: two sections at z that it chooses, with tile ids of its own."""
    render = connect({**example["render"], **({"project": project} if project else {})})
    zs = example.get("zValues") or [example.get("minZ", 1), example.get("minZ", 1) + 1]
    sections = [section_specs(settings(example), z, image_url=images_url(example, stack)) for z in (0.0, 1.0)]
    with stacks.written_stack(render, stack, version={"stackResolutionX": 4.0}, close=True):
        for z, section in zip(zs, sections, strict=True):
            for tile in section.tiles:
                tile.update(z=float(z), tileId=f"{stack}_{tile['tileId']}")
                levels = 3 if "operations" in example else 1
                tile["mipmapLevels"] = {str(level): tile["mipmapLevels"]["0"] for level in range(levels)}
                if stack == "second_session" or "channels" in example:
                    tile["channels"] = [{"name": "DAPI", "minIntensity": 0.0, "maxIntensity": 255.0}]
                    tile["channels"][0]["mipmapLevels"] = tile["mipmapLevels"]
            stacks.write_section(render, stack, section)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_as_it_stands(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    area, module = name.split(".")
    example = json.loads((EXAMPLES / area / f"{module}.json").read_text(encoding="utf-8"))
    if "mask_file" in example:
        write_image(example["mask_file"], np.full((192, 192), 255, np.uint8))
    for stack in input_stacks(example):
        entries = [one for one in example.get("stacks", []) if isinstance(one, dict) and one["stack"] == stack]
        write_inputs(example, stack, entries[0].get("project") if entries else None)
    result = find_module(name).load()(input_data=example).run()
    assert result["provenance"]["module"] == f"rendermodules.{name}"
    if "output_stack" in example:
        metadata = stacks.stack_metadata(connect(example["render"]), example["output_stack"])
        assert metadata["state"] == "COMPLETE"
        assert metadata["stats"]["tileCount"] == result["tile_count"] > 0
