import json

import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.dataimport import ImportImageDirectory
from rendermodules.io.images import write_image
from rendermodules.io.synthetic_files import write_synthetic_files
from rendermodules.module import stacks


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "run ü 1"
    for name, dtype in (("a b.tif", np.uint8), ("b.tif", np.uint8), ("c16.png", np.uint16)):
        write_image(place / name, np.zeros((30, 40), dtype))
    return place


def imported(render_parameters, **parameters):
    module = ImportImageDirectory(input_data={"render": render_parameters, "output_stack": "raw", **parameters})
    return module.run()


def table_of(folder, text, name="positions.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_table(render, render_parameters, folder):
    table = table_of(folder, "file,x,y,z,row\na b.tif,0,0,1.5,0\nb.tif,36,-1.25,1.5,1\nc16.png,0,0,2,0\n")
    result = imported(render_parameters, positions_file=table, pixelsize=4.0, section_thickness=50.0)
    assert (result["zValues"], result["tile_count"]) == ([1.5, 2.0], 3)
    version = stacks.stack_metadata(render, "raw")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [4.0, 4.0, 50.0]
    first, second = stacks.read_section(render, "raw", 1.5).tiles
    assert first["tileId"] == "a_b.1.5"
    assert first["mipmapLevels"]["0"]["imageUrl"] == (folder / "a b.tif").as_uri()
    assert (first["width"], first["height"], first["maxIntensity"]) == (40, 30, 255.0)
    assert second["transforms"]["specList"][0]["dataString"] == "1.0 0.0 0.0 1.0 36.0 -1.25"
    assert second["layout"] == {"sectionId": "1.5", "pixelsize": 4.0, "imageRow": 1}
    assert stacks.read_section(render, "raw", 2.0).tiles[0]["maxIntensity"] == 65535.0


def test_channels_and_sections_in_names(render, render_parameters, tmp_path):
    for section in ("007", "010"):
        for channel, shape in (("DAPI_1", (3, 4)), ("GFP", (3, 4))):
            write_image(tmp_path / "data" / f"S{section}" / f"{channel}.tif", np.zeros(shape, np.uint8))
    result = imported(
        render_parameters,
        image_directory=str(tmp_path / "data"),
        file_pattern=r"S(?P<section>\d+)/(?P<channel>\w+)\.tif",
        tile_id="S{section}",
        reference_channel="gfp",
        pool_size=2,
        tilespec_directory=str(tmp_path / "json"),
    )
    assert (result["zValues"], result["tile_count"]) == ([7.0, 10.0], 2)
    (tile,) = stacks.read_section(render, "raw", 10.0).tiles
    assert (tile["tileId"], tile["layout"]["sectionId"]) == ("S010", "010")
    assert [channel["name"] for channel in tile["channels"]] == ["GFP", "DAPI_1"]
    (written,) = json.loads((tmp_path / "json" / "raw_z7.0.json").read_text())
    assert written["tileId"] == "S007"


def test_a_folder_is_a_section_for_each_image(render, render_parameters, folder):
    result = imported(render_parameters, image_directory=str(folder), z_start=3)
    assert result["zValues"] == [3.0, 4.0, 5.0]


def test_a_nominal_table_names_its_folder(render, render_parameters, folder, tmp_path):
    tiles = [
        {"name": "a b.tif", "row": 0, "col": 0, "x": 0, "y": 0},
        {"name": "b.tif", "row": 0, "col": 1, "x": 35, "y": 2},
    ]
    table = table_of(tmp_path, json.dumps({"images": folder.name, "tiles": tiles}), "nominal.json")
    assert imported(render_parameters, positions_file=table)["tile_count"] == 2
    assert {tile["minX"] for tile in stacks.read_section(render, "raw", 0.0).tiles} == {0.0, 35.0}


def test_a_mask_for_all(render, render_parameters, folder):
    write_image(folder / "masks" / "m.png", np.full((30, 40), 255, np.uint8))
    table = table_of(folder, "file,x,y\na b.tif,0,0\n")
    mask = str(folder / "masks" / "m.png")
    imported(render_parameters, positions_file=table, mask_file=mask)
    level = stacks.read_section(render, "raw", 0.0).tiles[0]["mipmapLevels"]["0"]
    assert level["maskUrl"] == (folder / "masks" / "m.png").as_uri()
    write_image(folder / "masks" / "m.png", np.full((3, 4), 255, np.uint8))
    with pytest.raises(InputError, match=r"the mask is not as large as the image: line 2 \(\(4, 3\) instead of"):
        imported(render_parameters, positions_file=table, mask_file=mask)


def test_everything_wrong_is_said_before_anything_is_written(render, render_parameters, folder):
    (folder / "bad.tif").write_bytes(b"no image")
    names = ("gone.tif", "a b.tif", "bad.tif", "gone too.tif", "a b.tif")
    table = table_of(folder, "file,x,y\n" + "".join(f"{name},0,{y}\n" for y, name in enumerate(names)))
    with pytest.raises(InputError) as caught:
        imported(render_parameters, positions_file=table)
    text = str(caught.value)
    assert "the image cannot be read: line 2" in text
    assert "bad.tif: is no image, or is damaged" in text
    assert "gone%20too.tif: No such file or directory" in text
    assert "two images of one tile: line 6 and line 3 (a_b.0.0)" in text
    assert stacks.stack_names(render) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,1\n", "there is no column file; there are x, y"),
        ("file,x\nb.tif,1\n", "there is no column y"),
        ("file,x,y\nb.tif,nan,1\n", "x is not a number: line 2"),
        ("file,x,y\nb.tif,0,0\nb.tif,5,5\n", r"two images of one tile: line 3 and line 2 \(b.0.0\)"),
        ("file,x,y,z,id\nb.tif,0,0,1,A\na b.tif,0,0,2,A\n", r"one tile id at two z: line 3 and line 2 \(A\)"),
        ("file,x,y\n,0,0\n", "file is empty: line 2"),
    ],
)
def test_refused_tables(render, render_parameters, folder, text, message):
    with pytest.raises(InputError, match=message):
        imported(render_parameters, positions_file=table_of(folder, text))
    assert stacks.stack_names(render) == []


def test_appends_or_begins_anew(render, render_parameters, folder):
    imported(render_parameters, positions_file=table_of(folder, "file,x,y,z\nb.tif,0,0,1\n"))
    imported(render_parameters, positions_file=table_of(folder, "file,x,y,z\nb.tif,0,0,2\n"))
    assert stacks.z_values(render, "raw") == [1.0, 2.0]
    imported(render_parameters, positions_file=table_of(folder, "file,x,y,z\nb.tif,0,0,3\n"), delete_stack=True)
    assert stacks.z_values(render, "raw") == [3.0]


def test_a_dry_run_writes_nothing(render, render_parameters, folder):
    assert imported(render_parameters, image_directory=str(folder), dry_run=True)["tile_count"] == 0
    assert stacks.stack_names(render) == []


def test_sizes_of_the_first_image_of_each_channel(render, render_parameters, folder):
    (folder / "b.tif").write_bytes(b"never read")
    table = table_of(folder, "file,x,y\na b.tif,0,0\nb.tif,40,0\n")
    assert imported(render_parameters, positions_file=table, image_sizes="first")["tile_count"] == 2


def test_sizes_of_the_table(render, render_parameters, folder):
    wrong = table_of(folder, "file,x,y,width,height\na b.tif,0,0,40,30\nb.tif,40,0,41,30\n")
    with pytest.raises(
        InputError, match=r"not as large as the input says: line 3 \(\(40, 30\) instead of \(41, 30\)\)"
    ):
        imported(render_parameters, positions_file=wrong)
    elsewhere = table_of(folder, "file,x,y,width,height\ns3://b/a.tif,0,0,640,480\ns3://b/b.tif,600,0,640,480\n")
    masked = {"positions_file": elsewhere, "image_sizes": "input", "mask_file": "s3://b/mask.png"}
    assert imported(render_parameters, **masked)["tile_count"] == 2
    assert stacks.read_section(render, "raw", 0.0).tiles[0]["width"] == 640
    unknown = table_of(folder, "file,x,y\na b.tif,0,0\n")
    with pytest.raises(InputError, match="the input does not say width and height: line 2"):
        imported(render_parameters, positions_file=unknown, image_sizes="input")


def test_images_in_an_object_store(render, render_parameters, bucket, tmp_path):
    import fsspec

    write_image(tmp_path / "a.tif", np.zeros((30, 40), np.uint16))
    for name in ("S1 r0.tif", "S1 r1.tif"):
        with fsspec.open(f"{bucket}/rün/{name}", "wb") as file:
            file.write((tmp_path / "a.tif").read_bytes())
    pattern = r"S(?P<section>\d+) r(?P<row>\d+)\.tif"
    imported(render_parameters, image_directory=f"{bucket}/rün", file_pattern=pattern, overlap=0.1)
    tiles = stacks.read_section(render, "raw", 1.0).tiles
    assert [tile["mipmapLevels"]["0"]["imageUrl"] for tile in tiles] == [
        "s3://bucket/r%C3%BCn/S1%20r0.tif",
        "s3://bucket/r%C3%BCn/S1%20r1.tif",
    ]
    assert [tile["minY"] for tile in tiles] == [0.0, 27.0]


def test_a_table_of_electron_micrographs(render, render_parameters, shared_folder):
    result = imported(render_parameters, positions_file=str(shared_folder / "data" / "em_2x2" / "nominal.json"))
    assert result["tile_count"] == 4
    tiles = stacks.read_section(render, "raw", 0.0).tiles
    assert {(tile["width"], tile["height"]) for tile in tiles} == {(1325, 1130)}
    assert sorted((tile["minX"], tile["minY"]) for tile in tiles) == [(0, 0), (0, 980), (910, 0), (940, 960)]


def test_what_a_synthetic_microscope_writes(render, render_parameters, tmp_path):
    settings = SyntheticSettings(sections=2, rows=1, columns=2, tile_width=64, tile_height=64, channels=("DAPI", "GFP"))
    write_synthetic_files(settings, tmp_path)
    result = imported(render_parameters, positions_file=str(tmp_path / "positions.csv"))
    assert result["tile_count"] == 4
    for tile in stacks.read_section(render, "raw", result["zValues"][0]).tiles:
        assert [channel["name"] for channel in tile["channels"]] == ["DAPI", "GFP"]
