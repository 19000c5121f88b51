import numpy as np
import pytest
import tifffile
import zarr

from rendermodules.core.problems import InputError
from rendermodules.core.sections import image_levels
from rendermodules.dataimport import ImportOme
from rendermodules.io.images import ImageSource, read_image
from rendermodules.module import stacks

RNG = np.random.default_rng(6)


def imported(render_parameters, *files, **parameters):
    parameters = {"render": render_parameters, "output_stack": "raw", "ome_files": list(map(str, files)), **parameters}
    return ImportOme(input_data=parameters).run()


@pytest.fixture
def tiffs(tmp_path):
    """Two sections of two tiles of two channels, a file for each tile."""
    data = RNG.integers(0, 60000, (2, 2, 2, 6, 8), dtype=np.uint16)
    for section in (0, 1):
        for number in (0, 1):
            planes = {"PositionX": [700.0 * number] * 2, "PositionY": [9.0] * 2, "PositionXUnit": ["nm"] * 2}
            metadata = {
                "axes": "CYX",
                "PhysicalSizeX": 0.1,
                "PhysicalSizeY": 0.1,
                "Channel": {"Name": ["GFP", "DAPI"]},
                "Plane": planes,
            }
            path = tmp_path / f"S{section + 3}_t {number}.ome.tif"
            tifffile.imwrite(path, data[section, number], photometric="minisblack", metadata=metadata)
    return tmp_path, data


def test_tiffs(render, render_parameters, tiffs):
    folder, data = tiffs
    result = imported(
        render_parameters,
        folder / "S*.ome.tif",
        section_pattern=r"S(?P<section>\d+)_",
        reference_channel="DAPI",
        section_thickness=70,
        pool_size=2,
    )
    assert (result["zValues"], result["tile_count"]) == ([3.0, 4.0], 4)
    tile = stacks.read_section(render, "raw", 4.0).tiles[1]
    assert (tile["tileId"], tile["layout"]["sectionId"], tile["minX"]) == ("S4_t_1.4.0", "4", 7.0)
    assert [channel["name"] for channel in tile["channels"]] == ["DAPI", "GFP"]
    level = dict(image_levels(tile["channels"][0]))[0]
    assert np.array_equal(read_image(ImageSource.of_level(level)), data[1, 1, 1])
    assert tile["channels"][0]["maxIntensity"] == 65535.0
    version = stacks.stack_metadata(render, "raw")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [100.0, 100.0, 70.0]


@pytest.mark.parametrize("extract", [False, True])
def test_zarrs(render, render_parameters, tmp_path, extract):
    data = RNG.integers(0, 255, (2, 6, 8), dtype=np.uint8)
    for number in (0, 1):
        group = zarr.open_group(tmp_path / f"t {number}.zarr", mode="w")
        group.create_array("0", data=data[number])
        axes = [{"name": name, "unit": "nanometer"} for name in "yx"]
        steps = [{"type": "scale", "scale": [4.0, 4.0]}, {"type": "translation", "translation": [40.0, 28.0 * number]}]
        dataset = {"path": "0", "coordinateTransformations": steps}
        group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": [dataset]}]}
    more = {"extracted_directory": str(tmp_path / "planes")} if extract else {}
    imported(render_parameters, tmp_path / "t *.zarr", **more)
    tiles = stacks.read_section(render, "raw", 0.0).tiles
    assert [(tile["tileId"], tile["minX"]) for tile in tiles] == [("t_0.0.0", 0.0), ("t_1.0.0", 7.0)]
    level = dict(image_levels(tiles[1]))[0]
    assert level.get("imageLoaderType") == (None if extract else "ZARR_SLICE")
    assert np.array_equal(read_image(ImageSource.of_level(level)), data[1])


def test_channels_are_chosen(render, render_parameters, tiffs):
    imported(render_parameters, tiffs[0] / "S3*.tif", channels=["DAPI"])
    tile = stacks.read_section(render, "raw", 0.0).tiles[0]
    assert [channel["name"] for channel in tile["channels"]] == ["DAPI"]
    with pytest.raises(InputError, match="no image has the channel RFP; there are GFP, DAPI"):
        imported(render_parameters, tiffs[0] / "S3*.tif", channels=["RFP"])


def test_files_without_metadata_are_all_named(render, render_parameters, tmp_path):
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((6, 8), np.uint8), metadata=None)
    with pytest.raises(InputError, match=r"a\.tif: a TIFF without metadata.*b\.tif: a TIFF without metadata"):
        imported(render_parameters, tmp_path / "*.tif")
    assert stacks.stack_names(render) == []


def test_images_without_positions_are_refused(render, render_parameters, tmp_path):
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", np.zeros((6, 8), np.uint8), metadata={"axes": "YX"})
    with pytest.raises(InputError, match=r"no position: .*a\.ome\.tif \(a\), .*b\.ome\.tif \(b\)"):
        imported(render_parameters, tmp_path / "*.tif")
    assert stacks.stack_names(render) == []
