import fsspec
import numpy as np
import pytest

from rendermodules.core.positions import ImageShape
from rendermodules.core.problems import Problems
from rendermodules.io.image_folders import file_names, image_urls, missing_images
from rendermodules.io.image_formats import tiff_bytes
from rendermodules.io.image_shapes import check_masks, image_shape, shapes_of_images
from rendermodules.io.images import ImageError, ImageSource, write_image


def image_url(name, folder):
    return image_urls([name], folder)[0]


def test_header(tmp_path):
    for name, dtype, white in (("a.tif", np.uint8, 255.0), ("a.png", np.uint16, 65535.0), ("a.jpg", np.uint8, 255.0)):
        write_image(tmp_path / name, np.zeros((3, 5), dtype))
        assert image_shape(ImageSource(str(tmp_path / name))) == ImageShape(5, 3, white)
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    with pytest.raises(ImageError, match=r"bad\.tif"):
        image_shape(ImageSource(str(tmp_path / "bad.tif")))


def urls_of_100_images(tmp_path):
    for row in range(100):
        write_image(tmp_path / f"{row}.png", np.zeros((2, row + 1), np.uint8))
    return [(tmp_path / f"{row}.png").as_uri() for row in range(100)]


def test_many(tmp_path):
    urls = urls_of_100_images(tmp_path)
    (tmp_path / "7.png").write_bytes(b"nonsense")
    (tmp_path / "98.png").unlink()
    problems = Problems("t")
    shapes = shapes_of_images(
        [ImageSource(url) for url in urls], [f"line {row}" for row in range(100)], [None] * 100, problems
    )
    assert [shape.width for shape in shapes] == [0 if row in (7, 98) else row + 1 for row in range(100)]
    assert f"line 98 ({urls[98]}: No such file or directory)" in str(problems)
    assert f"the image cannot be read: line 7 ({urls[7]}: is no image" in str(problems)


def test_one_of_each_kind(tmp_path):
    urls = urls_of_100_images(tmp_path)
    (tmp_path / "98.png").unlink()
    problems = Problems("t")
    shapes = shapes_of_images(
        [ImageSource(url) for url in urls], urls, [row % 2 for row in range(100)], problems, each=False
    )
    assert {shape.width for shape in shapes[::2]} == {1}
    assert {shape.width for shape in shapes[1::2]} == {2}
    assert str(problems) == f"t: the image does not exist: {urls[98]} ({urls[98]})"


def test_masks(tmp_path):
    write_image(tmp_path / "m.png", np.zeros((3, 5), np.uint8))
    mask, gone = str(tmp_path / "m.png"), str(tmp_path / "gone.png")
    problems = Problems("t")
    check_masks([mask, None, mask, gone], [(5, 3), (1, 1), (5, 4), (5, 3)], ["1", "2", "3", "4"], problems)
    assert str(problems) == (
        "t: the mask is not as large as the image: 3 ((5, 3) instead of (5, 4)); "
        f"the mask cannot be read: 4 ({gone}: No such file or directory)"
    )


def test_object_store(bucket):
    with fsspec.open(f"{bucket}/run ü 1/a b.tif", "wb") as file:
        file.write(tiff_bytes(np.zeros((3, 5), np.uint16)))
    folder = f"{bucket}/run ü 1"
    assert file_names(folder) == ["a b.tif"]
    url = image_url("a b.tif", f"{bucket}/run%20%C3%BC%201")
    assert url == "s3://bucket/run%20%C3%BC%201/a%20b.tif"
    assert image_shape(ImageSource(url)) == ImageShape(5, 3, 65535.0)
    assert missing_images([url, f"{url}.gone"]) == {f"{url}.gone"}
    with pytest.raises(FileNotFoundError):
        file_names(f"{bucket}/elsewhere")
