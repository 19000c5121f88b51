import subprocess
import sys

import numpy as np
import pytest

from rendermodules.core.placement import affine_placement, mesh_placement, widened_mesh
from rendermodules.core.rasterising import Layer, draw_layers

RNG = np.random.default_rng(1)
GRAY = RNG.integers(1, 255, (300, 400), dtype=np.uint8)
MASK = np.clip(np.minimum.outer(np.arange(300), np.arange(400)) * 3, 0, 255).astype(np.uint8)


def layer(planes=(GRAY,), mask=None, shift=0.0, shaken=False, **options):
    rows, columns = planes[0].shape
    matrix = np.array([[0.99, -0.03, shift], [0.03, 0.99, shift]])
    if shaken:
        mesh = widened_mesh(columns, rows, 7, 0)
        mapped = mesh.vertices @ matrix[:, :2].T + matrix[:, 2] + RNG.normal(size=mesh.vertices.shape)
        placement = mesh_placement(mesh, mapped)
    else:
        placement = affine_placement(widened_mesh(columns, rows, 2, 0), matrix)
    return Layer(planes, mask, placement, **options)


def drawn(layers, kind=np.uint8, planes=1, masked=False, threads=1):
    canvas = [np.zeros((700, 500), kind) for _ in range(planes)]
    mask = np.zeros((700, 500), np.uint8) if masked else None
    draw_layers(layers, canvas, mask, threads)
    return canvas, mask


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shaken", [False, True])
def test_pixels_do_not_hang_on_threads(masked, shaken):
    mask = MASK if masked else None
    layers = [layer(mask=mask, shaken=shaken), layer(mask=mask, shift=230.5, shaken=shaken)]
    (alone,), alone_mask = drawn(layers, masked=masked)
    (together,), together_mask = drawn(layers, masked=masked, threads=3)
    assert np.array_equal(alone, together)
    assert np.array_equal(alone_mask, together_mask)
    assert (alone > 0).mean() > 0.4


def test_the_last_layer_is_on_top():
    low, high = np.full((50, 60), 10, np.uint8), np.full((50, 60), 200, np.uint8)
    (canvas,), _ = drawn([layer((low,)), layer((high,), shift=20)])
    assert canvas[45, 45] == 200
    assert canvas[5, 10] == 10


def test_a_layer_without_mask_covers_entirely():
    for other in (layer(mask=MASK), layer(mask=None)):
        (_,), mask = drawn([other, layer(shift=100)], masked=True)
        assert mask[200, 200] == 255
    assert mask[690, 10] == 0


def test_masks_count_only_on_canvases_with_one():
    (plain,), _ = drawn([layer(mask=MASK)])
    (expected,), _ = drawn([layer()])
    assert np.array_equal(plain, expected)


@pytest.mark.parametrize("masked", [False, True])
def test_colours_are_drawn_as_three_gray_images_are(masked):
    planes = tuple(RNG.integers(1, 255, (300, 400), dtype=np.uint8) for _ in range(3))
    mask = MASK if masked else None
    colours, colour_mask = drawn([layer(planes, mask), layer(planes, mask, shift=99)], planes=3, masked=masked)
    for plane, colour in zip(planes, colours, strict=True):
        (gray,), gray_mask = drawn([layer((plane,), mask), layer((plane,), mask, shift=99)], masked=masked)
        assert np.array_equal(gray, colour)
        assert np.array_equal(gray_mask, colour_mask)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_other_depths_are_drawn(kind):
    image = RNG.integers(1, 60000, (300, 400)).astype(kind)
    (canvas,), _ = drawn([layer((image,))], kind)
    assert canvas.dtype == kind
    assert canvas.max() > 50000


def test_an_affine_that_flattens_draws_nothing():
    placement = affine_placement(widened_mesh(400, 300, 2, 0), np.array([[1.0, 0, 5], [0, 0, 5]]))
    flat = Layer((GRAY,), None, placement)
    far = affine_placement(widened_mesh(400, 300, 2, 0), np.array([[1e300, 0, 5], [0, 1, 5]]))
    (canvas,), _ = drawn([flat, Layer((GRAY,), None, far)])
    assert not canvas.any()


def test_small_boxes_need_no_compiled_code_and_large_ones_draw_the_same():
    """In a process of its own: whether the code is loaded hangs on what was drawn before."""
    script = """
import sys
import numpy as np
from rendermodules.core.placement import mesh_placement, widened_mesh
from rendermodules.core.rasterising import Layer, draw_layers
image = np.random.default_rng(1).integers(1, 255, (300, 400), dtype=np.uint8)
mesh = widened_mesh(400, 300, 7, 0)
placement = mesh_placement(mesh, mesh.vertices * [2.5, 3] + np.sin(mesh.vertices[:, ::-1]))
layer = Layer((image,), None, placement)
def drawn():
    canvas = np.zeros((900, 1000), np.uint8)
    draw_layers([layer], [canvas], None)
    return canvas
first = drawn()
assert "numba" not in sys.modules, "a small box has loaded the compiler"
for _ in range(5):
    assert np.array_equal(drawn(), first)
assert "numba" in sys.modules, "many boxes have not loaded the compiled code"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
