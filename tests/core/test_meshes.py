import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.meshes import MappedMesh, MeshError, image_mesh, inverse_affines, mesh_columns, triangle_affines


def areas(corners):
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


@pytest.mark.parametrize(("width", "columns"), [(600, 9), (10, 2), (96, 2), (96.1, 2), (160, 3), (2048, 32)])
def test_columns_are_rounded(width, columns):
    assert mesh_columns(width, 64) == columns


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 900), st.integers(2, 900), st.integers(1, 15))
def test_triangles_cover_the_image_once(width, height, columns):
    mesh = image_mesh(width, height, columns)
    corners = mesh.vertices[mesh.triangles]
    assert (areas(corners) > 0).all()
    assert areas(corners).sum() == pytest.approx((width - 1) * (height - 1))
    assert mesh.vertices.min(axis=0).tolist() == [0, 0]
    assert mesh.vertices.max(axis=0).tolist() == [width - 1, height - 1]


def test_smallest_mesh_comes_in_render_order():
    mesh = image_mesh(65, 65, 2)
    assert mesh.vertices[:5].tolist() == [[0, 0], [64, 0], [32, 32], [0, 64], [64, 64]]
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 4], [2, 1, 4]]


def test_affines_of_triangles_map_their_corners():
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(2, 20, 3, 2)) * 100
    matrices = triangle_affines(source, target)
    mapped = np.einsum("tij,tcj->tci", matrices[:, :, :2], source) + matrices[:, None, :, 2]
    np.testing.assert_allclose(mapped, target, atol=1e-9)
    back = np.einsum("tij,tcj->tci", inverse_affines(matrices)[:, :, :2], target)
    np.testing.assert_allclose(back + inverse_affines(matrices)[:, None, :, 2], source, atol=1e-7)


def test_flat_triangles_have_no_affine():
    flat = np.array([[[0, 0], [1, 1], [2, 2.0]]])
    assert np.isnan(triangle_affines(flat, flat)).all()
    assert np.isnan(inverse_affines(np.zeros((1, 2, 3)))).all()


def test_the_first_triangle_that_holds_a_point_wins():
    """A folded mesh, where triangles lie over each other, against a search through all of them."""
    mesh = image_mesh(200, 150, 5)
    rng = np.random.default_rng(2)
    mapped = mesh.vertices + rng.normal(size=mesh.vertices.shape) * 30
    points = rng.uniform(-20, 220, (300, 2))
    corners = mapped[mesh.triangles]
    inverses = inverse_affines(triangle_affines(mesh.vertices[mesh.triangles], corners))
    expected = np.full(points.shape, np.nan)
    for n, point in enumerate(points):
        for triangle, inverse in zip(corners, inverses, strict=True):
            edges, offsets = np.roll(triangle, -1, axis=0) - triangle, point - triangle
            if (edges[:, 0] * offsets[:, 1] - edges[:, 1] * offsets[:, 0] >= 0).all():
                expected[n] = inverse[:, :2] @ point + inverse[:, 2]
                break
    found = MappedMesh(mesh, mapped).inverse(points, one_orientation=True)
    assert 0.3 < np.isfinite(expected[:, 0]).mean() < 1
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_vertices_mapped_nowhere_leave_holes():
    mesh = image_mesh(200, 150, 5)
    mapped = np.array(mesh.vertices)
    mapped[0] = np.nan
    inverse = MappedMesh(mesh, mapped).inverse(np.array([[1.0, 1.0], [100.0, 100.0]]))
    assert np.isnan(inverse[0]).all()
    np.testing.assert_allclose(inverse[1], [100, 100])
    nowhere = MappedMesh(mesh, np.full_like(mapped, np.inf)).inverse(np.array([[1.0, 1.0]]))
    assert np.isnan(nowhere).all()


@pytest.mark.parametrize("make", [lambda: mesh_columns(1000, 1e-9), lambda: image_mesh(1000, 1000, 100_000)])
def test_meshes_that_nobody_can_mean_are_refused(make):
    with pytest.raises(MeshError, match="the cells are too small"):
        make()
