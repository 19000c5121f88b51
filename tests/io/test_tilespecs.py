import gzip
import json

import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.io.tilespecs import (
    TilespecFile,
    merged_sections,
    read_tile_ids,
    read_tilespecs,
    read_transforms,
    write_tilespecs,
)

TILES = [{"tileId": "a", "z": 2.0, "layout": {"sectionId": "S", "camera": "c"}}, {"tileId": "b", "z": 1.0}]
LENS = {"id": "lens", "type": "leaf", "className": "c", "dataString": "1"}


@pytest.mark.parametrize(
    ("content", "transforms"),
    [
        (TILES, {}),
        ({"tileIdToSpecMap": {tile["tileId"]: tile for tile in TILES}}, {}),
        (
            {
                "tileIdToSpecMap": {tile["tileId"]: tile for tile in TILES},
                "transformIdToSpecMap": {"lens": {key: LENS[key] for key in LENS if key != "id"}},
            },
            {"lens": LENS},
        ),
        ({"tilespecs": TILES, "transforms": [LENS]}, {"lens": LENS}),
    ],
)
def test_every_form(tmp_path, content, transforms):
    path = tmp_path / "t.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    assert read_tilespecs(str(path)) == Section(2.0, TILES, transforms)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "holds no tile"),
        ([{"z": 1}], "neither a list of tile specs"),
        ([{"tileId": 5, "z": 1}], "neither a list of tile specs"),
        ({"tiles": []}, "neither a list of tile specs"),
        ({"tilespecs": TILES, "transforms": [{}]}, "shared transforms are not a list"),
    ],
)
def test_other_forms_are_refused(tmp_path, content, message):
    (tmp_path / "t.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_tilespecs(str(tmp_path / "t.json"))


def test_changes(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(TILES))
    (tmp_path / "f.json").write_text(json.dumps([LENS]))
    assert read_transforms(str(tmp_path / "f.json")) == {"lens": LENS}
    section = TilespecFile(str(tmp_path / "t.json"), str(tmp_path / "f.json"), 7.5, "N").section()
    assert section.z == 7.5
    assert section.transforms == {"lens": LENS}
    assert section.tiles == [
        {"tileId": "a", "z": 7.5, "layout": {"sectionId": "N", "camera": "c"}},
        {"tileId": "b", "z": 7.5, "layout": {"sectionId": "N"}},
    ]


def test_merged():
    first, second = Section(2.0, TILES, {"lens": LENS}), Section(2.0, [{"tileId": "c", "z": 2}], {"lens": LENS})
    low, high = merged_sections([first, second])
    assert (low.z, high.z, [tile["tileId"] for tile in high.tiles]) == (1.0, 2.0, ["a", "c"])
    with pytest.raises(InputError, match="the shared transform lens is not the same"):
        merged_sections([first, Section(1.0, [], {"lens": {**LENS, "dataString": "2"}})])


def test_lists_of_tile_ids(tmp_path):
    path = tmp_path / "ids.json"
    path.write_text('["a", "b"]')
    assert read_tile_ids(str(path)) == ["a", "b"]
    for content in ('{"a": 1}', "[1]"):
        path.write_text(content)
        with pytest.raises(InputError, match="no list of tile ids"):
            read_tile_ids(str(path))


@pytest.mark.parametrize("name", ["tiles.json", "tiles.json.gz"])
def test_what_is_written_is_read_again(tmp_path, tile_spec, name):
    shared = {name: {"type": "leaf", "id": name, "className": "c", "dataString": "1"} for name in ("lens", "unused")}
    reference = {"type": "ref", "refId": "lens"}
    sections = [Section(z, [tile_spec(f"t{z}", z, reference)], shared) for z in (1.0, 2.0)]
    write_tilespecs(tmp_path / name, sections)
    read = read_tilespecs(str(tmp_path / name))
    assert read.tiles == [*sections[0].tiles, *sections[1].tiles]
    assert read.transforms == {"lens": shared["lens"]}
