import io

import numpy as np
import PIL.Image
import pytest
import tifffile

from rendermodules.io.image_formats import (
    FormatError,
    as_render_image,
    decoded,
    decoded_tiff,
    header_of,
    jpeg_bytes,
    png_bytes,
    tiff_bytes,
)

RNG = np.random.default_rng(7)
GRAY = RNG.integers(0, 256, (30, 40), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (30, 40), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (30, 40, 3), dtype=np.uint8)


def tiff(image, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, image, **options)
    return file.getvalue()


@pytest.mark.parametrize("image", [GRAY, DEEP, COLOUR], ids=["gray", "deep", "colour"])
@pytest.mark.parametrize(
    "encode",
    [png_bytes, tiff_bytes, *(lambda image, c=c: tiff_bytes(image, c) for c in ("deflate", "lzw", "zstd"))],
)
def test_files_give_back_what_was_put_in(image, encode):
    content = encode(image)
    again = decoded(content)
    assert again.dtype == image.dtype
    assert np.array_equal(again, image)
    assert header_of(io.BytesIO(content)) == (40, 30, image.dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int16", "uint32", "float32", "float64"])
def test_headers_tell_the_type_that_is_read(dtype):
    content = tiff(np.zeros((30, 40), dtype))
    assert header_of(io.BytesIO(content)) == (40, 30, decoded(content).dtype)


def test_big_endian_tiff_comes_in_the_order_of_the_machine():
    content = tiff_bytes(DEEP, byte_order=">")
    assert content.startswith(b"MM")
    assert decoded(content).dtype == np.uint16
    assert np.array_equal(decoded(content), DEEP)


def test_jpeg_is_near_and_keeps_gray_gray():
    smooth = np.add.outer(np.arange(30), np.arange(40)).astype(np.uint8)
    again = decoded(jpeg_bytes(smooth))
    assert again.shape == smooth.shape
    assert np.abs(again.astype(int) - smooth).max() <= 3
    in_red = np.stack([smooth, 0 * smooth, 0 * smooth], axis=-1)
    red, green, blue = decoded(jpeg_bytes(in_red, 1.0)).astype(int).mean(axis=(0, 1))
    assert red > 25 > 5 > max(green, blue)
    assert header_of(io.BytesIO(jpeg_bytes(smooth))) == (40, 30, np.uint8)


def test_alpha_is_dropped():
    alpha = np.full((30, 40, 1), 7, np.uint8)
    assert np.array_equal(decoded(png_bytes(np.concatenate([COLOUR, alpha], axis=2))), COLOUR)


@pytest.mark.parametrize(
    ("stored", "kind", "expected"),
    [
        (GRAY > 100, np.uint8, (GRAY > 100) * 255),
        (DEEP.view(np.int16), np.uint16, DEEP.view(np.int16).astype(int) + 32768),
        (GRAY.astype(np.float64) / 7, np.float32, (GRAY / 7).astype(np.float32)),
        (GRAY.astype(np.int32) - 50, np.float32, GRAY.astype(int) - 50),
        (np.dstack([DEEP] * 3), np.uint8, np.dstack([DEEP >> 8] * 3)),
    ],
)
def test_other_kinds_are_converted_as_imagej_does(stored, kind, expected):
    image = decoded(tiff(stored, photometric="rgb" if stored.ndim == 3 else "minisblack"))
    assert image.dtype == kind
    assert np.array_equal(image, expected)


def test_palettes_become_colours():
    colours = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
    image = decoded(tiff(GRAY, photometric="palette", colormap=colours))
    assert np.array_equal(image, np.moveaxis(colours[:, GRAY] >> 8, 0, -1))


@pytest.mark.parametrize("image", [GRAY, DEEP, GRAY > 100])
def test_where_0_is_white_values_are_turned_over(image):
    white = decoded(tiff(image, photometric="miniswhite"))
    assert np.array_equal(white, decoded(tiff(~image, photometric="minisblack")))


def test_inks_become_colours():
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8] = 255, 0, 100, 0  # no red, some blue less
    inks[:, 8:] = 0, 0, 0, 155
    colours = decoded(tiff(inks, photometric="separated", extrasamples=()))
    assert colours[0, 0].tolist() == [0, 255, 155]
    assert colours[0, 15].tolist() == [100, 100, 100]


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_unknown_kinds_of_colours_are_refused(mode):
    file = io.BytesIO()
    PIL.Image.fromarray(COLOUR).convert(mode).save(file, "tiff")
    with pytest.raises(FormatError, match="colours of the kind"):
        decoded(file.getvalue())


def test_separate_planes_are_put_together():
    content = tiff(np.moveaxis(COLOUR, -1, 0).copy(), photometric="rgb", planarconfig="separate")
    assert np.array_equal(decoded(content), COLOUR)


@pytest.mark.parametrize("imagej", [False, True])
@pytest.mark.parametrize("image", [GRAY, DEEP])
def test_pages_of_stacks(imagej, image):
    stack = np.stack([image, image // 2, image // 3])
    file = io.BytesIO(tiff(stack, imagej=imagej, photometric="minisblack"))
    assert np.array_equal(decoded_tiff(file, 2), image // 3)
    with pytest.raises(FormatError, match="no page 4"):
        decoded_tiff(file, 3)


@pytest.mark.parametrize("encode", [png_bytes, tiff_bytes, jpeg_bytes, lambda image: tiff_bytes(image, "lzw")])
@pytest.mark.parametrize("part", [0.98, 0.5, 0.02, 0])
def test_files_that_end_early_are_refused(encode, part):
    content = encode(GRAY)
    with pytest.raises(FormatError):
        decoded(content[: int(len(content) * part)])


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10", b"II*\0", b"nonsense"])
def test_headers_that_end_early_are_refused(content):
    with pytest.raises(FormatError):
        header_of(io.BytesIO(content))


@pytest.mark.parametrize("shape", [(5,), (5, 5, 7), (2, 3, 4, 5)])
def test_arrays_that_are_no_images_are_refused(shape):
    with pytest.raises(FormatError, match="not known"):
        as_render_image(np.zeros(shape, np.uint8))
