import os
from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.pyramids import pyramid
from rendermodules.io.images import ImageError, ImageSource, read_image, write_image
from rendermodules.io.mipmaps import (
    LevelSuffix,
    MipmapWriting,
    RenderLayout,
    ReplacedPath,
    extension_of,
    lossless_extension,
    write_mipmaps,
)
from rendermodules.io.paths import local_path, url_of_path

GRAY = np.random.default_rng(0).integers(0, 256, (45, 70), dtype=np.uint8)


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    path = tmp_path / "raw data" / "tile.tif"
    write_image(path, GRAY)
    return path


@pytest.mark.parametrize(("asked", "extension"), [("tiff", "tif"), (".TIF", "tif"), ("jpeg", "jpg"), ("png", "png")])
def test_one_ending_for_every_way_to_ask(asked: str, extension: str) -> None:
    assert extension_of(asked) == extension
    assert lossless_extension(asked) == ("png" if extension == "jpg" else extension)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="bmp"):
        extension_of("bmp")


def test_render_layout_appends_to_the_whole_path() -> None:
    layout = RenderLayout("file:///mips/", "tiff")
    assert layout.url(ImageSource("file:///a/b%20c/d.tif"), 2) == "file:///mips/2/a/b%20c/d.tif.tif"
    assert RenderLayout("/mips", "png").url(ImageSource("/a/d.tif"), 1) == "/mips/1/a/d.tif.png"


def test_suffix_names_are_beside_the_image_or_in_a_folder() -> None:
    source = ImageSource("file:///a/b%20c/d.tiff")
    assert LevelSuffix().url(source, 1) == "file:///a/b%20c/d_mip01.jpg"
    assert LevelSuffix("/out", "tif").url(source, 12) == "/out/d_mip12.tif"
    assert LevelSuffix("s3://bucket/x").url(source, 3) == "s3://bucket/x/d_mip03.jpg"
    assert LevelSuffix().url(ImageSource("/a/d.tif"), 1) == "/a/d_mip01.jpg"
    assert LevelSuffix(image_format="png").url(ImageSource("d.tif"), 1) == "d_mip01.png"


def test_part_of_the_path_is_replaced_once() -> None:
    naming = ReplacedPath("raw/data", "processed/downsampled_images", "tif")
    url = naming.url(ImageSource("file:///p/raw/data/R1/raw/data/x.tif"), 1)
    assert url == "file:///p/processed/downsampled_images/R1/raw/data/x_mip01.tif"
    with pytest.raises(ValueError, match="/elsewhere/x.tif has no raw/data"):
        naming.url(ImageSource("/elsewhere/x.tif"), 1)


def test_slices_of_one_file_do_not_share_names() -> None:
    for naming in (RenderLayout("/mips"), LevelSuffix(), ReplacedPath("/a", "/b")):
        slices = [ImageSource("/a/stack.tif", "IMAGEJ_TIFF_STACK", number) for number in (1, 2)]
        assert len({naming.url(source, 1) for source in slices}) == 2


@pytest.mark.parametrize("image_format", ["tif", "png"])
@pytest.mark.parametrize("kind", ["gray", "short", "colour"])
def test_levels_are_those_of_the_pyramid(tmp_path: Path, image_format: str, kind: str) -> None:
    images = {"gray": GRAY, "short": GRAY.astype(np.uint16) * 200, "colour": np.dstack([GRAY, GRAY[::-1], GRAY // 2])}
    image = images[kind]
    write_image(tmp_path / "x.tif", image)
    writing = MipmapWriting(RenderLayout(str(tmp_path / "mips"), image_format), levels=(3, 1))
    done = write_mipmaps(tmp_path / "x.tif", writing)
    assert list(done.urls) == [1, 3]
    assert done.written == (1, 3)
    levels = list(pyramid(image, 3))
    for level, url in done.urls.items():
        np.testing.assert_array_equal(read_image(url), levels[level - 1])


def test_jpeg_is_nearly_the_pyramid(tmp_path: Path) -> None:
    smooth = np.linspace(0, 250, 64 * 64).reshape(64, 64).astype(np.uint8)
    write_image(tmp_path / "x.png", smooth)
    done = write_mipmaps(tmp_path / "x.png", MipmapWriting(LevelSuffix(), levels=(1,), quality=0.95))
    assert done.urls[1].endswith("x_mip01.jpg")
    np.testing.assert_allclose(read_image(done.urls[1]), next(pyramid(smooth, 1)), atol=6)


def test_masks_by_their_minimum(image_path: Path, tmp_path: Path) -> None:
    mask = np.where(GRAY > 20, 255, 0).astype(np.uint8)
    write_image(image_path, mask)
    done = write_mipmaps(image_path, MipmapWriting(RenderLayout(str(tmp_path / "m")), levels=(1,), method="minimum"))
    small = read_image(done.urls[1])
    np.testing.assert_array_equal(small, mask[:44].reshape(22, 2, 35, 2).min(axis=(1, 3)))


def test_urls_with_spaces_are_paths_with_spaces(image_path: Path, tmp_path: Path) -> None:
    writing = MipmapWriting(RenderLayout(url_of_path(tmp_path / "my mips")), levels=(1,))
    done = write_mipmaps(url_of_path(image_path), writing)
    assert "raw%20data" in done.urls[1]
    assert local_path(done.urls[1]).is_file()
    assert "raw data" in str(local_path(done.urls[1]))


def test_levels_of_too_small_images_are_left_out(image_path: Path, tmp_path: Path) -> None:
    done = write_mipmaps(image_path, MipmapWriting(RenderLayout(str(tmp_path / "m")), levels=range(1, 9)))
    assert list(done.urls) == [1, 2, 3, 4, 5]
    assert read_image(done.urls[5]).shape == (1, 2)


def test_what_is_there_is_kept_and_what_is_damaged_is_made_again(image_path: Path, tmp_path: Path) -> None:
    writing = MipmapWriting(RenderLayout(str(tmp_path / "m")), levels=(1, 2, 3))
    first = write_mipmaps(image_path, writing)
    assert write_mipmaps(image_path, writing).written == ()
    whole = Path(first.urls[1]).read_bytes()
    Path(first.urls[1]).write_bytes(whole[: len(whole) // 2])
    write_image(first.urls[2], np.zeros((3, 3), np.uint8))
    Path(first.urls[3]).unlink()
    assert write_mipmaps(image_path, writing).written == (1, 2, 3)
    assert Path(first.urls[1]).read_bytes() == whole
    redo = MipmapWriting(writing.naming, writing.levels, redo=True)
    assert write_mipmaps(image_path, redo).written == (1, 2, 3)


def test_newer_image_gets_new_levels(image_path: Path, tmp_path: Path) -> None:
    writing = MipmapWriting(RenderLayout(str(tmp_path / "m")), levels=(1,))
    url = write_mipmaps(image_path, writing).urls[1]
    write_image(image_path, GRAY[::-1].copy())
    later = Path(url).stat().st_mtime + 5
    os.utime(image_path, (later, later))
    assert write_mipmaps(image_path, writing).written == (1,)


def test_failures_name_the_image_and_leave_nothing_behind(image_path: Path, tmp_path: Path) -> None:
    writing = MipmapWriting(RenderLayout(str(tmp_path / "m")))
    with pytest.raises(ImageError, match="missing"):
        write_mipmaps(tmp_path / "missing.tif", writing)
    image_path.write_bytes(image_path.read_bytes()[:2000])
    with pytest.raises(ImageError, match="tile"):
        write_mipmaps(image_path, writing)
    assert not list((tmp_path / "m").rglob("*.*"))


def test_levels_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="0"):
        MipmapWriting(RenderLayout("/m"), levels=(0, 1))
