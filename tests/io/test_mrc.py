import io
import struct

import numpy as np
import pytest

from rendermodules.io.image_formats import FormatError
from rendermodules.io.images import ImageError, ImageSource, image_header, read_image
from rendermodules.io.mrc import mrc_header, mrc_image

MODES = {"int8": 0, "uint8": 0, "int16": 1, "float32": 2, "uint16": 6}


def mrc(images, order="<", extended=96, signed=False):
    """The bytes of an MRC file of images whose first row is the lowest."""
    header = bytearray(1024)
    count, height, width = images.shape
    struct.pack_into(order + "4i", header, 0, width, height, count, MODES[images.dtype.name])
    struct.pack_into(order + "2f", header, 76, float(images.min()), float(images.max()))
    struct.pack_into(order + "i", header, 92, extended)
    struct.pack_into(order + "2i", header, 152, 1146047817, int(signed))
    return bytes(header) + b"x" * extended + images.astype(images.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", MODES)
def test_every_type(order, name):
    images = np.arange(-20, 40, dtype=np.int16).reshape(3, 4, 5)
    images = (images if name in ("int8", "int16", "float32") else images + 20).astype(name)
    content = mrc(images, order, signed=name == "int8")
    header = mrc_header(io.BytesIO(content))
    assert (header.width, header.height, header.count) == (5, 4, 3)
    assert (header.least, header.greatest) == (images.min(), images.max())
    found = mrc_image(io.BytesIO(content), 2)
    expected = images[1, ::-1]
    if name == "int16":
        expected = (expected.astype(np.int32) + 32768).astype(np.uint16)
    assert np.array_equal(found, expected)
    assert found.dtype == header.image_header.dtype == {"int8": np.float32}.get(name, expected.dtype)


def test_as_an_image(tmp_path):
    images = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    (tmp_path / "a ü.st").write_bytes(mrc(images))
    source = ImageSource((tmp_path / "a ü.st").as_uri(), "MRC_SLICE", 3)
    assert np.array_equal(read_image(source), images[2, ::-1])
    assert image_header(source) == (5, 4, np.uint16)
    with pytest.raises(ImageError, match=r"\.st: has no image 4, only 3"):
        read_image(ImageSource(source.url, "MRC_SLICE", 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends within its MRC header"),
        (b"\xff" * 2000, "is no MRC file"),
        (mrc(np.zeros((1, 4, 5), np.uint8))[:-1], "ends within image 1"),
        (bytes(1024), "is no MRC file of whole or floating values"),
    ],
)
def test_what_is_no_mrc_file(content, message):
    with pytest.raises(FormatError, match=message):
        mrc_image(io.BytesIO(content), 1)
