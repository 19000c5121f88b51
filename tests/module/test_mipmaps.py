import marshmallow
import pytest

from rendermodules.module.mipmaps import MipmapParameters, mipmap_names, mipmap_writings

TILE = {"tileId": "t", "width": 40, "height": 30}
LEVEL = {"imageUrl": "file:///raw/data/a%20b.tif", "maskUrl": "file:///raw/data/m.png"}


def loaded(**given):
    return MipmapParameters().load(given)


def test_names_in_renders_layout():
    levels = mipmap_names(loaded(output_dir="/mips", levels=9, imgformat="jpeg")).levels(TILE, LEVEL)
    # 30 rows have 4 levels
    assert sorted(levels) == [1, 2, 3, 4]
    assert levels[2] == {
        "imageUrl": "file:///mips/2/raw/data/a%20b.tif.jpg",
        "maskUrl": "file:///mips/2/raw/data/m.png.png",
    }


def test_other_names():
    beside = mipmap_names(loaded(levels=1)).levels(TILE, LEVEL)
    assert beside == {1: {"imageUrl": "file:///raw/data/a%20b_mip01.tif", "maskUrl": "file:///raw/data/m_mip01.tif"}}
    rule = loaded(path_find="raw/data", path_replace="small", mask_dir="s3://b/m", mipmaplevels="2", imgformat="png")
    assert mipmap_names(rule).levels(TILE, LEVEL) == {
        2: {"imageUrl": "file:///small/a%20b_mip02.png", "maskUrl": "s3://b/m/2/raw/data/m.png.png"}
    }
    assert mipmap_names(loaded(output_dir="/m", layout="suffix", levels=1)).levels(TILE, {"imageUrl": "/x/y.tif"}) == {
        1: {"imageUrl": "file:///m/y_mip01.tif"}
    }


def test_masks_that_are_computed():
    level = {"imageUrl": "a.tif", "maskUrl": "mask://outside-box?minX=0"}
    assert mipmap_names(loaded(levels=1)).levels(TILE, level)[1]["maskUrl"] == "mask://outside-box?minX=0&level=1"


def test_how_levels_are_made():
    specs = [{"level": 1}, {"level": 2, "imgformat": "jpg", "convert_to_8bit": True}, {"level": 3}]
    given = loaded(output_dir="/m", method="median", compression="lzw", mipmap_specs=specs)
    names = mipmap_names(given)
    assert names.levels(TILE, LEVEL)[2]["imageUrl"].endswith(".jpg")
    images = mipmap_writings(given, names, "image")
    assert [(one.levels, one.method, one.compression, one.to_8_bit) for one in images] == [
        ([1, 3], "median", "lzw", False),
        ([2], "median", "lzw", True),
    ]
    masks = mipmap_writings(given, names, "mask")
    assert {(tuple(one.levels), one.method, one.to_8_bit) for one in masks} == {
        ((1, 3), "minimum", False),
        ((2,), "minimum", False),
    }


@pytest.mark.parametrize(
    ("before", "method"),
    [
        ({"method": "PIL", "PIL_filter": "LANCZOS"}, "lanczos"),
        ({"method": "PIL"}, "nearest"),
        ({"method": "PIL", "ds_filter": "BOX"}, "mean"),
        ({"method": "block_reduce"}, "mean"),
        ({"method": "block_reduce", "block_func": "min"}, "minimum"),
    ],
)
def test_methods_of_before(before, method):
    assert loaded(**before)["method"] == method


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"downsample_option": "PIL", "compression": "LZW"}, {"method": "nearest", "compression": "lzw"}),
        ({"compression": "JPEG"}, {"imgformat": "jpeg", "compression": None}),
        ({"compression": "PNG", "png_options": {"level": 3}}, {"imgformat": "png"}),
    ],
)
def test_levels_of_before(before, now):
    (spec,) = loaded(mipmapspecs=[{"level": 1, **before}])["mipmap_specs"]
    assert {key: spec[key] for key in now} == now


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path_find": "a"}, "belong together"),
        ({"path_find": "a", "path_replace": "b", "output_dir": "c"}, "not both"),
        ({"mipmap_specs": [{"level": 0}]}, "greater than or equal to 1"),
        ({"method": "sharpest"}, "Must be one of"),
    ],
)
def test_refused(given, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        loaded(**given)
