import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.meshes import image_mesh
from rendermodules.core.placement import (
    EDGE_TOLERANCE,
    affine_on_canvas,
    affine_placement,
    full_scale,
    is_between_levels,
    mesh_placement,
    on_canvas,
    sample_grid,
    wanted_level,
    widened_mesh,
)

MATRIX = np.array([[1.1, 0.2, 1000], [-0.3, 0.9, 2000]])


@pytest.mark.parametrize(
    ("scale", "level"), [(2, 0), (1, 0), (0.51, 0), (0.5, 1), (0.34, 1), (0.2501, 1), (0.25, 2), (0.001, 9), (0, 0)]
)
def test_levels_are_taken_that_are_not_too_coarse(scale, level):
    assert wanted_level(scale) == level


def test_only_negative_powers_of_two_are_between_levels():
    assert [is_between_levels(scale) for scale in (0.5, 0.5 + 1e-9, 0.25, 1, 0.4, 0.501, 0)] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip


@settings(deadline=None)
@given(st.integers(65, 900), st.integers(65, 900), st.floats(0.01, 4))
def test_scale_is_that_of_the_longer_axis(width, height, scale):
    grid = sample_grid(width, height, 64.0)
    matrix = MATRIX[:, :2] * scale
    expected = np.sqrt((matrix**2).sum(axis=0).max())
    assert grid.average_scale(grid.points @ matrix.T + [1e6, -1e5]) == pytest.approx(expected, rel=1e-6)


def test_scale_is_one_where_samples_tell_nothing():
    for width, height in ((64, 900), (900, 64), (10, 10)):
        grid = sample_grid(width, height, 64.0)
        assert grid.average_scale(grid.points * 0.1) == 1.0
    grid = sample_grid(900, 900, 64.0)
    assert grid.average_scale(np.full_like(grid.points, np.nan)) == 1.0


def test_samples_are_a_grid_row_by_row():
    assert sample_grid(100, 65, 64).points.tolist() == [[0, 0], [64, 0], [0, 64], [64, 64]]


def test_pixels_of_mipmaps_are_middles():
    assert full_scale(np.array([[0.0, 1]]), 0).tolist() == [[0, 1]]
    assert full_scale(np.array([[0.0, 1]]), 2).tolist() == [[1.5, 5.5]]


@pytest.mark.parametrize("level", [0, 1, 4])
def test_a_tile_covers_the_same_at_every_level(level):
    mesh = widened_mesh(800 >> level, 480 >> level, 5, level)
    full = full_scale(mesh.vertices, level)
    tolerance = EDGE_TOLERANCE * (1 << level)
    np.testing.assert_allclose(full.min(axis=0), [-tolerance, -tolerance], atol=1e-9)
    np.testing.assert_allclose(full.max(axis=0), [799 + tolerance, 479 + tolerance], atol=1e-9)


def test_images_of_one_pixel_have_a_mesh():
    assert np.isfinite(widened_mesh(1, 7, 2, 0).vertices).all()


@pytest.mark.parametrize("level", [0, 2])
def test_affine_placement_is_that_of_a_mesh(level):
    mesh = widened_mesh(200, 120, 2, level)
    x, y, scale = 990.5, 1985.25, 0.37
    world = full_scale(mesh.vertices, level) @ MATRIX[:, :2].T + MATRIX[:, 2]
    expected = mesh_placement(mesh, on_canvas(world, x, y, scale))
    placement = affine_placement(mesh, affine_on_canvas(MATRIX, level, x, y, scale))
    np.testing.assert_allclose(placement.corners, expected.corners, atol=1e-8)
    np.testing.assert_allclose(placement.inverses, expected.inverses, atol=1e-7)
    np.testing.assert_allclose(placement.low, expected.low, atol=1e-8)
    np.testing.assert_allclose(placement.outline.max(axis=0), expected.high, atol=1e-8)


def test_a_placement_in_the_world_may_be_seen_from_anywhere():
    mesh = image_mesh(300, 200, 6)
    world = mesh.vertices @ MATRIX[:, :2].T + MATRIX[:, 2] + np.random.default_rng(1).normal(size=mesh.vertices.shape)
    expected = mesh_placement(mesh, on_canvas(world, 900.5, 1800.25, 0.3))
    seen = mesh_placement(mesh, world).seen_from(900.5, 1800.25, 0.3)
    np.testing.assert_allclose(seen.corners, expected.corners, atol=1e-9)
    np.testing.assert_allclose(seen.inverses, expected.inverses, atol=1e-6)
    np.testing.assert_allclose([seen.low, seen.high], [expected.low, expected.high], atol=1e-9)


def test_placements_outside_of_a_canvas_do_not_touch_it():
    mesh = image_mesh(10, 10, 2)
    for shift, touches in ((0, True), (-9, True), (-10, False), (50, True), (51, False)):
        assert mesh_placement(mesh, mesh.vertices + [shift, 0]).touches(50, 50) == touches
        assert mesh_placement(mesh, mesh.vertices + [0, shift]).touches(50, 50) == touches


def test_what_is_mapped_nowhere_touches_nothing():
    mesh = image_mesh(10, 10, 2)
    mapped = np.full_like(mesh.vertices, np.nan)
    assert not mesh_placement(mesh, mapped).touches(50, 50)
    mapped[:3] = [[0, 0], [9, 0], [4, 4]]
    assert mesh_placement(mesh, mapped).touches(50, 50)
    assert mesh_placement(mesh, mapped).low.tolist() == [0, 0]
