"""Where an image lies on a canvas, and which of its resolutions is wanted there."""

from dataclasses import dataclass

import numpy as np

from rendermodules.core.meshes import (
    Floats,
    Mesh,
    affines_of_moments,
    image_mesh,
    inverse_affines,
    triangle_affines,
)

EDGE_TOLERANCE = 1.0 / 1024
"""How far outside of its outermost pixel centres an image is still drawn, in pixels of the image.

Rounding decides on which side of a border a pixel comes to lie that is exactly on it; this is more than any rounding.
"""


@dataclass(frozen=True)
class Placement:
    """Triangles of an image on a canvas.

    Attributes
    ----------
    corners : (t, 3, 2) float array
        On the canvas, x, y in pixels.
    inverses : (t, 2, 3) float array
        Affines from the canvas to the image; NaN for triangles that are flattened.
    is_affine : bool, default: False
        All affines are the same.
    """

    corners: Floats
    inverses: Floats
    is_affine: bool = False

    def touches(self, width: int, height: int) -> bool:
        """Return whether a triangle may cover pixels of a canvas of this size."""
        points = self.corners.reshape(-1, 2)
        points = points[np.isfinite(points[:, 0]) & np.isfinite(points[:, 1])]
        if not len(points):
            return False
        low, high = points.min(axis=0), points.max(axis=0)
        return bool((low <= [width, height]).all() and (high >= 0).all())


def sample_points(width: float, height: float, cell_size: float) -> Floats:
    """Return the points of an image from which Render finds out how much it is reduced: a grid, row by row."""
    x, y = np.arange(0, width, cell_size), np.arange(0, height, cell_size)
    return np.stack(np.broadcast_arrays(x, y[:, None]), axis=-1).reshape(-1, 2)


def on_canvas(world: Floats, x: float, y: float, scale: float) -> Floats:
    """Return world coordinates as pixels of a canvas whose first pixel is at world (x, y)."""
    return world * scale + [-(x * scale), -(y * scale)]


def average_scale(points: Floats, mapped: Floats) -> float:
    """Return by how much the longer axis of an image is scaled: that of the affine that fits all points best.

    1 if there are fewer than three points, or all lie on a line.

    Notes
    -----
    Java: mpicbg.trakem2.transform.AffineModel2D.fit in Utils.sampleAverageScale. All sums are taken in its order,
    because at a scale of exactly 1/2 the last bit decides which resolution is taken.
    """
    if len(points) < 3:
        return 1.0
    count = float(len(points))
    centre_source, centre_target = _total(points) / count, _total(mapped) / count
    p, q = points - centre_source, mapped - centre_target
    moments = _total((p[:, :, None] * p[:, None, :]).reshape(-1, 4)).reshape(1, 2, 2)
    products = _total((p[:, :, None] * q[:, None, :]).reshape(-1, 4)).reshape(1, 2, 2)
    (m00, m01, _), (m10, m11, _) = affines_of_moments(moments, products, centre_source[None], centre_target[None])[0]
    scale = np.sqrt(max(m00 * m00 + m10 * m10, m01 * m01 + m11 * m11))
    return float(scale) if np.isfinite(scale) else 1.0


def _total(rows: Floats) -> Floats:
    """Return the sum of rows, added one after the other."""
    total: Floats = np.add.accumulate(rows, axis=0)[-1]
    return total


def wanted_level(scale: float) -> int:
    """Return the mipmap level for an image scaled by ``scale``: 0 down to just above 1/2, 1 to just above 1/4 ..."""
    inverse = int(min(1.0 / scale, 2.0**62)) if scale > 0 else 1
    return max(inverse.bit_length() - 1, 0)


def full_scale(points: Floats, level: int) -> Floats:
    """Return points of a mipmap as points of the full-scale image: pixels of a mipmap are means of 2^level pixels."""
    factor = float(1 << level)
    return points * factor + (factor - 1.0) * 0.5


def widened_mesh(width: int, height: int, columns: int, level: int) -> Mesh:
    """Return the mesh over an image, widened so that it covers the same area whatever its level.

    A mipmap's outermost pixel centres lie inside of those of the full-scale image.
    """
    mesh = image_mesh(width, height, columns)
    margin = 0.5 - 0.5 / (1 << level) + EDGE_TOLERANCE
    last = np.array([width - 1, height - 1], dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretched = mesh.vertices * ((last + 2 * margin) / last) - margin
    vertices = np.where(last > 0, stretched, mesh.vertices)
    # the outermost vertices exactly, so that neighbouring rows have one border
    vertices = np.where(mesh.vertices == 0, -margin, np.where(mesh.vertices == last, last + margin, vertices))
    return Mesh(vertices, mesh.triangles)


def mesh_placement(mesh: Mesh, mapped: Floats) -> Placement:
    """Return the placement of an image whose mesh vertices are at ``mapped`` on the canvas."""
    corners = mapped[mesh.triangles]
    with np.errstate(invalid="ignore", over="ignore"):
        inverses = inverse_affines(triangle_affines(mesh.vertices[mesh.triangles], corners))
    return Placement(corners, inverses)


def affine_placement(mesh: Mesh, matrix: Floats) -> Placement:
    """Return the placement of an image that one (2, 3) affine takes to the canvas."""
    corners = (mesh.vertices @ matrix[:, :2].T + matrix[:, 2])[mesh.triangles]
    inverses = np.broadcast_to(inverse_affines(matrix[None]), (len(corners), 2, 3))
    return Placement(corners, np.ascontiguousarray(inverses), is_affine=True)
