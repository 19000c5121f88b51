import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.acquisitions import affine_spec
from rendermodules.core.problems import InputError
from rendermodules.core.pyramids import pyramid
from rendermodules.core.sections import Section, image_levels
from rendermodules.dataimport import GenerateMipmaps
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import path_of_url
from rendermodules.module import stacks
from rendermodules.module.errors import ItemError

RNG = np.random.default_rng(3)
LENS = {**affine_spec((1, 0, 0, 1, 2, 0)), "id": "lens"}


def picture(folder, name, dtype):
    write_image(folder / name, RNG.integers(0, np.iinfo(dtype).max, (30, 40), dtype))
    return {"mipmapLevels": {"0": {"imageUrl": (folder / name).as_uri(), "maskUrl": (folder / "mask ü.png").as_uri()}}}


@pytest.fixture
def raw(render, tmp_path):
    """Two sections of two tiles, the second of two channels of 8 and 16 bit, all with one mask."""
    folder = tmp_path / "raw" / "data" / "run ü 1"
    mask = np.full((30, 40), 255, np.uint8)
    mask[0, 0] = 0
    write_image(folder / "mask ü.png", mask)
    stacks.open_stack(render, "raw", {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 50.0})
    for z in (1.0, 2.5):
        tiles = []
        for number in (0, 1):
            tile = {
                "tileId": f"z{z}_{number}",
                "z": z,
                "width": 40,
                "height": 30,
                **picture(folder, f"{z}_{number}.tif", np.uint8),
            }
            tile["transforms"] = {"type": "list", "specList": [{"type": "ref", "refId": "lens"}]}
            tile["layout"] = {"sectionId": str(z)}
            if z == 2.5:
                dapi = {
                    "name": "DAPI",
                    "minIntensity": 0,
                    "maxIntensity": 255,
                    **picture(folder, f"{z}_{number}.tif", np.uint8),
                }
                gfp = picture(folder, f"g{number}.tif", np.uint16)
                tile["channels"] = [dapi, {"name": "GFP", "minIntensity": 0, "maxIntensity": 9000, **gfp}]
            tiles.append(tile)
        stacks.write_section(render, "raw", Section(z, tiles, {"lens": LENS}))
    stacks.close_stack(render, "raw")
    return folder


def generated(render_parameters, **parameters):
    return GenerateMipmaps(
        input_data={"render": render_parameters, "input_stack": "raw", "levels": 3, **parameters}
    ).run()


@pytest.mark.parametrize("pool_size", [1, 2])
def test_images_and_a_stack_in_one_go(render, render_parameters, raw, tmp_path, pool_size):
    result = generated(
        render_parameters, output_dir=str(tmp_path / "mips ü"), output_stack="small", pool_size=pool_size
    )
    # a mask in each section; two images in the first, four in the second
    assert (result["image_count"], result["tile_count"], result["levels"]) == (8, 4, [1, 2, 3])
    assert result["written_count"] >= 3 * 7
    section = stacks.read_section(render, "small", 2.5)
    assert section.transforms == stacks.read_section(render, "raw", 2.5).transforms
    assert stacks.stack_metadata(render, "small")["currentVersion"]["stackResolutionZ"] == 50.0
    for owner in section.tiles[1]["channels"]:
        levels = dict(image_levels(owner))
        assert sorted(levels) == [0, 1, 2, 3]
        full = read_image(levels[0]["imageUrl"])
        for level, expected in enumerate(pyramid(full, 3), start=1):
            made = read_image(levels[level]["imageUrl"])
            assert made.dtype == full.dtype
            assert np.array_equal(made, expected)
            # what is not wholly inside is outside
            assert read_image(levels[level]["maskUrl"])[0, 0] == 0
            assert read_image(levels[level]["maskUrl"])[1, 1] == 255


def test_what_is_there_is_kept_and_what_is_damaged_made_again(render_parameters, raw, tmp_path):
    out = tmp_path / "mips"
    generated(render_parameters, output_dir=str(out), levels=1)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert len(files) == 7
    files[0].write_bytes(files[0].read_bytes()[:-20])
    files[1].unlink()
    stamps = {path: path.stat().st_mtime_ns for path in files[2:]}
    again = generated(render_parameters, output_dir=str(out), levels=1)
    assert again["written_count"] == 2
    assert {path: path.stat().st_mtime_ns for path in files[2:]} == stamps
    assert generated(render_parameters, output_dir=str(out), levels=1, force_redo=True)["written_count"] >= 7


def test_one_channel_by_a_rule_of_paths(render, render_parameters, raw):
    result = generated(
        render_parameters,
        z=2.5,
        channels=["GFP"],
        path_find="raw/data",
        path_replace="processed/downsampled_images",
        imgformat="png",
        mipmaplevels=[2],
        output_stack="raw",
    )
    assert result["image_count"] == 3
    dapi, gfp = stacks.read_section(render, "raw", 2.5).tiles[0]["channels"]
    assert sorted(dapi["mipmapLevels"]) == ["0"]
    small = path_of_url(gfp["mipmapLevels"]["2"]["imageUrl"])
    assert small == Path(str(raw).replace("raw/data", "processed/downsampled_images")) / "g0_mip02.png"
    assert read_image(small).dtype == np.uint16
    assert [sorted(tile["mipmapLevels"]) for tile in stacks.read_section(render, "raw", 1.0).tiles] == [["0"], ["0"]]


def test_a_rule_that_does_not_fit_is_said_before_anything_is_written(render, render_parameters, raw):
    before = sorted(raw.parents[2].rglob("*"))
    with pytest.raises(
        InputError, match=r"the rule of paths does not fit the image: z=1.0 z1.0_0 \(.* has no cooked .*z=2.5"
    ):
        generated(render_parameters, path_find="cooked", path_replace="small", output_stack="small")
    assert [path for path in sorted(raw.parents[2].rglob("*")) if ".db" not in path.name] == [
        path for path in before if ".db" not in path.name
    ]


def test_unreadable_images_are_named_and_no_stack_is_written(render, render_parameters, raw, tmp_path):
    write_image(raw / "1.0_1.tif", np.zeros((3, 4), np.uint8))
    (raw / "1.0_0.tif").unlink()
    with pytest.raises(ItemError, match="images of section z=1.0 of raw") as caught:
        generated(render_parameters, output_dir=str(tmp_path / "m"), output_stack="small")
    assert "small" not in stacks.stack_names(render)
    assert "z1.0_0" in str(caught.value) or "z1.0_1" in str(caught.value)


def test_a_dry_run_writes_nothing(render, render_parameters, raw, tmp_path):
    assert (
        generated(render_parameters, output_dir=str(tmp_path / "m"), output_stack="s", dry_run=True)["image_count"] == 0
    )
    assert not (tmp_path / "m").exists()
    assert stacks.stack_names(render) == ["raw"]


def test_parameters_of_before(render_parameters, raw, tmp_path):
    with pytest.warns(FutureWarning, match="output_prefix is now called output_dir"):
        GenerateMipmaps(
            input_data={
                "render": render_parameters,
                "input_stack": "raw",
                "output_prefix": str(tmp_path / "m"),
                "method": "PIL",
                "PIL_filter": "BOX",
                "imgformat": "tiff",
                "levels": 1,
                "convert_to_8bit": True,
            }
        ).run()
    images = {path.name: read_image(path) for path in (tmp_path / "m").rglob("*.tif")}
    # 8-bit images are not black, 16-bit images have their upper byte
    assert images["1.0_0.tif.tif"].max() > 100
    assert images["g0.tif.tif"].dtype == np.uint8
    assert images["g0.tif.tif"].max() > 100


def test_a_killed_run_is_started_again(render, render_parameters, tmp_path):
    tiles = []
    for number in range(30):
        image = picture(tmp_path / "in", f"{number}.tif", np.uint8)
        transforms = {"type": "list", "specList": [affine_spec((1, 0, 0, 1, 40 * number, 0))]}
        level = {"0": {"imageUrl": image["mipmapLevels"]["0"]["imageUrl"]}}
        tile = {"tileId": f"t{number:02d}", "z": 1.0, "width": 40, "height": 30, "transforms": transforms}
        tiles.append({**tile, "mipmapLevels": level})
    stacks.open_stack(render, "raw", {})
    stacks.write_section(render, "raw", Section(1.0, tiles))
    stacks.close_stack(render, "raw")
    out = tmp_path / "m"
    parameters = {
        "render": render_parameters,
        "input_stack": "raw",
        "output_dir": str(out),
        "levels": 3,
        "output_stack": "s",
    }
    (tmp_path / "p.json").write_text(json.dumps(parameters))
    command = [
        sys.executable,
        "-m",
        "rendermodules.dataimport.generate_mipmaps",
        "--input_json",
        str(tmp_path / "p.json"),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as program:
        while program.poll() is None and len(list(out.rglob("*.tif.tif"))) < 10:
            time.sleep(0.001)
        program.kill()
    made = [path for path in out.rglob("*.tif.tif") if not path.name.startswith(".")]
    assert all(read_image(path).size for path in made)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    generated(render_parameters, output_dir=str(tmp_path / "fresh"))
    again = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.tif.tif") if path.name[0] != "."}
    fresh = {
        path.relative_to(tmp_path / "fresh"): path.read_bytes() for path in (tmp_path / "fresh").rglob("*.tif.tif")
    }
    assert again == fresh
    assert len(again) == 90
    assert stacks.stack_metadata(render, "s")["state"] == "COMPLETE"
