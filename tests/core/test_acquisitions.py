import math

import pytest

from rendermodules.core.acquisitions import (
    AcquiredImage,
    affine_spec,
    check_images,
    chosen_channel,
    images_by_z,
    move_to_origin,
    section_of_images,
    tiles_lacking_channels,
    translation,
)
from rendermodules.core.problems import InputError, Problems


def image(place="row 1", url="file:///a.tif", z=1.0, tile_id="a", channel=None, **more):
    options = {"width": 4, "height": 3, "min_intensity": 0.0, "max_intensity": 255.0, **more}
    return AcquiredImage(place, url, z, tile_id, "S1", channel=channel, **options)


def test_tile_without_channels():
    loader = {"loader_type": "IMAGEJ_TIFF_STACK", "slice_number": 2}
    more = {"affine": translation(5, -0.1), "mask_url": "file:///m.tif", "layout": {"imageRow": 7}}
    section = section_of_images([image(**loader, **more)])
    assert section.z == 1.0
    assert section.tiles == [
        {
            "tileId": "a",
            "z": 1.0,
            "width": 4,
            "height": 3,
            "minIntensity": 0.0,
            "maxIntensity": 255.0,
            "layout": {"sectionId": "S1", "imageRow": 7},
            "mipmapLevels": {
                "0": {
                    "imageUrl": "file:///a.tif",
                    "imageLoaderType": "IMAGEJ_TIFF_STACK",
                    "imageSliceNumber": 2,
                    "maskUrl": "file:///m.tif",
                }
            },
            "transforms": {"type": "list", "specList": [affine_spec((1, 0, 0, 1, 5, -0.1))]},
        }
    ]


def test_channels_of_one_id_are_one_tile():
    images = [
        image(url="g.tif", channel="GFP"),
        image(url="d.tif", channel="DAPI", max_intensity=50000.0),
        image(url="other.tif", tile_id="b", channel="GFP"),
    ]
    tiles = section_of_images(images, first_channel="DAPI").tiles
    assert [[channel["name"] for channel in tile["channels"]] for tile in tiles] == [["DAPI", "GFP"], ["GFP"]]
    assert tiles[0]["mipmapLevels"]["0"] == {"imageUrl": "d.tif"}
    assert tiles[0]["maxIntensity"] == tiles[0]["channels"][0]["maxIntensity"] == 50000.0


def test_sections_are_moved_to_the_origin():
    images = [image(affine=translation(5, 7)), image(affine=(2, 0, 0, 2, 3, 9))]
    images.append(image(z=2.0, affine=translation(-4, 1)))
    move_to_origin(images)
    assert [one.affine for one in images] == [(1, 0, 0, 1, 2, 0), (2, 0, 0, 2, 0, 2), (1, 0, 0, 1, 0, 0)]


def test_sections_ascend():
    groups = images_by_z([image(z=2.5), image(z=-1.0, tile_id="b"), image(z=2.5, tile_id="c")])
    assert [(z, [one.tile_id for one in group]) for z, group in groups] == [(-1.0, ["b"]), (2.5, ["a", "c"])]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (image("row 2"), r"two images of one tile: row 2 and row 1 \(a\)"),
        (image("row 2", z=2.0, channel="GFP"), r"one tile id at two z: row 2 and row 1 \(a\)"),
        (image("row 2", channel="GFP"), "with and without a channel: row 2"),
        (image("row 2", tile_id="b", affine=translation(math.nan, 0)), "not finite: row 2"),
    ],
)
def test_what_cannot_be_tiles_together(second, message):
    problems = Problems("t")
    check_images([image(), second], problems)
    with pytest.raises(InputError, match=message):
        problems.raise_if_any()


def test_channels_of_different_size():
    problems = Problems("t")
    other = image("row 2", channel="GFP")
    other.width = 5
    check_images([image(channel="DAPI"), other], problems)
    assert str(problems) == "t: channels of one tile differ in size: row 2 and row 1 (a)"


def test_tiles_that_lack_channels_are_counted():
    images = [image(channel="GFP"), image(channel="DAPI"), image(tile_id="b", channel="GFP")]
    assert tiles_lacking_channels(images) == (1, 2)
    assert tiles_lacking_channels([image(), image(tile_id="b")]) == (0, 2)


def test_chosen_channel():
    images = [image(channel="GFP"), image(channel="dapi_1")]
    assert chosen_channel(images, "DAPI") == "dapi_1"
    with pytest.raises(InputError, match="no channel's name contains 'RFP'; there are GFP, dapi_1"):
        chosen_channel(images, "RFP")
