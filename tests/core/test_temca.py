import copy

import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.temca import temca_images

CONTENT = [
    {
        "metadata": {
            "calibration": {"highmag": {"x_nm_per_pix": 3.75}},
            "camera_info": {"width": 3840, "height": 3900, "camera_id": "c1"},
            "temca_id": 4,
        }
    },
    {
        "data": [
            {
                "img_path": f"tile_{column}.tif",
                "img_meta": {
                    "stage_pos": [stage_x, 50.0],
                    "pixel_size_x_move": 2.0,
                    "pixel_size_y_move": -4.0,
                    "angle": 90.0,
                    "raster_pos": [column, 7],
                },
            }
            for column, stage_x in enumerate([-100.0, 7000.0])
        ]
    },
]


def images(content=CONTENT, **options):
    return temca_images(content, "m.json", 3.5, **{"section_id": "S", "tile_ids_with_z": True, **options})


def test_places_are_turned_and_begin_at_zero():
    first, second = images()
    # turned by 90 degrees x becomes -y: pixels (-50, -12.5) and (3500, -12.5) become (-12, 50) and (-12, -3500)
    assert first.affine[4:] == (0.0, 3550.0)
    assert second.affine[4:] == (0.0, 0.0)
    assert (first.tile_id, first.section_id, first.z) == ("tile_0.3.5", "S", 3.5)
    assert (first.width, first.height) == (3840, 3900)
    assert first.layout == {
        "temca": "4",
        "camera": "c1",
        "imageRow": 7,
        "imageCol": 0,
        "stageX": -100.0,
        "stageY": 50.0,
        "rotation": 90.0,
        "pixelsize": 3.75,
    }
    assert images(tile_ids_with_z=False)[1].tile_id == "tile_1"


def test_everything_missing_is_named_with_what_is_there():
    content = copy.deepcopy(CONTENT)
    content[0]["metadata"]["calibration"] = {"high_mag": {}}
    for item in content[1]["data"]:
        item["img_meta"]["stage_position"] = item["img_meta"].pop("stage_pos")
    content[1]["data"][1]["img_meta"]["angle"] = float("nan")
    with pytest.raises(InputError) as caught:
        images(content)
    text = str(caught.value)
    assert "calibration.highmag.x_nm_per_pix is missing (there is high_mag): metadata" in text
    assert "img_meta.stage_pos is missing (there is stage_position): image 1 (tile_0.tif), image 2 (tile_1.tif)" in text
    assert "img_meta.angle is not 1 number: image 2 (tile_1.tif) (nan)" in text


@pytest.mark.parametrize("content", [{}, [], [{"metadata": {}}], [{"metadata": {}}, {"data": ["a"]}]])
def test_other_json_is_refused(content):
    with pytest.raises(InputError, match='m.json: not a list of an object with "metadata"'):
        images(content)


def test_no_image_is_refused():
    with pytest.raises(InputError, match="there is no image: data"):
        images([CONTENT[0], {"data": []}])
