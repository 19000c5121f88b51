import numpy as np
import pytest

from rendermodules.core.meshes import image_mesh, inverse_affines, triangle_affines
from rendermodules.core.rasterising import span_kernels
from rendermodules.core.rasterising.layers import read_only
from rendermodules.core.rasterising.spans import ONE, draw_spans, fixed, laid_over, sampled, triangle_spans

NOTHING = np.zeros((0, 0), np.uint8)
NO_MASK = read_only(NOTHING)
KINDS = (np.uint8, np.uint16, np.float32)


def image_of(kind, rows=80, columns=100, seed=1):
    largest = 255 if kind is np.uint8 else 65535
    return np.random.default_rng(seed).integers(1, largest, (rows, columns)).astype(kind)


def mesh_on_canvas(rows=80, columns=100, shake=1.0, cells=6, seed=2):
    mesh = image_mesh(columns, rows, cells)
    shaken = mesh.vertices + np.random.default_rng(seed).normal(size=mesh.vertices.shape) * shake
    corners = (shaken @ [[1.3, 0.2], [-0.1, 1.2]] + [7.3, -4.2])[mesh.triangles]
    return corners, inverse_affines(triangle_affines(mesh.vertices[mesh.triangles], corners))


def test_each_pixel_of_a_mesh_is_in_one_span():
    corners, _ = mesh_on_canvas(shake=2.0)
    spans = triangle_spans(corners, 0, 200, 300)
    count = np.zeros((200, 300), int)
    for row, start, end in zip(spans.row, spans.start, spans.end, strict=True):
        count[row, start:end] += 1
    outline = np.concatenate([corners[:, 0], corners[:, 1], corners[:, 2]])
    assert count.max() == 1
    assert count.sum() == pytest.approx(np.prod(np.ptp(outline, axis=0)) * 0.8, rel=0.15)
    inside = count[30:60, 40:70]
    assert (inside == 1).all()


def test_left_and_upper_edges_belong_to_a_triangle():
    corners = np.array([[[2, 1], [6, 1], [2, 5]], [[6, 1], [6, 5], [2, 5]]], float)
    spans = triangle_spans(corners, 0, 10, 10)
    covered = np.zeros((10, 10), int)
    for triangle, row, start, end in zip(spans.triangle, spans.row, spans.start, spans.end, strict=True):
        covered[row, start:end] += triangle + 1
    expected = np.zeros((10, 10), int)
    expected[1:5, 2:6] = [[1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 2, 2], [1, 2, 2, 2]]
    assert covered.tolist() == expected.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e10])
def test_triangles_without_end_are_left_out(bad):
    corners, inverses = mesh_on_canvas()
    corners[3, 1, 0] = bad
    for draw in (draw_spans, span_kernels.draw_spans):
        canvas = np.zeros((90, 120), np.uint8)
        draw(corners, inverses, read_only(image_of(np.uint8)), NO_MASK, canvas, NOTHING, 0, 90, False, False)
        assert (canvas == 0).any()
        assert (canvas > 0).mean() > 0.5


def test_flattened_triangles_are_left_out():
    corners, inverses = mesh_on_canvas()
    inverses[:] = np.nan
    for draw in (draw_spans, span_kernels.draw_spans):
        canvas = np.zeros((90, 120), np.uint8)
        draw(corners, inverses, read_only(image_of(np.uint8)), NO_MASK, canvas, NOTHING, 0, 90, False, False)
        assert not canvas.any()


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_bilinear(kind):
    image = image_of(kind)
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 99, 1000), rng.uniform(0, 79, 1000)
    column, row = x.astype(int), y.astype(int)
    fx, fy = x - column, y - row
    corners = [image[row + i, column + j].astype(float) for i in (0, 1) for j in (0, 1)]
    expected = (corners[0] * (1 - fx) + corners[1] * fx) * (1 - fy) + (corners[2] * (1 - fx) + corners[3] * fx) * fy
    values = sampled(image, fixed(x), fixed(y), nearest=False)
    np.testing.assert_allclose(values, expected, atol=0.51 if kind is not np.float32 else 0.1)


def test_values_beyond_the_border_are_those_of_the_border():
    image = np.array([[10, 20], [30, 40]], np.uint8)
    x = np.array([-5, -5, 0, 1, 9]) * ONE
    y = np.array([-5, 9, 0, 1, 9]) * ONE
    assert sampled(image, x, y, nearest=False).tolist() == [10, 30, 10, 40, 40]
    assert sampled(image, x, y, nearest=True).tolist() == [10, 30, 10, 40, 40]
    assert sampled(image, np.array([ONE // 2 - 1, ONE // 2]), np.array([0, 0]), nearest=True).tolist() == [10, 20]


def test_laying_over_keeps_colours_and_adds_cover():
    below, alpha_below = np.array([100, 100, 100, 7], np.uint8), np.array([255, 0, 128, 255], np.uint8)
    value, alpha = laid_over(np.array([200] * 4), np.array([128, 128, 128, 255]), below, alpha_below)
    assert alpha.tolist() == [255, 128, 192, 255]
    assert value.tolist() == [150, 200, round((200 * 128 * 255 + 100 * 128 * 127) / (128 * 255 + 128 * 127)), 200]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("nearest", "binary"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("shake", [1.0, 12.0], ids=["smooth", "folded"])
def test_compiled_code_draws_the_same(kind, masked, nearest, binary, shake):
    corners, inverses = mesh_on_canvas(shake=shake)
    image = read_only(image_of(kind))
    ramp = np.clip(np.arange(100) * 4 - 20, 0, 255).astype(np.uint8)
    mask = read_only(np.tile(ramp, (80, 1))) if masked else NO_MASK
    results = []
    for draw in (draw_spans, span_kernels.draw_spans):
        canvas = image_of(kind, 110, 140, seed=5)
        canvas_mask = image_of(np.uint8, 110, 140, seed=6) if masked else np.zeros((0, 0), np.uint8)
        draw(corners, inverses, image, mask, canvas, canvas_mask, 9, 101, nearest, binary)
        results.append((canvas, canvas_mask))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    untouched = image_of(kind, 110, 140, seed=5)
    assert np.array_equal(results[0][0][:9], untouched[:9])
    assert np.array_equal(results[0][0][101:], untouched[101:])
    assert not np.array_equal(results[0][0], untouched)
