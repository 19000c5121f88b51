import marshmallow
import numpy as np
import pytest
import renderapi

from rendermodules.core.acquisitions import affine_spec
from rendermodules.core.sections import Section
from rendermodules.dataimport import ApplyMipmapsToRender
from rendermodules.io.images import write_image
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError


@pytest.fixture
def raw(render):
    tiles = [
        {
            "tileId": f"t{number}",
            "z": 1.5,
            "width": 40,
            "height": 30,
            "meshCellSize": 32.0,
            "mipmapLevels": {
                "0": {"imageUrl": f"file:/raw/a%20{number}.tif", "maskUrl": "/raw/m.png"},
                "5": {"imageUrl": "x"},
            },
            "transforms": {"type": "list", "specList": [affine_spec((1, 0, 0, 1, 30 * number, 0))]},
        }
        for number in (0, 1)
    ]
    stacks.open_stack(render, "raw", {"stackResolutionX": 4.0})
    stacks.write_section(render, "raw", Section(1.5, tiles))
    stacks.close_stack(render, "raw")


def applied(render_parameters, **parameters):
    defaults = {"render": render_parameters, "input_stack": "raw", "output_stack": "small", "levels": 2}
    return ApplyMipmapsToRender(input_data={**defaults, **parameters}).run()


def test_levels(render, render_parameters, raw):
    result = applied(render_parameters, output_dir="/mips", validate=True)
    assert (result["zValues"], result["tile_count"], result["missing_ts_zs"]) == ([1.5], 2, [])
    tile = stacks.read_section(render, "small", 1.5).tiles[0]
    assert tile["mipmapLevels"] == {
        "0": {"imageUrl": "file:/raw/a%200.tif", "maskUrl": "/raw/m.png"},
        "1": {"imageUrl": "file:///mips/1/raw/a%200.tif.tif", "maskUrl": "file:///mips/1/raw/m.png.tif"},
        "2": {"imageUrl": "file:///mips/2/raw/a%200.tif.tif", "maskUrl": "file:///mips/2/raw/m.png.tif"},
        "5": {"imageUrl": "x"},
    }
    assert tile["meshCellSize"] == 32.0
    assert stacks.stack_metadata(render, "small")["currentVersion"]["stackResolutionX"] == 4.0


def test_validation_names_sections_that_differ(render, render_parameters, raw):
    applied(render_parameters, output_dir="/mips")
    renderapi.stack.set_stack_state("small", "LOADING", render=render)
    more = stacks.read_section(render, "small", 1.5).tiles[0]
    stacks.write_section(render, "small", Section(1.5, [{**more, "tileId": "other"}]))
    assert applied(render_parameters, output_dir="/mips", validate=True)["missing_ts_zs"] == [1.5]
    again = applied(render_parameters, output_dir="/mips", validate=True, overwrite_zlayer=True)
    assert again["missing_ts_zs"] == []


def test_path_builder(render, render_parameters, raw):
    applied(render_parameters, output_dir="/mips", mode="mipmapPathBuilder", imgformat="tiff")
    assert stacks.stack_metadata(render, "small")["currentVersion"]["mipmapPathBuilder"] == {
        "rootPath": "file:///mips/",
        "numberOfLevels": 2,
        "extension": "tif",
    }
    assert sorted(stacks.read_section(render, "small", 1.5).tiles[0]["mipmapLevels"]) == ["0", "5"]
    with pytest.raises(marshmallow.ValidationError, match="a mipmapPathBuilder needs output_dir"):
        applied(render_parameters, mode="mipmapPathBuilder", output_dir="/mips", layout="suffix")


def test_levels_that_are_not_there_are_all_named(render, render_parameters, raw, tmp_path):
    write_image(tmp_path / "1" / "raw" / "a 0.tif.tif", np.zeros((15, 20), np.uint8))
    with pytest.raises(SectionError, match=r"section z=1.5 of raw: levels: the image does not exist: ") as caught:
        applied(render_parameters, output_dir=str(tmp_path), levels=1, check_images=True)
    assert "a%201.tif.tif" in str(caught.value)
    assert "1/raw/a%200.tif.tif" not in str(caught.value)
    assert "1/raw/m.png.tif" in str(caught.value)
    assert "file:/raw/a%200.tif" not in str(caught.value)


def test_parameters_of_before(render, render_parameters, raw):
    with pytest.warns(FutureWarning, match="mipmap_prefix is now called output_dir"):
        applied(render_parameters, mipmap_prefix="/mips", imgformat="png")
    level = stacks.read_section(render, "small", 1.5).tiles[1]["mipmapLevels"]["1"]
    assert level["imageUrl"] == "file:///mips/1/raw/a%201.tif.png"
