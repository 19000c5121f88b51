import numpy as np
import pytest
import tifffile

from rendermodules.io.images import read_image

PLAIN = ["--doFilter", "false", "--fillWithNoise", "false"]


@pytest.fixture
def path(client, drawn_tile):
    path = client.create("s", stackResolutionX=4.0, stackResolutionY=8.0, stackResolutionZ=35.0)
    client.put(path, drawn_tile("a", 1020, 10, 20, seed=1), drawn_tile("b", 1020, 90, 20, seed=2), drawn_tile("c", 7.5))
    client.complete(path)
    return path


def test_files_are_where_java_puts_them(run, path, client, tmp_path):
    run("RenderSectionClient", "--rootDirectory", tmp_path, "--scale", 0.5, *PLAIN, "7.5", "1020", stack="s")
    root = tmp_path / "project" / "s" / "sections_at_0.5"
    files = sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())
    assert files == ["000/0/7.5.png", "001/0/1020.0.png"]
    image = read_image(root / "001/0/1020.0.png")
    assert (image.dtype, image.shape) == (np.uint8, (40, 90))
    served = client.send("GET", f"{path}/z/1020/png-image?scale=0.5").content
    (tmp_path / "served.png").write_bytes(served)
    np.testing.assert_array_equal(image, read_image(tmp_path / "served.png")[:, :, 0])


def test_other_names_and_boxes(run, path, tmp_path):
    words = ["--rootDirectory", tmp_path, "--scale", 1, *PLAIN]
    custom = ["--customOutputFolder", "all", "--customSubFolder", "sub", "--padFileNamesWithZeros", "True"]
    run("RenderSectionClient", *words, *custom, "--bounds", "10,60,20,100", "--convertToGray", 1020, 7.5, stack="s")
    files = {file.name: read_image(file) for file in (tmp_path / "all" / "sub").iterdir()}
    assert {name: image.shape for name, image in files.items()} == {"01020.png": (80, 50), "00007.5.png": (80, 50)}
    original = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(files["01020.png"], original[:, :50])
    run("RenderSectionClient", *words, "--useStackBounds", "--format", "JPEG", 7.5, stack="s")
    assert read_image(tmp_path / "project/s/sections_at_1.0/000/0/7.5.jpeg").shape == (100, 190)


def test_intensities_filters_and_noise(run, path, tmp_path):
    words = ["--rootDirectory", tmp_path, "--scale", 1, "--bounds", "0,100,0,100", 1020]
    run("RenderSectionClient", *words, "--customOutputFolder", "filtered", stack="s")
    run("RenderSectionClient", *words, "--customOutputFolder", "dark", *PLAIN, "--minIntensity", 254, stack="s")
    filtered, dark = (read_image(tmp_path / folder / "1020.0.png") for folder in ("filtered", "dark"))
    assert dark.max() <= 255
    assert (dark == 0).mean() > 0.9
    assert filtered.std() > 20
    run("RenderSectionClient", *words, "--filterListName", "nothing", stack="s", status=1)


def test_tiff_with_its_resolution(run, path, tmp_path):
    words = ["--rootDirectory", tmp_path, "--scale", 0.5, *PLAIN, "--format", "tif", "--resolutionUnit"]
    run("RenderSectionClient", *words, "um", 1020, stack="s")
    with tifffile.TiffFile(tmp_path / "project/s/sections_at_0.5/001/0/1020.0.tif") as tiff:
        tags = tiff.pages[0].tags
        assert tags["XResolution"].value[0] / tags["XResolution"].value[1] == pytest.approx(1 / 0.008, rel=1e-6)
        assert tags["YResolution"].value[0] / tags["YResolution"].value[1] == pytest.approx(1 / 0.016, rel=1e-6)
        assert tiff.imagej_metadata["unit"] == "um"
    run("RenderSectionClient", *words, "miles", 1020, stack="s", status=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([99], "does not contain any tiles"),
        (["--bounds", "0,1,2", 1020], "--bounds must be minX,maxX,minY,maxY"),
        (["--bounds", "9,1,2,3", 1020], "smaller ones first"),
        (["--format", "bmp", 1020], "--format must be one of tif, tiff, png, jpg, jpeg, not 'bmp'"),
        (["--renderTileLabels", 1020], "--renderTileLabels has no stand-in"),
    ],
)
def test_refusals(run, path, tmp_path, words, message, capsys):
    run("RenderSectionClient", "--rootDirectory", tmp_path / "out", *words, stack="s", status=1)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_channel_that_no_tile_has_is_told(run, client, drawn_tile, tmp_path, caplog):
    path = client.create("s")
    levels = drawn_tile("a")["mipmapLevels"]
    channels = [{"name": "DAPI", "minIntensity": 0, "maxIntensity": 255, "mipmapLevels": levels}]
    client.put(path, drawn_tile("a", channels=channels))
    words = ["--rootDirectory", tmp_path, "--scale", 1, *PLAIN, "--channels"]
    run("RenderSectionClient", *words, "DAPI", 1, stack="s")
    assert "none of" not in caplog.text
    run("RenderSectionClient", *words, "DAPY", 1, stack="s")
    assert "none of the 1 tiles, a the first, has a channel DAPY" in caplog.text
