import numpy as np
import pytest

from rendermodules.core.features import SiftParameters
from rendermodules.core.tile_matching import TileImage, plain_features
from rendermodules.io.feature_files import KeptFeatures, read_features, write_features

SIFT = SiftParameters(4, 0.25, 1.0, 3)
BOX = np.array([[10, 0], [120, 100]])


@pytest.fixture
def image():
    pixels = np.random.default_rng(0).normal(0, 1, (100, 120))
    smooth = sum(np.roll(pixels, (dy, dx), (0, 1)) for dy in range(-2, 3) for dx in range(-2, 3))
    return TileImage(np.clip(128 + 12 * smooth, 0, 255).astype(np.uint8), None, np.eye(2, 3), "one")


def test_features_are_made_once(image):
    kept = KeptFeatures(1 << 20)
    first = kept(image, SIFT, BOX)
    assert len(first) > 5
    assert kept(image, SIFT, BOX.copy()) is first
    assert kept(image, SIFT, BOX + [[0], [-1]]) is not first
    kept.clear()
    assert kept(image, SIFT, BOX) is not first


def test_features_of_an_earlier_run(image, tmp_path):
    made = KeptFeatures(1 << 20, tmp_path)(image, SIFT, BOX)
    (file,) = tmp_path.rglob("*.npz")
    read = KeptFeatures(1 << 20, tmp_path)(image, SIFT, BOX)
    expected = plain_features(image, SIFT, BOX)
    for name in ("points", "scales", "orientations", "descriptors"):
        np.testing.assert_array_equal(getattr(read, name), getattr(expected, name))
        np.testing.assert_array_equal(getattr(made, name), getattr(expected, name))
    # the file decides
    write_features(file, plain_features(image, SIFT, np.array([[0, 0], [5, 5]])))
    assert len(KeptFeatures(1 << 20, tmp_path)(image, SIFT, BOX)) == 0


def test_damaged_files_are_made_again(image, tmp_path):
    first = KeptFeatures(1 << 20, tmp_path)(image, SIFT, BOX)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert read_features(file) is None
    assert len(KeptFeatures(1 << 20, tmp_path)(image, SIFT, BOX)) == len(first)
    assert read_features(file) is not None
    assert read_features(tmp_path / "nothing.npz") is None
