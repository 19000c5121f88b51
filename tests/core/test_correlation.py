import numpy as np
import pytest

from rendermodules.core.correlation import (
    aligned,
    candidate_displacements,
    informative,
    overlap_box,
)
from rendermodules.core.estimation import transformed


def moved(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


@pytest.mark.parametrize(
    ("matrix", "margin", "box"),
    [
        (moved(0, 0), 0, [[0, 0], [50, 40]]),
        (moved(-45, 0), 0, [[45, 0], [50, 40]]),
        (moved(-45, 0), 3, [[42, 0], [50, 40]]),
        (moved(45, 30), 0, [[0, 0], [5, 10]]),
        (moved(0, -30), -2, [[2, 32], [48, 40]]),
        (np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 39.0]]), 0, [[0, 0], [40, 40]]),
    ],
)
def test_overlap_box(matrix, margin, box):
    assert overlap_box((40, 50), (40, 50), matrix, margin).tolist() == box


def test_overlap_box_of_images_apart_is_empty():
    first, past = overlap_box((40, 50), (40, 50), moved(-80, 0), 5)
    assert not (past > first).all()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (5.0, -3.0), (-7.25, 2.5), (0.5, 9.75)])
def test_peak_tells_where_p_lies_in_q(texture, shift):
    field = texture((96, 128))
    spectrum = np.fft.fft2(field - field.mean())
    phase = np.fft.fftfreq(96)[:, None] * shift[1] + np.fft.fftfreq(128) * shift[0]
    p, q = field - field.mean(), np.fft.ifft2(spectrum * np.exp(-2j * np.pi * phase)).real
    peaks = candidate_displacements(p.astype(np.float32), q.astype(np.float32), 12, 2).displacements
    np.testing.assert_allclose(peaks[0], shift, atol=0.15)


def test_further_peaks_stay_within_the_radius(texture):
    # what is left beside a high peak is a slope, not a peak
    p, q = (texture((60, 70), seed) - 128 for seed in (0, 1))
    for other in (p, q, np.zeros_like(p)):
        peaks = candidate_displacements(p, other, 6, 5).displacements
        assert np.isfinite(peaks).all()
        assert np.abs(peaks).max() <= 6.5


@pytest.mark.parametrize("search_radius", [0, 3, 90, 5000])
def test_any_search_radius(side_by_side, search_radius):
    p, q, truth = side_by_side
    found = aligned(p, q, moved(*truth[:, 2].round()), search_radius, 0.3).matrix
    if search_radius < 100:
        assert corner_errors(found, truth).max() < 4


def test_informative_pixels():
    image = np.arange(900.0).reshape(30, 30)
    image[:9, :9] = 7
    image[20:24, 20:24] = 7
    image[9, 9] = np.nan
    mask = np.ones((30, 30))
    mask[:, 12] = 0
    pixels, valid = informative(image, mask)
    assert pixels[9, 9] == 0
    assert not valid[:8, :8].any()
    assert not valid[:, 12].any()
    assert not valid[9, 9]
    assert valid[10:, 13:].all()


def corner_errors(found, truth):
    corners = np.array([[400, 0], [499, 0], [400, 399], [499, 399]])
    return np.linalg.norm(transformed(found, corners) - transformed(truth, corners), axis=1)


@pytest.mark.parametrize("off", [(0, 0), (35, -28), (-30, 38)])
def test_expected_place_may_be_off_by_the_search_radius(side_by_side, off):
    p, q, truth = side_by_side
    alignment = aligned(p, q, moved(*(truth[:, 2].round() + off)), 40, 0.3)
    assert corner_errors(alignment.matrix, truth).max() < 2
    assert alignment.correlation > 0.6
    np.testing.assert_allclose(
        transformed(alignment.matrix, alignment.centres) + alignment.offsets,
        transformed(truth, alignment.centres),
        atol=2,
    )


def test_too_small_a_search_radius_finds_nothing(side_by_side):
    p, q, truth = side_by_side
    alignment = aligned(p, q, moved(*(truth[:, 2].round() + [0, 60])), 10, 0.3)
    assert alignment.matrix is None
    assert sum(alignment.dropped.values()) > 0


def test_turned_and_scaled_expectation(texture, seen):
    field = texture((700, 700))
    angle, scale = np.deg2rad(100), 1.3
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([linear, [350 - linear[0].sum() * 150, 350 - linear[1].sum() * 150]])
    p, q = seen(field, matrix, (300, 300)), seen(field, moved(0, 0), (700, 700))
    off = matrix + [[0, 0, 12], [0, 0, -9]]
    found = aligned(p, q, off, 20, 0.3).matrix
    corners = np.array([[0, 0], [299, 0], [0, 299]])
    np.testing.assert_allclose(transformed(found, corners), transformed(matrix, corners), atol=2)


def test_masked_part_is_not_used(side_by_side, texture):
    p, q, truth = side_by_side
    spoiled = q.copy()
    spoiled[100:250] = texture((150, 500), seed=5)
    mask = np.ones(q.shape)
    mask[100:250] = 0
    alignment = aligned(p, spoiled, moved(*truth[:, 2].round()), 30, 0.3, q_mask=mask)
    assert corner_errors(alignment.matrix, truth).max() < 2
    assert aligned(p, q, moved(*truth[:, 2].round()), 30, 0.3, q_mask=np.zeros(q.shape)).matrix is None


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
def test_any_type_of_pixel(side_by_side, kind):
    p, q, truth = side_by_side
    alignment = aligned(p.astype(kind) * 100, q.astype(kind), moved(*truth[:, 2].round()), 30, 0.3)
    assert corner_errors(alignment.matrix, truth).max() < 2


def test_not_finite_pixels_are_left_out(side_by_side):
    p, q, truth = side_by_side
    p = p.astype(float)
    p[50:90, 420:] = np.nan
    p[200, 450] = np.inf
    assert corner_errors(aligned(p, q, moved(*truth[:, 2].round()), 30, 0.3).matrix, truth).max() < 2


@pytest.mark.parametrize(
    ("p", "q", "expected", "reason"),
    [
        (np.full((200, 200), 90, np.uint8), np.full((200, 200), 90, np.uint8), moved(-150, 0), "flat"),
        (np.full((200, 200), np.nan), np.ones((200, 200)), moved(-150, 0), "flat"),
        (np.ones((200, 200)), np.ones((200, 200)), moved(-900, 0), "no overlap"),
        (np.ones((3, 3)), np.ones((3, 3)), moved(0, 0), "no overlap"),
        (np.ones((1, 300)), np.ones((300, 1)), moved(0, 0), "no overlap"),
    ],
)
def test_nothing_to_align(p, q, expected, reason):
    alignment = aligned(p, q, expected, 20, 0.3)
    assert alignment.matrix is None
    assert alignment.dropped[reason] > 0


def test_unrelated_images_do_not_correlate(texture):
    for seed in range(6):
        p, q = texture((250, 400), seed), texture((250, 400), seed + 100)
        alignment = aligned(p, q, moved(-320, 0), 40, 0.1)
        assert alignment.matrix is None
        assert alignment.dropped["weak correlation"] > 0


@pytest.mark.parametrize("noise", [0, 5])
def test_repeated_texture_is_ambiguous(noise):
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:300, 0:500]
    grid = 128 + 60 * np.sin(2 * np.pi * x / 17) * np.sin(2 * np.pi * y / 19)
    p, q = (grid + noise * rng.normal(size=grid.shape) for _ in range(2))
    alignment = aligned(p, q, moved(-400, 0), 40, 0.3)
    assert alignment.matrix is None
    assert alignment.dropped["ambiguous"] > 0
