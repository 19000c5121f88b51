import fsspec
import numpy as np

from rendermodules.io.image_formats import tiff_bytes
from rendermodules.io.images import ImageSource, read_image, write_image
from rendermodules.io.mipmaps import LevelSuffix, MipmapWriting, RenderLayout, ReplacedPath, write_mipmaps

RAMP = (np.arange(8 * 12, dtype=np.uint16) * 600).reshape(8, 12)


def test_planes_of_an_array_have_different_names():
    sources = [ImageSource(f"file:///a.zarr?dataSet=s/0&z={z}", "ZARR_SLICE") for z in (1, 2)]
    for naming in (RenderLayout("file:///m"), LevelSuffix(), LevelSuffix("/m")):
        first, second = (naming.url(source, 1) for source in sources)
        assert first != second
        assert "?" not in first
    assert RenderLayout("file:///m").url(sources[0], 3) == "file:///m/3/a.zarr_dataSet_s_0_z_1.tif"


def test_a_rule_with_characters_that_urls_encode():
    naming = ReplacedPath("raw dätä", "small images", "tif")
    url = naming.url(ImageSource("file:///p/raw%20d%C3%A4t%C3%A4/x.tif"), 1)
    assert url == "file:///p/small%20images/x_mip01.tif"


def test_levels_of_8_bit(tmp_path):
    write_image(tmp_path / "a.tif", RAMP)
    write_image(tmp_path / "b.tif", RAMP.astype(np.uint8))
    for name in ("a", "b"):
        made = write_mipmaps(tmp_path / f"{name}.tif", MipmapWriting(RenderLayout(str(tmp_path)), (1,), to_8_bit=True))
        level = read_image(made.urls[1])
        assert level.dtype == np.uint8
        assert level.max() > 100


def test_object_store(bucket):
    with fsspec.open(f"{bucket}/raw ü/a.tif", "wb") as file:
        file.write(tiff_bytes(RAMP))
    writing = MipmapWriting(RenderLayout("s3://bucket/mips%20%C3%BC"), (1, 2))
    made = write_mipmaps("s3://bucket/raw%20%C3%BC/a.tif", writing)
    assert made.urls[2] == "s3://bucket/mips%20%C3%BC/2/bucket/raw%20%C3%BC/a.tif.tif"
    assert made.written == (1, 2)
    assert read_image(made.urls[2]).shape == (2, 3)
    assert write_mipmaps("s3://bucket/raw%20%C3%BC/a.tif", writing).written == ()
