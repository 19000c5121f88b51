import os
from pathlib import Path

import numpy as np
import pytest

from rendermodules.io.images import ImageError, ImageSource, read_image, write_image
from rendermodules.io.paths import url_of_path
from rendermodules.io.processed_images import ImageProcessing, deleted_originals, write_processed_image

IMAGE = np.arange(200, dtype=np.uint16).reshape(10, 20) * 300


def doubled(image):
    return image * 2


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "raw data ö" / "a b.tif"
    write_image(path, IMAGE)
    return ImageSource(url_of_path(path))


@pytest.fixture
def processing(tmp_path):
    return ImageProcessing(str(tmp_path / "new ö"), doubled)


def test_paths_are_those_of_the_sources_below_the_folder():
    processing = ImageProcessing("/new", doubled)
    paths = {
        "file:///data/a%20b.tif": "/new/data/a b.tif",
        "/data/a.png": "/new/data/a.png.tif",
        "s3://bucket/x/%C3%B6.tiff": "/new/bucket/x/ö.tiff",
    }
    assert {url: str(processing.path(ImageSource(url))) for url in paths} == paths
    slices = [ImageSource("/data/a.tif", "IMAGEJ_TIFF_STACK", number) for number in (1, 2)]
    planes = [ImageSource(f"file:///c.n5?dataSet=/a&z={z}", "N5_SLICE") for z in (1, 2)]
    assert len({processing.path(one) for one in (*slices, *planes)}) == 4


def test_an_image_is_made_once(source, processing):
    assert write_processed_image(source, processing)
    path = processing.path(source)
    np.testing.assert_array_equal(read_image(path), IMAGE * 2)
    assert read_image(path).dtype == np.uint16
    before = path.stat().st_mtime_ns
    assert not write_processed_image(source, processing)
    assert path.stat().st_mtime_ns == before
    assert write_processed_image(source, ImageProcessing(processing.folder, doubled, "zstd", redo=True))
    np.testing.assert_array_equal(read_image(path), IMAGE * 2)


def test_what_is_torn_of_another_size_or_older_is_made_again(source, processing):
    path = processing.path(source)
    write_image(path, IMAGE[:5])
    assert write_processed_image(source, processing)
    path.write_bytes(path.read_bytes()[:-100])
    assert write_processed_image(source, processing)
    os.utime(path, (1, 1))
    assert write_processed_image(source, processing)
    assert not write_processed_image(source, processing)


def test_an_image_is_not_processed_twice(source, processing):
    write_processed_image(source, processing)
    with pytest.raises(ValueError, match="already, so it has been processed"):
        write_processed_image(ImageSource(processing.url(source)), processing)
    with pytest.raises(ImageError, match="none"):
        write_processed_image(ImageSource("/none.tif"), processing)


def test_originals_are_deleted_when_what_was_made_of_them_is_whole(source, processing, tmp_path):
    lost = tmp_path / "lost.tif"
    write_image(lost, IMAGE)
    write_processed_image(source, processing)
    deleted, kept = deleted_originals([source.url, url_of_path(lost), "s3://bucket/a.tif", "/none.tif"], processing)
    assert deleted == [source.url]
    assert set(kept) == {url_of_path(lost), "s3://bucket/a.tif", "/none.tif"}
    assert lost.exists()
    assert not Path(tmp_path / "raw data ö" / "a b.tif").exists()
