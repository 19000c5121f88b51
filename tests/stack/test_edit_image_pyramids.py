import marshmallow
import pytest

from rendermodules.core.sections import Section
from rendermodules.module.errors import SectionError
from rendermodules.stack import EditImagePyramids


@pytest.fixture
def raw(write_stack, tile_spec):
    """Tiles with a pyramid and a mask at level 0, and a channel; names with spaces and umlauts."""
    sections = []
    for z in (1.0, 2.5):
        levels = {
            str(level): {"imageUrl": f"file:///data/my%20ribbon/{level}/{z}%C3%B6.tif", "imageSliceNumber": 4}
            for level in range(3)
        }
        levels["0"]["maskUrl"] = "file:///data/mask.png"
        levels["0"]["maskLoaderType"] = "IMAGEJ_DEFAULT"
        channel = {
            "name": "A",
            "minIntensity": 0.0,
            "maxIntensity": 9.0,
            "mipmapLevels": {"0": {"imageUrl": "/data/c.tif"}},
        }
        sections.append(Section(z, [tile_spec(f"t{z}", z, mipmapLevels=levels, channels=[channel])]))
    write_stack("raw", *sections)


@pytest.fixture
def edited(render_parameters, sections_of):
    """Function that applies operations and returns the tile of the first section."""

    def edit(*operations, **parameters):
        parameters = {"render": render_parameters, "input_stack": "raw", "output_stack": "new", **parameters}
        EditImagePyramids({**parameters, "operations": list(operations)}).run()
        return sections_of(parameters["output_stack"])[1.0].tiles[0]

    return edit


def urls(owner, key="imageUrl"):
    return {level: image.get(key) for level, image in owner["mipmapLevels"].items()}


def test_replace(raw, edited):
    tile = edited({"operation": "replace", "find": "^(file://)?/data/", "replace": r"\1/archive/"}, pool_size=2)
    assert urls(tile)["2"] == "file:///archive/my%20ribbon/2/1.0%C3%B6.tif"
    assert urls(tile["channels"][0]) == {"0": "/archive/c.tif"}
    assert urls(tile, "maskUrl")["0"] == "file:///data/mask.png"
    assert tile["mipmapLevels"]["1"]["imageSliceNumber"] == 4
    masks = edited({"operation": "replace", "find": "data", "replace": "m", "targets": ["mask"], "levels": [0]})
    assert urls(masks, "maskUrl") == {"0": "file:///m/mask.png", "1": None, "2": None}


def test_redirect_keeps_file_names(raw, edited):
    operations = [
        {"operation": "redirect", "directory": "/new folder", "levels": [1]},
        {"operation": "redirect", "directory": "s3://bucket/mips", "levels": [2]},
    ]
    tile = edited(*operations)
    assert urls(tile) == {
        "0": "file:///data/my%20ribbon/0/1.0%C3%B6.tif",
        "1": "file:///new%20folder/1.0%C3%B6.tif",
        "2": "s3://bucket/mips/1.0%C3%B6.tif",
    }


def test_levels_are_kept(raw, edited):
    assert list(urls(edited({"operation": "keep_levels", "last_level": 0}))) == ["0"]
    assert list(urls(edited({"operation": "keep_levels", "last_level": 1}))) == ["0", "1"]
    with pytest.raises(SectionError, match=r"nothing would be left of tile t1\.0, which has levels \['0'\]"):
        edited({"operation": "keep_levels", "first_level": 1, "last_level": 1})


def test_masks_are_set_and_removed_in_place(raw, edited):
    tile = edited({"operation": "set_mask", "mask": "/masks/m 1.png", "levels": [0, 1]}, output_stack="raw")
    assert urls(tile, "maskUrl") == {"0": "file:///masks/m%201.png", "1": "file:///masks/m%201.png", "2": None}
    tile = edited({"operation": "set_mask"}, output_stack="raw")
    assert not any(key.startswith("mask") for image in tile["mipmapLevels"].values() for key in image)


def test_chosen_channels(raw, edited):
    tile = edited({"operation": "redirect", "directory": "/x"}, channels=["A"])
    assert urls(tile["channels"][0]) == {"0": "file:///x/c.tif"}
    assert urls(tile)["0"].startswith("file:///data/")


def test_what_changes_nothing_is_refused(raw, edited):
    with pytest.raises(SectionError, match=r"replace /dta/ changes nothing here; the first tile has file:///data/my"):
        edited({"operation": "replace", "find": "/dta/"})
    edited({"operation": "replace", "find": "/dta/", "optional": True})


@pytest.mark.parametrize(
    "operation",
    [
        {"operation": "replace"},
        {"operation": "replace", "find": "("},
        {"operation": "redirect"},
        {"operation": "keep_levels", "first_level": 2, "last_level": 1},
        {"operation": "drop"},
        {"operation": "replace", "find": "a", "targets": ["images"]},
    ],
)
def test_operations_that_lack_something(edited, operation):
    with pytest.raises(marshmallow.ValidationError):
        edited(operation)


@pytest.mark.parametrize(
    ("old", "operation"),
    [
        (
            {"regex_find": "a", "regex_replace": "b"},
            {"operation": "replace", "find": "a", "replace": "b", "levels": [0]},
        ),
        (
            {"new_mipmap_directories": [{"level": 1, "directory": "/x"}]},
            {"operation": "redirect", "directory": "/x", "levels": [1]},
        ),
        ({"level_to_retain": 2}, {"operation": "keep_levels", "first_level": 2, "last_level": 2}),
    ],
)
def test_old_keys(render_parameters, old, operation):
    with pytest.warns(FutureWarning, match="now operations"):
        args = EditImagePyramids({"render": render_parameters, "input_stack": "a", "output_stack": "b", **old}).args
    assert operation.items() <= args["operations"][0].items()
