import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def texture():
    """An image of dark outlines and granules at several scales, 0 to 255, that repeats nowhere."""

    def make(shape, seed=0):
        rng = np.random.default_rng(seed)
        image = np.full(shape, 150, dtype=np.float32)
        for sigma, strength in ((1.5, 18), (4, 30), (9, 25)):
            noise = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), sigma)
            image += strength * noise / noise.std()
        membranes = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 7)
        image -= 70 * np.exp(-np.square(membranes / membranes.std() / 0.15))
        return np.clip(image, 0, 255)

    return make


@pytest.fixture(scope="session")
def seen():
    """What a camera sees of a field: pixel x, y of the image shows ``matrix`` of x, y in the field."""

    def see(field, matrix, shape, seed=0, gain=1.0, offset=0.0, noise=4.0, vignette=0.1):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = cv2.warpAffine(field, np.asarray(matrix, dtype=float), shape[::-1], flags=flags)
        rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
        image *= gain * (1 - vignette * (rows[:, None] ** 2 + columns**2) / 2)
        image += offset + noise * np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)

    return see


@pytest.fixture(scope="session")
def side_by_side(texture, seen):
    """Two tiles, 400 rows by 500 columns, that overlap by 100 columns, and the matrix from the first to the second."""
    field = texture((520, 1000))
    turn = 0.01
    first = np.array([[1.0, 0.0, 20.0], [0.0, 1.0, 50.0]])
    second = np.array([[np.cos(turn), -np.sin(turn), 421.3], [np.sin(turn), np.cos(turn), 45.8]])
    p = seen(field, first, (400, 500), seed=1)
    q = seen(field, second, (400, 500), seed=2, gain=0.85, offset=12)
    to_field = np.vstack([first, [0, 0, 1]])
    matrix = (np.linalg.inv(np.vstack([second, [0, 0, 1]])) @ to_field)[:2]
    return p, q, matrix
