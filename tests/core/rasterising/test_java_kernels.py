import math

import numpy as np
import pytest

from rendermodules.core.meshes import image_mesh, inverse_affines, triangle_affines
from rendermodules.core.rasterising.java_kernels import draw_triangles
from rendermodules.core.rasterising.layers import read_only


def plainly_drawn(corners, inverses, image, mask, canvas, canvas_mask, nearest, binary, dark_is_empty):
    """Draw triangles pixel by pixel, without a compiler, from the description of what Java does."""
    rows, columns, channels = image.shape
    floats = image.dtype == np.float32

    def value(array, x, y, channel, rounds):
        if nearest:
            return float(array[min(int(y + 0.5), rows - 1), min(int(x + 0.5), columns - 1), channel])
        if x < 0 or y < 0 or x >= columns - 1 or y >= rows - 1:
            return 0.0
        i, j = int(y), int(x)
        a, b, c, d = (float(array[i + m, j + n, channel]) for m in (0, 1) for n in (0, 1))
        lower, upper = a + (x - j) * (b - a), c + (x - j) * (d - c)
        result = lower + (y - i) * (upper - lower)
        return math.floor(result + 0.5) if rounds else result

    for triangle, inverse in zip(corners, inverses, strict=True):
        edges = np.roll(triangle, -1, axis=0) - triangle
        for row in range(canvas.shape[0]):
            for column in range(canvas.shape[1]):
                offset = np.array([column, row]) - triangle
                negative = edges[:, 0] * offset[:, 1] - edges[:, 1] * offset[:, 0] < 0
                if negative.any() != negative.all():
                    continue
                x, y = (float(column * m[0] + row * m[1] + m[2]) for m in inverse)
                values = [value(image, x, y, channel, not floats) for channel in range(channels)]
                if not canvas_mask.size:
                    canvas[row, column] = values
                    continue
                alpha = value(mask, x, y, 0, True)
                if binary:
                    if alpha:
                        canvas[row, column], canvas_mask[row, column] = values, 255
                    continue
                alpha, below_alpha = alpha / 255, canvas_mask[row, column] / 255
                if dark_is_empty and not canvas[row, column].any():
                    total, mixed = alpha, [own * alpha for own in values]
                else:
                    rest = below_alpha * (1 - alpha)
                    total = alpha + rest
                    pairs = zip(values, canvas[row, column].astype(float), strict=True)
                    mixed = [(own * alpha + under * rest) / total if total else 0.0 for own, under in pairs]
                rounded = [math.floor(np.float32(part) + np.float32(0.5)) for part in mixed]
                canvas[row, column] = mixed if floats else rounded
                canvas_mask[row, column] = int(np.float32(255 * total) + (0.5 if channels == 1 else 0))


@pytest.mark.parametrize(("kind", "channels"), [(np.uint8, 1), (np.uint16, 1), (np.float32, 1), (np.uint8, 3)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("nearest", "binary", "dark"), [(0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 0)])
def test_compiled_loops_do_what_java_is_described_to_do(kind, channels, masked, nearest, binary, dark):
    rng = np.random.default_rng(3)
    image = read_only(rng.integers(1, 255 if kind is np.uint8 else 60000, (14, 17, channels)).astype(kind))
    mask = read_only(rng.integers(0, 256, (14, 17, 1) if masked else (0, 0, 1), dtype=np.uint8))
    mesh = image_mesh(17, 14, 3)
    corners = (mesh.vertices @ [[1.1, 0.2], [-0.3, 0.9]] + [3.2, -0.7])[mesh.triangles]
    inverses = inverse_affines(triangle_affines(mesh.vertices[mesh.triangles], corners))
    results = []
    for draw in (draw_triangles, plainly_drawn):
        canvas = np.zeros((16, 18, channels), kind)
        canvas[4:9, 2:12] = np.arange(10)[:, None] * 3
        canvas_mask = np.zeros((16, 18) if masked else (0, 0), np.uint8)
        canvas_mask[5:, 3:] = 77
        further = (not np.issubdtype(kind, np.floating),) if draw is draw_triangles else ()
        options = (bool(nearest), bool(binary), bool(dark), *further)
        draw(corners, inverses, image, mask, canvas, canvas_mask, *options)
        results.append((canvas, canvas_mask))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert results[0][0].any()


def test_triangles_without_affine_and_without_end_draw_nothing():
    image = read_only(np.ones((5, 5, 1), np.uint8))
    canvas = np.zeros((9, 9, 1), np.uint8)
    corners = np.array([[[0.0, 0], [8, 0], [0, 8]], [[np.inf, 0], [8, 0], [0, np.nan]]])
    inverses = np.full((2, 2, 3), np.nan)
    no_mask = read_only(np.zeros((0, 0, 1), np.uint8))
    draw_triangles(corners, inverses, image, no_mask, canvas, np.zeros((0, 0), np.uint8), False, False, True, True)
    assert not canvas.any()
