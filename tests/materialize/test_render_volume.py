import marshmallow
import numpy as np
import pytest
import tifffile
import zarr

from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, section_specs
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import url_of_path
from rendermodules.io.synthetic_files import image_name, write_synthetic_files
from rendermodules.materialize import RenderVolume
from rendermodules.module import stacks
from rendermodules.module.errors import ItemError, RenderModuleError

SETTINGS = SyntheticSettings(
    sections=2, rows=1, columns=2, tile_width=300, tile_height=280, bit_depth=16, channels=("EM", "DAPI"), noise=0.0
)


@pytest.fixture
def acquired(render, tmp_path):
    """A stack of two sections, of two tiles and two channels each, and its bounds."""
    write_synthetic_files(SETTINGS, tmp_path / "data")
    stacks.open_stack(render, "raw", {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 40.0})
    for z in SETTINGS.zvalues:
        section = section_specs(
            SETTINGS, z, image_url=lambda tile, name: url_of_path(tmp_path / "data" / image_name(SETTINGS, tile, name))
        )
        stacks.write_section(render, "raw", Section(z + 0.5, [{**tile, "z": z + 0.5} for tile in section.tiles]))
    stacks.close_stack(render, "raw")
    return tmp_path


def parameters(render_parameters, folder, **more):
    return {"render": render_parameters, "input_stacks": ["raw"], "volume_dir": str(folder / "out"), **more}


def test_16_bit_pictures_are_the_images(acquired, render, render_parameters):
    options = {"dtype": "uint16", "channels": ["EM", "DAPI"], "block_size": 256}
    result = RenderVolume(input_data=parameters(render_parameters, acquired, **options)).run()
    names = ["DAPI/DAPI_0000.5.tif", "DAPI/DAPI_0001.5.tif", "EM/EM_0000.5.tif", "EM/EM_0001.5.tif"]
    assert result["files"] == [str(acquired / "out" / name) for name in names]
    section = stacks.read_section(render, "raw", 0.5)
    first = section.tiles[0]
    image = read_image(first["channels"][0]["mipmapLevels"]["0"]["imageUrl"])
    drawn = tifffile.imread(acquired / "out" / "EM" / "EM_0000.5.tif")
    x, y = int(first["minX"] - result["box"][0]), int(first["minY"] - result["box"][1])
    # the second tile lies over the right edge of the first
    assert np.array_equal(drawn[y + 5 : y + 250, x + 5 : x + 250], image[5:250, 5:250])


def test_the_number_of_workers_and_the_blocks_change_nothing(acquired, render_parameters):
    pictures = []
    for place, options in enumerate([{}, {"pool_size": 2, "block_size": 256}]):
        folder = acquired / f"run{place}"
        RenderVolume(input_data=parameters(render_parameters, folder, format="png", scale=0.5, **options)).run()
        pictures.append([read_image(file) for file in sorted((folder / "out").rglob("*.png"))])
    assert len(pictures[0]) == 2
    assert all(np.array_equal(one, other) for one, other in zip(*pictures, strict=True))


def test_an_ome_zarr_volume(acquired, render_parameters):
    options = {"format": "ome_zarr", "dtype": "uint16", "channels": ["EM", "DAPI"], "minX": 10, "maxX": 110, "minY": 0}
    options["minIntensity"] = 7.0
    result = RenderVolume(input_data=parameters(render_parameters, acquired, **options)).run()
    (path,) = result["files"]
    group = zarr.open_group(path, mode="r")
    assert group["0"].shape[:2] == (2, 2)
    assert dict(group.attrs)["ome"]["multiscales"][0]["name"] == "raw"
    assert group["0"].shape[3] == 100
    assert group["0"][:].any(axis=(2, 3)).all()
    (multiscale,) = dict(group.attrs)["ome"]["multiscales"]
    scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == [1.0, 40.0, 4.0, 4.0]
    assert translation["translation"] == [0.0, 20.0, 0.0, 40.0]
    windows = [channel["window"] for channel in dict(group.attrs)["ome"]["omero"]["channels"]]
    shown = {"min": 0, "max": 65535, "start": 7.0, "end": float(SETTINGS.largest_grey)}
    assert windows == [shown, shown]
    assert [file.name for file in (acquired / "out").iterdir()] == ["raw.ome.zarr"]


def test_a_run_that_failed_goes_on(acquired, render, render_parameters):
    gone = acquired / "data" / image_name(SETTINGS, _first_tile(1.0), "EM")
    hidden = gone.with_suffix(".hidden")
    gone.rename(hidden)
    data = parameters(render_parameters, acquired)
    with pytest.raises(ItemError, match=r"z=1.5 of raw"):
        RenderVolume(input_data=data).run()
    done = acquired / "out" / "raw" / "raw_0000.5.tif"
    before = done.stat().st_mtime_ns
    hidden.rename(gone)
    result = RenderVolume(input_data=data).run()
    assert len(result["files"]) == 2
    assert done.stat().st_mtime_ns == before
    # a run of its own draws everything anew
    RenderVolume(input_data=data).run()
    assert done.stat().st_mtime_ns > before


def _first_tile(z):
    from rendermodules.core.synthetic import section_tiles

    return section_tiles(SETTINGS, z)[0]


def test_refusals(acquired, render, render_parameters):
    with pytest.raises(RenderModuleError, match="gives several pictures one name"):
        RenderVolume(input_data=parameters(render_parameters, acquired, name_template="one")).run()
    with pytest.raises(RenderModuleError, match="cannot be used"):
        RenderVolume(input_data=parameters(render_parameters, acquired, name_template="{nothing}")).run()
    with pytest.raises(marshmallow.ValidationError, match="multiple of 16"):
        RenderVolume(input_data=parameters(render_parameters, acquired, block_size=300))
    with pytest.raises(marshmallow.ValidationError, match="8 bit only"):
        RenderVolume(input_data=parameters(render_parameters, acquired, format="jpg", dtype="uint16"))
    with pytest.raises(RenderModuleError, match="no channel dapi; there are DAPI, EM"):
        RenderVolume(input_data=parameters(render_parameters, acquired, channels=["EM", "dapi"])).run()
    stacks.open_stack(render, "raw", {})
    with pytest.raises(RenderModuleError, match="LOADING"):
        RenderVolume(input_data=parameters(render_parameters, acquired)).run()


def test_a_dry_run_draws_nothing(acquired, render_parameters):
    result = RenderVolume(input_data=parameters(render_parameters, acquired, dry_run=True)).run()
    assert len(result["files"]) == 2
    assert not (acquired / "out").exists()


def test_volumes_of_unevenly_spaced_sections_are_told_of(acquired, render, render_parameters, caplog):
    options = {"format": "ome_zarr", "scale": 0.25}
    RenderVolume(input_data=parameters(render_parameters, acquired / "even", **options)).run()
    assert "apart" not in caplog.text
    stacks.open_stack(render, "raw", {})
    section = stacks.read_section(render, "raw", 0.5)
    tiles = [{**tile, "tileId": f"far {tile['tileId']}", "z": 9.0} for tile in section.tiles]
    stacks.write_section(render, "raw", Section(9.0, tiles))
    stacks.close_stack(render, "raw")
    RenderVolume(input_data=parameters(render_parameters, acquired, **options)).run()
    assert "1 to 7.5 apart" in caplog.text


def test_colour_images_are_drawn_as_the_mean_of_their_colours(render, render_parameters, tmp_path):
    write_image(tmp_path / "colours.png", np.full((300, 300, 3), (10, 100, 220), np.uint8))
    tile = {"tileId": "a", "z": 1.0, "width": 300.0, "height": 300.0, "layout": {"sectionId": "1.0"}}
    levels = {"0": {"imageUrl": url_of_path(tmp_path / "colours.png")}}
    stacks.open_stack(render, "raw", {})
    stacks.write_section(render, "raw", Section(1.0, [{**tile, "mipmapLevels": levels}]))
    stacks.close_stack(render, "raw")
    (file,) = RenderVolume(input_data=parameters(render_parameters, tmp_path, format="png")).run()["files"]
    assert (read_image(file) == 110).all()
