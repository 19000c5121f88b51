import numpy as np
import pytest

from rendermodules.io.image_formats import decoded
from rendermodules.render_ws.rendering import Canvas, RenderingError, encoded, media_type
from rendermodules.render_ws.rendering.output import argb, colours, composed, deep, gray

GRAY = np.arange(1, 31, dtype=np.uint8).reshape(5, 6) * 8
MASK = np.repeat(np.array([[0, 0, 128, 255, 255, 255]], np.uint8), 5, axis=0)


def canvas(pixels=GRAY, mask=None, low=0.0, high=255.0, **options):
    return Canvas(pixels, mask, (5, 4), low, high, **options)


def test_images_are_the_upper_left_of_canvases():
    image = argb(canvas())
    assert image.shape == (4, 5, 4)
    assert np.array_equal(image[:, :, 0], GRAY[:4, :5])
    assert (image[:, :, 3] == 255).all()


def test_masks_are_opacity():
    image = argb(canvas(mask=MASK))
    assert np.array_equal(image[:, :, 3], MASK[:4, :5])
    assert not image[:, :2, :3].any()
    assert np.array_equal(image[:, 2:, 1], GRAY[:4, 2:5])
    assert not gray(canvas(mask=MASK))[:, :2].any()
    assert gray(canvas(mask=MASK))[0, 2] == round(int(GRAY[0, 2]) * 128 / 255)


def test_backgrounds_shine_through():
    image = argb(canvas(mask=MASK, background=0xFF8040))
    assert (image[:, :, 3] == 255).all()
    assert image[0, 0].tolist() == [0xFF, 0x80, 0x40, 255]
    share = [round(value * 127 / 255) for value in (0xFF, 0x80, 0x40)]
    own = round(int(GRAY[0, 2]) * 128 / 255)
    assert image[0, 2, :3].tolist() == [own + part for part in share]
    assert colours(canvas(mask=MASK, background=0xFF8040))[0, 0].tolist() == [0xFF, 0x80, 0x40]
    noise = argb(canvas(mask=MASK, fill_with_noise=True))
    assert (noise[:, 0, 0] == noise[:, 0, 2]).all()
    assert len(np.unique(noise[:, :2, 0])) > 4
    assert np.array_equal(noise, argb(canvas(mask=MASK, fill_with_noise=True)))


def test_values_are_shown_in_their_range_or_kept():
    shorts = GRAY.astype(np.uint16) * 200
    shown = gray(canvas(shorts, low=1600, high=17600))
    assert shown.min() == 0
    assert shown.max() > 200
    assert np.array_equal(deep(canvas(shorts, low=1600, high=17600)), shorts[:4, :5])
    assert deep(canvas(GRAY, low=50, high=60)).tolist() == GRAY[:4, :5].tolist()
    assert deep(canvas(np.full((5, 6), 1e9, np.float32))).max() == 65535


def test_colours_stay_colours():
    pixels = np.dstack([GRAY, GRAY // 2, GRAY // 4])
    image = argb(canvas(pixels, mask=MASK))
    assert np.array_equal(image[:, 3:, 1], GRAY[:4, 3:5] // 2)
    assert canvas(pixels).raw.dtype == np.uint32
    red = int(GRAY[0, 0])
    assert canvas(pixels).raw[0, 0] == 0xFF000000 | red << 16 | red // 2 << 8 | red // 4
    assert composed(canvas(pixels)).shape == (4, 5, 3)


@pytest.mark.parametrize("image_format", ["png", "jpeg", "tiff", "tiff16", "png16"])
def test_files_can_be_read(image_format):
    image = decoded(encoded(canvas(mask=MASK), image_format, quality=1.0))
    assert image.shape[:2] == (4, 5)
    assert image.dtype == (np.uint16 if image_format.endswith("16") else np.uint8)
    values = image if image.ndim == 2 else image[:, :, 0]
    assert np.abs(values[:, 3:].astype(int) - GRAY[:4, 3:5]).max() <= (3 if image_format == "jpeg" else 0)
    assert media_type(image_format).startswith("image/")


def test_raw_formats_are_big_endian():
    assert encoded(canvas(mask=MASK), "raw")[-4:] == bytes([255, *[GRAY[3, 4]] * 3])
    assert encoded(canvas(), "raw16")[:4] == bytes([0, GRAY[0, 0], 0, GRAY[0, 1]])
    assert len(encoded(canvas(), "raw")) == 80
    assert media_type("raw") == "application/octet-stream"


def test_only_jpeg_becomes_gray():
    assert decoded(encoded(canvas(), "jpeg", convert_to_gray=True)).ndim == 2
    assert decoded(encoded(canvas(), "png", convert_to_gray=True)).ndim == 3


def test_unknown_formats_are_refused():
    with pytest.raises(RenderingError, match="not 'gif'"):
        encoded(canvas(), "gif")
