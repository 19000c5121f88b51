import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.dataimport import GenerateEMTilespecsFromMetafile
from rendermodules.io.images import write_image
from rendermodules.module import stacks


@pytest.fixture
def metafile(tmp_path):
    folder = tmp_path / "grid 1"
    data = []
    for column in range(3):
        write_image(folder / f"t{column}.tif", np.zeros((30, 40), np.uint8))
        meta = {"stage_pos": [column * 72.0, 0.0], "pixel_size_x_move": 2.0, "pixel_size_y_move": 2.0}
        data.append({"img_path": f"t{column}.tif", "img_meta": {**meta, "angle": 0.0, "raster_pos": [column, 0]}})
    camera = {"width": 40, "height": 30, "camera_id": "c"}
    metadata = {"calibration": {"highmag": {"x_nm_per_pix": 3.7}}, "camera_info": camera, "temca_id": 2}
    path = folder / "m.json"
    path.write_text(json.dumps([{"metadata": metadata}, {"data": data}]))
    return path


def imported(render_parameters, **parameters):
    parameters = {"render": render_parameters, "output_stack": "raw", **parameters}
    return GenerateEMTilespecsFromMetafile(input_data=parameters).run()


def test_a_montage(render, render_parameters, metafile):
    result = imported(render_parameters, metafile=metafile.as_uri(), z=1020, section_thickness=40)
    assert (result["zValues"], result["tile_count"]) == ([1020.0], 3)
    tiles = stacks.read_section(render, "raw", 1020.0).tiles
    assert [tile["tileId"] for tile in tiles] == ["t0.1020.0", "t1.1020.0", "t2.1020.0"]
    assert [tile["minX"] for tile in tiles] == [0.0, 36.0, 72.0]
    assert tiles[0]["layout"]["sectionId"] == "1020.0"
    assert tiles[0]["mipmapLevels"]["0"] == {"imageUrl": (metafile.parent / "t0.tif").as_uri()}
    version = stacks.stack_metadata(render, "raw")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [3.7, 3.7, 40.0]


def test_parameters_of_before(render, render_parameters, metafile):
    write_image(metafile.parent / "mask.png", np.zeros((30, 40), np.uint8))
    with pytest.warns(FutureWarning) as warned:
        imported(
            render_parameters,
            metafile_uri=str(metafile),
            image_prefix=str(metafile.parent),
            maskUrl_uri=str(metafile.parent / "mask.png"),
            maximum_intensity=200,
            sectionId="A",
            zValues=[5],
        )
    assert any("metafile_uri is now called metafile" in str(warning.message) for warning in warned)
    tile = stacks.read_section(render, "raw", 5.0).tiles[0]
    assert tile["mipmapLevels"]["0"]["maskUrl"] == (metafile.parent / "mask.png").as_uri()
    assert (tile["maxIntensity"], tile["layout"]["sectionId"]) == (200.0, "A")
    with pytest.raises(marshmallow.ValidationError, match="a metafile describes one section"):
        imported(render_parameters, metafile=str(metafile), zValues=[5, 6])


def test_missing_images_are_named_before_anything_is_written(render, render_parameters, metafile):
    for column in (0, 2):
        (metafile.parent / f"t{column}.tif").unlink()
    with pytest.raises(InputError) as caught:
        imported(render_parameters, metafile=str(metafile), z=1)
    assert "image 1 (t0.tif)" in str(caught.value)
    assert "image 3 (t2.tif)" in str(caught.value)
    assert stacks.stack_names(render) == []
