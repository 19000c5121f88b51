import json

import marshmallow
import numpy as np
import pytest
import renderapi

from rendermodules.core.acquisitions import affine_spec
from rendermodules.core.problems import InputError
from rendermodules.dataimport import ImportTilespecs
from rendermodules.io.images import write_image
from rendermodules.module import stacks

LENS = {**affine_spec((1, 0, 0, 1, 5, 0)), "id": "lens"}


def tile(name, z, **more):
    return {
        "tileId": name,
        "z": z,
        "width": 8,
        "height": 6,
        "meshCellSize": 32.0,
        "layout": {"sectionId": f"s{z}"},
        "mipmapLevels": {"0": {"imageUrl": f"file:///old/{name}.tif", "maskUrl": "file:///old/mask.png"}},
        "transforms": {"type": "list", "specList": [{"type": "ref", "refId": "lens"}]},
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "tile specs"
    place.mkdir()
    # z 2 is in both files, which must therefore be written together
    (place / "DAPI_0.json").write_text(json.dumps([tile("a", 1.5), tile("b", 2)]))
    (place / "DAPI_1.json").write_text(json.dumps([tile("c", 2), tile("d", 3)]))
    (place / "GFP_0.json").write_text(json.dumps([tile("e", 9)]))
    (tmp_path / "transforms.json").write_text(json.dumps([LENS]))
    return place


def imported(render_parameters, folder, **parameters):
    defaults = {
        "tilespec_files": [str(folder / "DAPI*.json")],
        "transform_file": str(folder.parent / "transforms.json"),
    }
    return ImportTilespecs(
        input_data={"render": render_parameters, "output_stack": "s", **defaults, **parameters}
    ).run()


@pytest.mark.parametrize("pool_size", [1, 2])
def test_shared_transforms_stay_shared(render, render_parameters, folder, pool_size):
    result = imported(render_parameters, folder, pool_size=pool_size, overwrite_zlayer=True)
    assert (result["zValues"], result["tile_count"]) == ([1.5, 2.0, 3.0], 4)
    section = stacks.read_section(render, "s", 2.0)
    assert [one["tileId"] for one in section.tiles] == ["b", "c"]
    assert section.tiles[0]["transforms"]["specList"] == [{"type": "ref", "refId": "lens"}]
    assert section.transforms["lens"]["dataString"] == LENS["dataString"]
    assert (section.tiles[0]["meshCellSize"], section.tiles[0]["minX"]) == (32.0, 5.0)


def test_resolved_tiles_with_images_elsewhere_and_matches(render, render_parameters, folder):
    resolved = {"tileIdToSpecMap": {"a": tile("a", 1)}, "transformIdToSpecMap": {"lens": LENS}}
    (folder / "resolved.json").write_text(json.dumps(resolved))
    for name in ("a.tif", "mask.png"):
        write_image(folder / "images ü" / name, np.zeros((6, 8), np.uint8))
    match = {"pGroupId": "s1", "pId": "a", "qGroupId": "s1", "qId": "b"}
    match["matches"] = {"p": [[1, 2], [3, 4]], "q": [[5, 6], [7, 8]], "w": [1, 1]}
    (folder / "matches.json").write_text(json.dumps([match]))
    imported(
        render_parameters,
        folder,
        tilespec_files=[str(folder / "resolved.json")],
        transform_file=None,
        image_directory=str(folder / "images ü"),
        check_images=True,
        matches_file=str(folder / "matches.json"),
        match_collection="m",
    )
    level = stacks.read_section(render, "s", 1.0).tiles[0]["mipmapLevels"]["0"]
    assert level["imageUrl"] == (folder / "images ü" / "a.tif").as_uri()
    assert level["maskUrl"] == (folder / "images ü" / "mask.png").as_uri()
    assert (
        renderapi.pointmatch.get_matches_within_group("m", "s1", render=render)[0]["matches"]["q"]
        == match["matches"]["q"]
    )


def test_files_of_transforms_and_references_by_rule(render, render_parameters, folder):
    (folder / "DAPI_0_transforms.json").write_text(json.dumps([LENS]))
    (folder / "flat_0.json").write_text(json.dumps([tile("f", 77)]))
    parameters = {
        "tilespec_files": [str(folder / "DAPI_?.json")],
        "transform_file": None,
        "transform_find": r"(DAPI_\d)",
        "transform_replace": r"\1_transforms",
        "reference_find": "DAPI",
        "reference_replace": "flat",
        "reference_section_id": True,
        "section_id_suffix": "DAPI",
    }
    with pytest.raises(InputError, match=r"the transform or reference file is missing: .*DAPI_1\.json \("):
        imported(render_parameters, folder, **parameters)
    assert imported(render_parameters, folder, **parameters, skip_missing=True)["zValues"] == [77.0]
    tiles = stacks.read_section(render, "s", 77.0).tiles
    assert [one["layout"]["sectionId"] for one in tiles] == ["s77DAPI", "s77DAPI"]
    with pytest.raises(InputError, match=r"transform_find \(nowhere\) does not fit: .*DAPI_0.json, .*DAPI_1.json"):
        imported(render_parameters, folder, **{**parameters, "transform_find": "(nowhere)"})


def test_a_url_rule_that_does_not_fit(render, render_parameters, folder):
    with pytest.raises(InputError, match=r"url_find \^s3: does not fit: .*DAPI_0.json \(a: file:///old/a.tif\)"):
        imported(render_parameters, folder, url_find="^s3:")
    imported(render_parameters, folder, url_find="^file:///old/", url_replace="s3://bucket/")
    level = stacks.read_section(render, "s", 3.0).tiles[0]["mipmapLevels"]["0"]
    assert level == {"imageUrl": "s3://bucket/d.tif", "maskUrl": "s3://bucket/mask.png"}


def test_everything_wrong_is_said_before_anything_is_written(render, render_parameters, folder):
    (folder / "DAPI_2.json").write_text(json.dumps([tile("a", 5), tile("n", 6, width=None)]))
    (folder / "DAPI_3.json").write_text("{")
    with pytest.raises(InputError) as caught:
        imported(render_parameters, folder, check_images=True)
    text = str(caught.value)
    assert "width missing: " in text
    assert "DAPI_0.json (a)" in text
    assert "DAPI_3.json: not JSON" in text
    assert "the image does not exist" in text
    assert stacks.stack_names(render) == []


def test_parameters_of_before(render, render_parameters, folder):
    (folder.parent / "transforms.json").rename(folder.parent / "t.json")
    (folder / "GFP_0.json").write_text(json.dumps([tile("e", 9, transforms={"type": "list", "specList": []})]))
    with pytest.warns(FutureWarning):
        module = ImportTilespecs(
            input_data={"render": render_parameters, "outputStack": "s", "inputDir": str(folder), "channel": "GFP"}
        )
    assert module.run()["zValues"] == [9.0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"transform_find": "a"}, "belong together"),
        ({"z": 1, "reference_find": "a", "reference_replace": "b"}, "give z or reference_find"),
        ({"url_find": "("}, "no regular expression"),
        ({"url_find": "a", "url_replace": r"\1"}, "no replacement: invalid group reference 1"),
    ],
)
def test_contradictions(render_parameters, folder, parameters, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        imported(render_parameters, folder, **parameters)
