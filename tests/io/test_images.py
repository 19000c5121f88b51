import io
import urllib.parse

import numpy as np
import pytest
import tifffile
import zarr

from rendermodules.io.image_loaders import composite_image
from rendermodules.io.images import (
    ImageError,
    ImageSource,
    RefusedImageError,
    check_readable,
    file_stamp,
    image_header,
    image_size,
    read_image,
    write_image,
)
from rendermodules.io.paths import allowed_below, url_of_path

RNG = np.random.default_rng(8)
GRAY = RNG.integers(0, 256, (30, 40), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a b.png", "new/folder/a.tif", "a%20.TIFF"])
def test_images_are_read_from_paths_and_urls(tmp_path, name):
    path = tmp_path / name
    write_image(path, GRAY)
    for place in (path, str(path), url_of_path(path), ImageSource(url_of_path(path))):
        assert np.array_equal(read_image(place), GRAY)
        assert image_size(place) == (40, 30)


def test_images_are_read_through_fsspec():
    import fsspec

    with fsspec.open("memory://folder/a.tif", "wb") as file:
        tifffile.imwrite(file, GRAY)
    assert np.array_equal(read_image("memory://folder/a.tif"), GRAY)
    assert image_size("memory://folder/a.tif") == (40, 30)
    with pytest.raises(ImageError, match="memory://folder/b.tif: "):
        read_image("memory://folder/b.tif")
    with pytest.raises(RefusedImageError, match="memory://folder/a.tif"):
        read_image("memory://folder/a.tif", allowed_below(["memory://other"]))


def test_jpeg_is_written_by_name(tmp_path):
    write_image(tmp_path / "a.jpg", GRAY, quality=0.5)
    write_image(tmp_path / "b.jpeg", GRAY, quality=1.0)
    assert (tmp_path / "a.jpg").stat().st_size < (tmp_path / "b.jpeg").stat().st_size
    assert read_image(tmp_path / "a.jpg").shape == GRAY.shape


def test_compressed_tiff_is_smaller(tmp_path):
    flat = np.zeros_like(GRAY)
    write_image(tmp_path / "a.tif", flat)
    write_image(tmp_path / "b.tif", flat, compression="deflate")
    assert (tmp_path / "b.tif").stat().st_size < (tmp_path / "a.tif").stat().st_size
    assert np.array_equal(read_image(tmp_path / "b.tif"), flat)


def test_other_formats_are_not_written(tmp_path):
    with pytest.raises(ImageError, match=r"not \.gif"):
        write_image(tmp_path / "a.gif", GRAY)
    assert not list(tmp_path.iterdir())


def test_faults_name_the_url(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "broken.png").write_bytes(b"nonsense")
    for name, message in (("absent.png", "No such file"), ("empty.png", "is empty"), ("broken.png", "is no image")):
        url = url_of_path(tmp_path / name)
        with pytest.raises(ImageError, match=f"^{url}: .*{message}"):
            read_image(url)
    with pytest.raises(ImageError, match="no loader H5_SLICE"):
        read_image(ImageSource("file:///a.h5", "H5_SLICE"))


def test_a_quick_look_finds_what_cannot_be_read(tmp_path):
    (tmp_path / "empty.png").touch()
    write_image(tmp_path / "good.png", GRAY)
    check_readable(ImageSource(str(tmp_path / "good.png")))
    check_readable(ImageSource("https://host/never/asked.png"))
    check_readable(ImageSource("mask://outside-box?minX=0"), allowed_below([]))
    for name, message in (("absent.png", "No such file"), ("empty.png", "is empty")):
        with pytest.raises(ImageError, match=message):
            check_readable(ImageSource(str(tmp_path / name)))
    for url in ("https://host/a.png", str(tmp_path / "good.png")):
        with pytest.raises(RefusedImageError):
            check_readable(ImageSource(url), allowed_below([]))


def test_links_out_of_the_roots_are_refused(tmp_path):
    write_image(tmp_path / "secret.png", GRAY)
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "link.png").symlink_to(tmp_path / "secret.png")
    write_image(roots / "good.png", GRAY)
    allowed = allowed_below([roots])
    assert np.array_equal(read_image(roots / "good.png", allowed), GRAY)
    for place in (roots / "link.png", f"{roots}/../secret.png", url_of_path(roots / "link.png"), tmp_path / "absent"):
        with pytest.raises(RefusedImageError, match="outside"):
            read_image(place, allowed)


def test_a_stamp_tells_a_changed_file(tmp_path):
    source = ImageSource(str(tmp_path / "a.tif"))
    assert file_stamp(source) is None
    write_image(tmp_path / "a.tif", GRAY)
    first = file_stamp(source)
    write_image(tmp_path / "a.tif", GRAY[:20])
    assert file_stamp(source) != first


def test_sources_are_read_off_tile_specs():
    level = {"imageUrl": "/a.tif", "imageLoaderType": "IMAGEJ_TIFF_STACK", "imageSliceNumber": 2, "maskUrl": "/m.png"}
    assert ImageSource.of_level(level) == ImageSource("/a.tif", "IMAGEJ_TIFF_STACK", 2)
    assert ImageSource.of_level(level, "mask") == ImageSource("/m.png")
    assert ImageSource.of_level({}, "mask") is None


def test_slices_of_tiff_stacks(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([GRAY, GRAY // 2]))
    assert np.array_equal(read_image(ImageSource(str(path))), GRAY)
    assert np.array_equal(read_image(ImageSource(str(path), "IMAGEJ_TIFF_STACK", 2)), GRAY // 2)
    for number, message in ((0, "counted from 1"), (3, "no page 3")):
        with pytest.raises(ImageError, match=message):
            read_image(ImageSource(str(path), "IMAGEJ_TIFF_STACK", number))


def test_composites_add_their_colours(tmp_path):
    path = tmp_path / "composite.tif"
    tifffile.imwrite(path, np.stack([GRAY, GRAY // 2]), imagej=True, metadata={"mode": "composite", "axes": "CYX"})
    image = read_image(ImageSource(str(path), "IMAGEJ_COMPOSITE"))
    assert np.array_equal(image, np.dstack([GRAY, GRAY // 2, 0 * GRAY]))


def test_composites_use_their_own_colours_and_ranges():
    yellow = np.stack([np.arange(256), np.arange(256), np.zeros(256, int)])
    deep = np.array([[100, 355, 1000]], np.uint16)
    image = composite_image([deep, deep], {"LUTs": [yellow, yellow], "Ranges": (100, 355, 0, 65535)})
    assert image[:, :, 0].tolist() == [[0, 255, 255]]
    assert image[:, :, 2].tolist() == [[0, 0, 0]]


def test_dynamic_masks_are_computed():
    url = "mask://outside-box?minX=2&minY=4&maxX=6&maxY=8&width=10&height=12"
    mask = read_image(url, allowed_below([]))
    expected = np.zeros((12, 10), np.uint8)
    expected[4:8, 2:6] = 255
    assert np.array_equal(mask, expected)
    assert np.array_equal(read_image(ImageSource(url + "&level=1", "DYNAMIC_MASK")), expected[::2, ::2])
    assert image_size(url + "&level=1") == (5, 6)
    with pytest.raises(ImageError, match="more than"):
        read_image(url.replace("10", "1000000").replace("12", "1000000"))
    for broken in ("mask://outside-box?minX=2", "mask://circle?r=2", url.replace("12", "x"), url.replace("10", "0")):
        with pytest.raises(ImageError):
            read_image(ImageSource(broken, "DYNAMIC_MASK"))


def test_planes_of_zarr_arrays(tmp_path):
    volume = RNG.integers(0, 65536, (3, 20, 30), dtype=np.uint16)
    group = zarr.open_group(tmp_path / "v.zarr", mode="w")
    group.create_array("raw/s0", data=volume)
    group.create_array("flat", data=volume[0])
    group.create_array("five", data=volume[None, None])
    url = url_of_path(tmp_path / "v.zarr") + "?"

    def read(**query):
        return read_image(ImageSource(url + urllib.parse.urlencode(query), "ZARR_SLICE"))

    assert np.array_equal(read(dataSet="/raw/s0", z=2), volume[2])
    assert np.array_equal(read(dataSet="flat"), volume[0])
    assert np.array_equal(read(dataSet="five", z=1), volume[1])
    assert np.array_equal(read(dataSet="raw/s0", z=1, x=5, y=6, w=7, h=8), volume[1, 6:14, 5:12])
    assert image_size(ImageSource(url + "dataSet=raw/s0&w=7", "ZARR_SLICE")) == (7, 20)
    assert image_header(ImageSource(url + "dataSet=flat", "ZARR_SLICE")) == (30, 20, np.uint16)
    group.create_array("timed", data=np.stack([volume[:2], volume[1:]])[:, :, None])
    assert np.array_equal(read(dataSet="timed", t=1, c=0), volume[1])
    assert np.array_equal(read(dataSet="timed", c=1), volume[1])
    broken = ({"dataSet": "timed", "c": 2}, {"dataSet": "flat", "z": 1}, {"dataSet": "flat", "w": 31}, {"z": "top"})
    for query in ({"dataSet": "absent"}, *broken):
        with pytest.raises(ImageError, match=r"v\.zarr"):
            read(**query)
    with pytest.raises(RefusedImageError):
        read_image(ImageSource(url, "ZARR_SLICE"), allowed_below([tmp_path / "other"]))


@pytest.mark.parametrize("link", ["other", "flat/c/0/0", "flat/zarr.json"])
def test_links_do_not_lead_out_of_a_zarr_container(tmp_path, link):
    inside, outside = tmp_path / "in" / "v.zarr", tmp_path / "out.zarr"
    for place in (inside, outside):
        array = zarr.open_group(place, mode="w").create_array("flat", shape=(20, 30), chunks=(20, 30), dtype=np.uint8)
        array[:] = 7
    allowed = allowed_below([tmp_path / "in"])
    source = ImageSource(f"{inside}?dataSet={link.partition('/')[0]}", "ZARR_SLICE")
    if link != "other":
        assert read_image(source, allowed).min() == 7
        (inside / link).unlink()
    (inside / link).symlink_to(outside / link.replace("other", "flat"))
    assert read_image(source).min() == 7
    with pytest.raises(RefusedImageError):
        read_image(source, allowed)


def test_a_null_character_is_no_path(tmp_path):
    with pytest.raises(ImageError, match="null"):
        read_image(f"{tmp_path}/a\0b", allowed_below([tmp_path]))


def test_raw_tiff_of_a_remote_file_needs_no_real_file():
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, GRAY)
    import fsspec

    with fsspec.open("memory://b.tif", "wb") as file:
        file.write(buffer.getvalue())
    assert np.array_equal(read_image(ImageSource("memory://b.tif", "IMAGEJ_TIFF_STACK", 1)), GRAY)


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", np.uint16), ("a.jpg", np.float32), ("a.png", np.float32)])
def test_formats_that_would_cut_values_off_are_refused(tmp_path, name, kind):
    with pytest.raises(ImageError, match=rf"{name}: .*cannot be written"):
        write_image(tmp_path / name, np.full((4, 5), 300, kind))
    assert not (tmp_path / name).exists()
