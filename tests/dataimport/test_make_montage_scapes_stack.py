import re

import marshmallow
import numpy as np
import pytest
import renderapi

from rendermodules.core.acquisitions import affine_spec
from rendermodules.core.sections import Section
from rendermodules.dataimport import MakeMontageScapesStack
from rendermodules.io.images import read_image, write_image
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError, SectionError


@pytest.fixture
def montage(render, tmp_path):
    """Two sections of two tiles side by side, the left one darker, at x = 100."""
    stacks.open_stack(render, "montage", {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 50.0})
    for z in (1.0, 3.0):
        tiles = []
        for number, value in enumerate((60, 200)):
            path = tmp_path / f"ü {z}_{number}.tif"
            write_image(path, np.full((40, 80), value, np.uint8))
            tiles.append(
                {
                    "tileId": f"t{z}_{number}",
                    "z": z,
                    "width": 80,
                    "height": 40,
                    "minIntensity": 0,
                    "maxIntensity": 255,
                    "layout": {"sectionId": f"s{z}"},
                    "mipmapLevels": {"0": {"imageUrl": path.as_uri()}},
                    "transforms": {"type": "list", "specList": [affine_spec((1, 0, 0, 1, 100 + 80 * number, 20))]},
                }
            )
        stacks.write_section(render, "montage", Section(z, tiles))
    stacks.close_stack(render, "montage")


def made(render_parameters, tmp_path, **parameters):
    defaults = {
        "render": render_parameters,
        "input_stack": "montage",
        "output_stack": "scapes",
        "image_directory": str(tmp_path / "scapes"),
        "scale": 0.25,
        "doFilter": False,
    }
    return MakeMontageScapesStack(input_data={**defaults, **parameters}).run()


@pytest.mark.parametrize("pool_size", [1, 2])
def test_scapes(render, render_parameters, montage, tmp_path, pool_size):
    count_file = tmp_path / "count"
    result = made(
        render_parameters,
        tmp_path,
        apply_scale=True,
        apply_offset=True,
        z_mode="consecutive",
        numsectionsfile=str(count_file),
        pool_size=pool_size,
    )
    assert (result["zValues"], result["tile_count"], count_file.read_text()) == ([0.0, 1.0], 2, "2")
    (tile,) = stacks.read_section(render, "scapes", 1.0).tiles
    assert re.fullmatch("ds[0-9a-f]{10}_t3.0_0", tile["tileId"])
    path = tmp_path / "scapes" / "example" / "montage" / "sections_at_0.25" / "000" / "0" / "3.0.tif"
    assert tile["mipmapLevels"] == {"0": {"imageUrl": path.as_uri()}}
    assert (tile["width"], tile["height"], tile["layout"]["sectionId"]) == (40, 10, "1.0")
    assert [tile[edge] for edge in ("minX", "minY", "maxX", "maxY")] == [100, 20, 260, 60]
    picture = read_image(path)
    assert picture.shape == (10, 40)
    assert (picture[5, 5], picture[5, 35]) == (60, 200)
    version = stacks.stack_metadata(render, "scapes")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [4.0, 4.0, 50.0]


def test_scapes_of_their_own_pixels(render, render_parameters, montage, tmp_path):
    made(render_parameters, tmp_path, dtype="uint16", imgformat="png", uuid_prefix=False, z=3)
    (tile,) = stacks.read_section(render, "scapes", 3.0).tiles
    assert (tile["tileId"], tile["minX"], tile["maxX"], tile["maxIntensity"]) == ("t3.0_0", 0.0, 40.0, 255)
    assert stacks.stack_metadata(render, "scapes")["currentVersion"]["stackResolutionX"] == 16.0
    path = tmp_path / "scapes" / "example" / "montage" / "sections_at_0.25" / "000" / "0" / "3.0.png"
    assert read_image(path).dtype == np.uint16


def test_pictures_are_used_again_until_the_montage_changes(render, render_parameters, montage, tmp_path):
    made(render_parameters, tmp_path)
    files = sorted((tmp_path / "scapes").rglob("*.tif"))
    files[0].write_bytes(files[0].read_bytes()[:-5])
    before = [file.stat().st_mtime_ns for file in files]
    made(render_parameters, tmp_path)
    assert [file.stat().st_mtime_ns == stamp for file, stamp in zip(files, before, strict=True)] == [False, True]
    renderapi.stack.set_stack_state("montage", "LOADING", render=render)
    renderapi.stack.set_stack_state("montage", "COMPLETE", render=render)
    before = [file.stat().st_mtime_ns for file in files]
    made(render_parameters, tmp_path)
    assert not any(file.stat().st_mtime_ns == stamp for file, stamp in zip(files, before, strict=True))


def test_parameters_of_before(render, render_parameters, montage, tmp_path):
    with pytest.warns(FutureWarning):
        result = MakeMontageScapesStack(
            input_data={
                "render": render_parameters,
                "montage_stack": "montage",
                "output_stack": "scapes",
                "image_directory": str(tmp_path / "scapes"),
                "scale": 0.5,
                "set_new_z": True,
                "new_z_start": 5,
                "level": 1,
                "memGB_materialize": "12G",
                "pool_size_materialize": 1,
                "doFilter": False,
            }
        ).run()
    assert result["zValues"] == [5.0, 7.0]


def test_refused(render, render_parameters, montage, tmp_path):
    with pytest.raises(marshmallow.ValidationError, match="greater than or equal to 0"):
        made(render_parameters, tmp_path, z_mode="offset", new_z_start=-1)
    with pytest.raises(marshmallow.ValidationError, match="another stack"):
        made(render_parameters, tmp_path, output_stack="montage")
    with pytest.raises(RenderModuleError, match="no section at z 2.0"):
        made(render_parameters, tmp_path, zValues=[1, 2])
    with pytest.raises(SectionError, match=r"section z=1.0 of montage: ValueError: at scale 0.001 .* has no pixel"):
        made(render_parameters, tmp_path, scale=0.001)
    assert not (tmp_path / "scapes").exists()
