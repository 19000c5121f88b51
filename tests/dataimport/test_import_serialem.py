import struct

import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import image_levels
from rendermodules.dataimport import ImportSerialem
from rendermodules.io.images import ImageSource, read_image, write_image
from rendermodules.module import stacks

RNG = np.random.default_rng(4)


def imported(render_parameters, *files, **parameters):
    parameters = {
        "render": render_parameters,
        "output_stack": "raw",
        "metadata_files": list(map(str, files)),
        **parameters,
    }
    return ImportSerialem(input_data=parameters).run()


@pytest.fixture
def idoc(tmp_path):
    folder = tmp_path / "montage ü"
    lines = ["PixelSpacing = 64", "ImageSize = 40 30", ""]
    for number in range(4):
        write_image(folder / f"t {number}.tif", RNG.integers(0, 255, (30, 40), dtype=np.uint8))
        place = f"{36 * (number % 2)} {27 * (number // 2)} 0"
        lines += [f"[Image = C:\\run\\t {number}.tif]", f"PieceCoordinates = {place}", ""]
    path = folder / "m.idoc"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def mdoc(tmp_path):
    """Two sections of two images in one MRC file of signed 16 bit."""
    images = RNG.integers(-500, 3000, (4, 6, 8), dtype=np.int16)
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 8, 6, 4, 1)
    struct.pack_into("<2f", header, 76, -500.0, 3000.0)
    (tmp_path / "mont.st").write_bytes(bytes(header) + images.tobytes())
    blocks = [f"[ZValue = {n}]\nPieceCoordinates = {7 * (n % 2)} 0 {n // 2}\n" for n in range(4)]
    path = tmp_path / "mont.st.mdoc"
    path.write_text("PixelSpacing = 10\nImageSize = 8 6\n\n" + "\n".join(blocks))
    return path, images


def test_files_of_one_image(render, render_parameters, idoc):
    result = imported(render_parameters, idoc, z_start=7, section_thickness=70, pool_size=2)
    assert (result["zValues"], result["tile_count"]) == ([7.0], 4)
    tiles = stacks.read_section(render, "raw", 7.0).tiles
    assert [tile["tileId"] for tile in tiles] == [f"t_{number}.7.0" for number in range(4)]
    assert [(tile["minX"], tile["minY"]) for tile in tiles] == [(0, 27), (36, 27), (0, 0), (36, 0)]
    assert tiles[0]["mipmapLevels"]["0"] == {"imageUrl": (idoc.parent / "t 0.tif").as_uri()}
    version = stacks.stack_metadata(render, "raw")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [6.4, 6.4, 70.0]


@pytest.mark.parametrize("extract", [False, True])
def test_images_of_one_file(render, render_parameters, mdoc, idoc, tmp_path, extract):
    path, images = mdoc
    more = {"extracted_directory": str(tmp_path / "planes")} if extract else {}
    assert imported(render_parameters, path, idoc, **more)["zValues"] == [0.0, 1.0, 2.0]
    tile = stacks.read_section(render, "raw", 1.0).tiles[1]
    assert (tile["tileId"], tile["minIntensity"], tile["maxIntensity"]) == ("mont_0004.1.0", 32268.0, 35768.0)
    (level,) = [level for _, level in image_levels(tile)]
    assert level.get("imageLoaderType") == (None if extract else "MRC_SLICE")
    assert level.get("imageSliceNumber") == (None if extract else 4)
    shown = read_image(ImageSource.of_level(level))
    assert np.array_equal(shown.astype(np.int32) - 32768, images[3, ::-1])


def test_extracted_images_are_kept(render, render_parameters, mdoc, tmp_path):
    folder = tmp_path / "planes"
    imported(render_parameters, mdoc[0], extracted_directory=str(folder))
    files = sorted(folder.iterdir())
    files[0].write_bytes(b"damaged")
    before = [file.stat().st_mtime_ns for file in files]
    imported(render_parameters, mdoc[0], extracted_directory=str(folder))
    assert [file.stat().st_mtime_ns == stamp for file, stamp in zip(files, before, strict=True)] == [
        False,
        True,
        True,
        True,
    ]


def test_a_montage_without_coordinates_is_refused(render, render_parameters, idoc):
    idoc.write_text(idoc.read_text().replace("PieceCoordinates = 36 0 0", "TiltAngle = 0"))
    with pytest.raises(InputError, match=r"no coordinates .*: line 7 \(\[Image = C:.run.t 1.tif\]\)"):
        imported(render_parameters, idoc)
    assert stacks.stack_names(render) == []


def test_missing_images_are_all_named(render, render_parameters, idoc, mdoc):
    for number in (0, 3):
        (idoc.parent / f"t {number}.tif").unlink()
    with pytest.raises(InputError, match=r"cannot be read: line 4 .*, line 13 .*No such file"):
        imported(render_parameters, idoc)
    (mdoc[0].parent / "mont.st").write_bytes(b"short")
    with pytest.raises(InputError, match=r"cannot be read: line 4 .*ends within its MRC header"):
        imported(render_parameters, idoc, mdoc[0])
    assert stacks.stack_names(render) == []
