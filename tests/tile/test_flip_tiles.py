import re

import marshmallow
import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section, transform_list
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import path_of_url, url_of_path
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.images import box_image
from rendermodules.tile import FlipTiles

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
    "dataString": "0 1 0 0 0 1",
}
REFERENCE = {"type": "ref", "refId": "lens"}


def at(x, y):
    return {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} {y}"}


@pytest.fixture
def raw(write_stack, tile_spec, tmp_path):
    """Two tiles of 16 bit side by side with a mask and a lens, and one of 8 bit at another z with two channels."""
    random = np.random.default_rng(1)
    folder = tmp_path / "my data ö"
    write_image(folder / "mask.png", np.where(np.arange(20) < 15, 255, 0).astype(np.uint8) * np.ones((10, 1), np.uint8))
    tiles = []
    for name, x in (("left", 0), ("right", 20)):
        write_image(folder / f"{name}.tif", random.integers(1, 65536, (10, 20)).astype(np.uint16))
        level = {"imageUrl": url_of_path(folder / f"{name}.tif"), "maskUrl": url_of_path(folder / "mask.png")}
        levels = {"0": level, "1": {"imageUrl": "nowhere"}}
        tiles.append(tile_spec(name, 1.0, REFERENCE, at(x, x), mipmapLevels=levels, maxIntensity=65535.0))
    channels = []
    for name in ("A", "B"):
        write_image(folder / f"{name}.png", random.integers(0, 256, (10, 20)).astype(np.uint8))
        levels = {"0": {"imageUrl": str(folder / f"{name}.png")}}
        channels.append({"name": name, "minIntensity": 0.0, "maxIntensity": 255.0, "mipmapLevels": levels})
    both = {**tile_spec("both", 2.5, at(5, 7), channels=channels), "mipmapLevels": {}}
    write_stack("raw", Section(1.0, tiles, {"lens": LENS}), Section(2.5, [both]), stackResolutionX=4.0)
    return folder


@pytest.fixture
def run(render_parameters, tmp_path):
    parameters = {"render": render_parameters, "input_stack": "raw", "output_stack": "turned"}
    folder = {"output_directory": str(tmp_path / "turned ö")}
    return lambda **more: FlipTiles({**parameters, **folder, **more}).run()


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.tif")}


@pytest.mark.parametrize("axis", ["vertical", "horizontal"])
def test_the_section_is_drawn_mirrored_with_every_value(run, raw, render, axis):
    run(axis=axis, mirror_at=0.0, pool_size=2)
    before = box_image(render, "raw", 1.0, 0, 0, 40, 40, dtype="uint16")
    box = (0, -39, 40, 40) if axis == "vertical" else (-39, 0, 40, 40)
    after = box_image(render, "turned", 1.0, *box, dtype="uint16")
    assert before.max() > 60000
    np.testing.assert_array_equal(after, before[::-1] if axis == "vertical" else before[:, ::-1])


def test_what_is_written(run, raw, sections_of, render, tmp_path):
    result = run()
    assert (result["zValues"], result["tile_count"]) == ([1.0, 2.5], 3)
    sections = sections_of("turned")
    left = sections[1.0].tiles[0]
    assert list(left["mipmapLevels"]) == ["0"]
    image, mask = (path_of_url(left["mipmapLevels"]["0"][key]) for key in ("imageUrl", "maskUrl"))
    assert image == tmp_path / "turned ö" / raw.relative_to("/") / "left.tif"
    np.testing.assert_array_equal(read_image(image), read_image(raw / "left.tif")[::-1])
    np.testing.assert_array_equal(read_image(mask), read_image(raw / "mask.png")[::-1])
    assert sections[1.0].transforms == {"lens": LENS}
    assert transform_list(sections[1.0].tiles[1])[1] == REFERENCE
    both = sections[2.5].tiles[0]
    assert [path_of_url(one["mipmapLevels"]["0"]["imageUrl"]).name for one in both["channels"]] == [
        "A.png.tif",
        "B.png.tif",
    ]
    assert transform_list(both)[0]["dataString"] == "1.0 0.0 0.0 1.0 5.0 -7.0"
    assert stacks.stack_metadata(render, "turned")["currentVersion"]["stackResolutionX"] == 4.0


def test_finished_images_are_kept_and_torn_ones_made_again(run, raw, tmp_path, sections_of):
    run()
    before = files(tmp_path / "turned ö")
    torn, *_ = before
    torn.write_bytes(torn.read_bytes()[:-50])
    run(output_stack="again")
    after = files(tmp_path / "turned ö")
    assert {path for path in after if after[path] != before[path]} == {torn}
    assert sections_of("again") == sections_of("turned")


def test_in_place_and_old_images_deleted(run, raw, render, caplog):
    run(output_stack="raw", delete_after=True, z=1.0)
    assert sorted(path.name for path in raw.iterdir()) == ["A.png", "B.png", "mask.png"]
    assert stacks.stack_names(render) == ["raw"]
    assert box_image(render, "raw", 1.0, 0, -20, 40, 40, dtype="uint16").max() > 60000
    with pytest.raises(InputError, match="already, so it has been processed"):
        run(output_stack="raw", z=1.0)


def test_all_images_that_cannot_be_turned_are_named(run, raw, render):
    (raw / "left.tif").unlink()
    write_image(raw / "right.tif", np.ones((9, 20), np.uint16))
    with pytest.raises(InputError) as caught:
        run()
    assert re.search(r"cannot be processed: z=1\.0 left \(.*left\.tif", str(caught.value))
    assert re.search(r"not as large as the tile: z=1\.0 right \(.*right\.tif: \(20, 9\)", str(caught.value))
    assert stacks.stack_names(render) == ["raw"]


def test_a_folder_of_images_that_were_made_otherwise_is_refused(run, raw, tmp_path):
    run()
    with pytest.raises(RenderModuleError, match=r"made in another way, see .*made_by\.json"):
        run(axis="horizontal", output_stack="new")
    run(axis="horizontal", output_stack="new", redo=True)
    turned = read_image(tmp_path / "turned ö" / raw.relative_to("/") / "left.tif")
    np.testing.assert_array_equal(turned, read_image(raw / "left.tif")[:, ::-1])


def test_a_dry_run_writes_nothing(run, raw, render, tmp_path):
    run(dry_run=True, delete_after=True)
    assert not (tmp_path / "turned ö").exists()
    assert stacks.stack_names(render) == ["raw"]


def test_unknown_axis(run):
    with pytest.raises(marshmallow.ValidationError, match="Must be one of"):
        run(axis="both")


def test_computed_masks_are_refused(run, write_stack, tile_spec, raw):
    mask = "mask://outside-box?minX=1&minY=0&maxX=9&maxY=9&width=20&height=10"
    level = {"imageUrl": str(raw / "A.png"), "maskUrl": mask, "maskLoaderType": "DYNAMIC_MASK"}
    write_stack("computed", Section(1.0, [tile_spec("a", 1.0, mipmapLevels={"0": level})]))
    with pytest.raises(SectionError, match="is computed when it is drawn"):
        run(input_stack="computed")
