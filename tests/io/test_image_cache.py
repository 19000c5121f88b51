import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rendermodules.io.image_cache import BytesBoundedCache, ImageCache
from rendermodules.io.images import ImageError, ImageSource, RefusedImageError, write_image
from rendermodules.io.paths import allowed_below

GRAY = np.random.default_rng(9).integers(0, 256, (64, 80), dtype=np.uint8)


def test_the_least_used_values_go_first():
    cache = BytesBoundedCache(3000)
    for key in "abcabd":
        cache.value(key, lambda: "value", lambda value: 800)
    assert len(cache) == 3
    assert cache.bytes == 3000
    made = []
    for key in "abdc":
        cache.value(key, lambda: made.append(1), lambda value: 800)
    assert len(made) == 1


def test_values_that_are_too_large_are_not_kept():
    cache = BytesBoundedCache(1000)
    assert cache.value("a", lambda: "large", lambda value: 2000) == "large"
    assert cache.value("a", lambda: "small", lambda value: 10) == "small"


def test_a_value_is_made_once_however_many_threads_ask():
    cache = BytesBoundedCache(1000)
    made = []
    together = threading.Barrier(8)

    def ask():
        together.wait()
        return cache.value("a", make, lambda value: 8)

    def make():
        time.sleep(0.02)
        made.append(1)
        return "value"

    with ThreadPoolExecutor(8) as pool:
        values = [future.result() for future in [pool.submit(ask) for _ in range(8)]]
    assert values == ["value"] * 8
    assert len(made) == 1


def test_a_failure_is_not_kept():
    cache = BytesBoundedCache(1000)
    with pytest.raises(ZeroDivisionError):
        cache.value("a", lambda: 1 / 0, lambda value: 8)
    assert cache.value("a", lambda: 5, lambda value: 8) == 5


def test_images_are_kept_and_cannot_be_written(tmp_path):
    write_image(tmp_path / "a.png", GRAY)
    cache = ImageCache()
    source = ImageSource(str(tmp_path / "a.png"))
    image = cache.image(source)
    assert cache.image(source) is image
    assert np.array_equal(image, GRAY)
    assert cache.bytes >= GRAY.nbytes
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 1
    cache.clear()
    assert cache.bytes == 0


def test_images_of_too_many_pixels_are_not_decoded(tmp_path):
    write_image(tmp_path / "a.png", GRAY)
    source = ImageSource(str(tmp_path / "a.png"))
    assert ImageCache(max_pixels=GRAY.size).image(source).shape == GRAY.shape
    with pytest.raises(ImageError, match="80 x 64 pixels, more than the 5119"):
        ImageCache(max_pixels=GRAY.size - 1).image(source)
    mask = ImageSource("mask://outside-box?minX=0&minY=0&maxX=1&maxY=1&width=30000&height=30000")
    with pytest.raises(ImageError, match="30000 x 30000"):
        ImageCache(max_pixels=1000).image(mask, halvings=3)


def test_a_changed_file_is_read_again(tmp_path):
    source = ImageSource(str(tmp_path / "a.png"))
    cache = ImageCache()
    write_image(tmp_path / "a.png", GRAY)
    assert cache.size(source) == (80, 64)
    assert cache.image(source).shape == (64, 80)
    write_image(tmp_path / "a.png", GRAY[:30])
    assert cache.size(source) == (80, 30)
    assert cache.image(source).shape == (30, 80)


def test_images_come_reduced(tmp_path):
    write_image(tmp_path / "a.png", GRAY)
    cache = ImageCache()
    source = ImageSource(str(tmp_path / "a.png"))
    quarter = cache.image(source, 2)
    half = GRAY.reshape(32, 2, 40, 2).sum(axis=(1, 3)) // 4
    assert np.array_equal(quarter, half.reshape(16, 2, 20, 2).sum(axis=(1, 3)) // 4)
    assert cache.image(source, 9).size == 0


def test_the_rule_of_places_holds(tmp_path):
    write_image(tmp_path / "a.png", GRAY)
    source = ImageSource(str(tmp_path / "a.png"))
    cache = ImageCache(allowed=allowed_below([tmp_path / "other"]))
    for ask in (cache.image, cache.size, cache.check_readable):
        with pytest.raises(RefusedImageError):
            ask(source)
    with pytest.raises(ImageError, match="no loader"):
        cache.check_readable(ImageSource("/a", "SPIRAL"))
