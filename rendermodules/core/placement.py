"""Where an image lies on a canvas, and which of its resolutions is wanted there."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rendermodules.core.meshes import (
    Floats,
    Mesh,
    check_points,
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
    """Triangles of an image on a canvas, or in the world.

    Attributes
    ----------
    corners : (t, 3, 2) float array
        x, y in pixels of the canvas.
    inverses : (t, 2, 3) float array
        Affines from the canvas to the image; NaN for triangles that are flattened.
    low, high : (2,) float arrays
        Smallest and largest x, y of all corners that are finite; NaN if none is.
    outline : (4, 2) float array, optional
        Corners of the image in order, if all affines are the same.
    """

    corners: Floats
    inverses: Floats
    low: Floats
    high: Floats
    outline: Floats | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.corners.nbytes + self.inverses.nbytes

    def touches(self, width: int, height: int) -> bool:
        """Return whether a triangle may cover pixels of a canvas of this size."""
        (left, top), (right, bottom) = self.low.tolist(), self.high.tolist()
        return bool(left <= width and top <= height and right >= 0 and bottom >= 0)

    def seen_from(self, x: float, y: float, scale: float) -> "Placement":
        """Return a placement in the world as one on a canvas whose first pixel is at world (x, y)."""
        origin = np.array([x, y])
        inverses = np.empty_like(self.inverses)
        inverses[:, :, :2] = self.inverses[:, :, :2] / scale
        inverses[:, :, 2] = self.inverses[:, :, 0] * x + self.inverses[:, :, 1] * y + self.inverses[:, :, 2]
        corners, low, high = ((points - origin) * scale for points in (self.corners, self.low, self.high))
        return Placement(corners, inverses, low, high)


def _bounds(points: Floats) -> tuple[Floats, Floats]:
    """Return the smallest and largest x, y of points, those left out that are not finite."""
    x, y = points[:, 0], points[:, 1]
    with np.errstate(invalid="ignore", over="ignore"):
        if not np.isfinite(x.sum() + y.sum()):
            finite = np.isfinite(x) & np.isfinite(y)
            x, y = x[finite], y[finite]
    if not len(x):
        return np.full(2, np.nan), np.full(2, np.nan)
    return np.array([x.min(), y.min()]), np.array([x.max(), y.max()])


def on_canvas(world: Floats, x: float, y: float, scale: float) -> Floats:
    """Return world coordinates as pixels of a canvas whose first pixel is at world (x, y)."""
    return world * scale + [-(x * scale), -(y * scale)]


class SampleGrid:
    """Points of an image from which Render finds out how much it is reduced.

    Parameters
    ----------
    width, height : float
        Size of the image in pixels.
    cell_size : float
        Distance of the points; they begin at 0 and stop before ``width`` and ``height``.

    Attributes
    ----------
    points : (n, 2) float array
        x, y, row by row.

    Raises
    ------
    MeshError
        There would be too many points.

    Notes
    -----
    Java: Utils.sampleAverageScale and mpicbg.models.AffineModel2D.fit. All sums are taken in their order, because at a
    scale of exactly 1/2 the last bit decides which resolution is taken.
    """

    def __init__(self, width: float, height: float, cell_size: float) -> None:
        check_points(width / cell_size, height / cell_size)
        x, y = np.arange(0, width, cell_size), np.arange(0, height, cell_size)
        self.points = np.stack(np.broadcast_arrays(x, y[:, None]), axis=-1).reshape(-1, 2)
        self.points.flags.writeable = False
        self._centred = _centred(self.points)
        px, py = self._centred
        self._moments = _totals(np.stack([px * px, px * py, py * py])).tolist()

    def average_scale(self, mapped: Floats) -> float:
        """Return by how much the longer axis of the image is scaled if its points are at ``mapped``.

        That is the scale of the affine that fits all points best; 1 if there are fewer than three points, or all lie
        on a line, or are mapped to no finite place.
        """
        a00, a01, a11 = self._moments
        determinant = a00 * a11 - a01 * a01
        if len(self.points) < 3 or determinant == 0:
            return 1.0
        products = self._centred[:, None] * _centred(mapped)
        (b00, b01), (b10, b11) = _totals(products).tolist()
        m00, m01 = (a11 * b00 - a01 * b10) / determinant, (a00 * b10 - a01 * b00) / determinant
        m10, m11 = (a11 * b01 - a01 * b11) / determinant, (a00 * b11 - a01 * b01) / determinant
        squared = max(m00 * m00 + m10 * m10, m01 * m01 + m11 * m11)
        return math.sqrt(squared) if math.isfinite(squared) else 1.0


@lru_cache(maxsize=64)
def sample_grid(width: float, height: float, cell_size: float) -> SampleGrid:
    """Return the ``SampleGrid`` of an image, kept for the next of its size."""
    return SampleGrid(width, height, cell_size)


def _centred(points: Floats) -> Floats:
    """Return (n, 2) points less their mean, as (2, n)."""
    axes = np.ascontiguousarray(points.T)
    centred: Floats = axes - (_totals(axes) / len(points))[:, None]
    return centred


def _totals(values: Floats) -> Floats:
    """Return the sums over the last axis, added one after the other."""
    totals: Floats = np.add.accumulate(values, axis=-1)[..., -1]
    return totals


def wanted_level(scale: float) -> int:
    """Return the mipmap level for an image scaled by ``scale``: 0 down to just above 1/2, 1 to just above 1/4 ..."""
    inverse = int(min(1.0 / scale, 2.0**62)) if scale > 0 else 1
    return max(inverse.bit_length() - 1, 0)


def is_between_levels(scale: float) -> bool:
    """Return whether rounding of ``scale`` might change the level that is wanted."""
    if not 0 < scale < 0.75:  # down to just above 1/2 all is level 0
        return False
    level = math.log2(scale)
    return abs(level - round(level)) < 1e-6


def full_scale(points: Floats, level: int) -> Floats:
    """Return points of a mipmap as points of the full-scale image: pixels of a mipmap are means of 2^level pixels."""
    factor = float(1 << level)
    return points * factor + (factor - 1.0) * 0.5


@lru_cache(maxsize=64)
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
    vertices.flags.writeable = False
    return Mesh(vertices, mesh.triangles)


def mesh_placement(mesh: Mesh, mapped: Floats) -> Placement:
    """Return the placement of an image whose mesh vertices are at ``mapped``, on a canvas or in the world."""
    corners = mapped[mesh.triangles]
    with np.errstate(invalid="ignore", over="ignore"):
        inverses = inverse_affines(triangle_affines(mesh.vertices[mesh.triangles], corners))
    return Placement(corners, inverses, *_bounds(mapped))


def affine_on_canvas(affine: Floats, level: int, x: float, y: float, scale: float) -> Floats:
    """Return the (2, 3) affine from the pixels of a mipmap to a canvas, of the one from the image to the world."""
    factor = float(1 << level)
    middle, across = (factor - 1) / 2, scale * factor
    return np.array(
        [
            [m0 * across, m1 * across, (m0 * middle + m1 * middle + m2 - begin) * scale]
            for (m0, m1, m2), begin in zip(affine.tolist(), (x, y), strict=True)
        ]
    )


def _inverse(matrix: Floats) -> list[list[float]] | float:
    """Return the inverse of a (2, 3) affine; NaN if it has none."""
    (m00, m01, m02), (m10, m11, m12) = matrix.tolist()
    determinant = m00 * m11 - m01 * m10
    if determinant == 0 or not math.isfinite(determinant):
        return math.nan
    return [
        [m11 / determinant, -m01 / determinant, (m01 * m12 - m02 * m11) / determinant],
        [-m10 / determinant, m00 / determinant, (m02 * m10 - m00 * m12) / determinant],
    ]


def affine_placement(mesh: Mesh, matrix: Floats) -> Placement:
    """Return the placement of an image that one (2, 3) affine takes to the canvas."""
    mapped = mesh.vertices @ matrix[:, :2].T + matrix[:, 2]
    corners = mapped[mesh.triangles]
    inverses = np.empty((len(corners), 2, 3))
    inverses[:] = _inverse(matrix)
    (left, top), (right, bottom) = mesh.vertices[0], mesh.vertices[-1]
    image_corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    outline = image_corners @ matrix[:, :2].T + matrix[:, 2]
    return Placement(corners, inverses, *_bounds(mapped), outline)
