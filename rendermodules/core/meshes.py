"""Triangle meshes that stand for a transform over an image, laid out as Render lays them out.

Render draws an image, and inverts world coordinates, by mapping the vertices of a mesh and treating each triangle as
affine. Where vertices lie, and in which order triangles come, is therefore part of what a tile looks like.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PAIRS_AT_ONCE = 1 << 19
_MOST_POINTS = 1 << 22


class MeshError(ValueError):
    """A mesh of so many points that nobody can mean it."""


def check_points(columns: float, rows: float) -> None:
    """Raise ``MeshError`` if ``columns`` by ``rows`` points are too many to be held in memory."""
    if not columns * rows <= _MOST_POINTS:
        raise MeshError(f"its mesh would have {columns:.3g} x {rows:.3g} points; the cells are too small")


@dataclass(frozen=True)
class Mesh:
    """Vertices over an image and the triangles between them.

    Attributes
    ----------
    vertices : (v, 2) float array
        Positions x, y in the image, pixel centres at integers; they span 0 to width - 1 and 0 to height - 1.
    triangles : (t, 3) int array
        Indexes into ``vertices``, in Render's order of creation: of two triangles that share an edge the later wins.
    """

    vertices: Floats
    triangles: Integers


def mesh_columns(width: float, cell_size: float) -> int:
    """Return how many vertices the rows of a mesh have over a full-scale width, both in pixels; at least 2."""
    columns = width / cell_size + 0.5
    check_points(columns, 1)
    return max(2, int(columns))


@lru_cache(maxsize=64)
def image_mesh(width: float, height: float, columns: int) -> Mesh:
    """Return the mesh over an image of ``width`` by ``height`` pixels with ``columns`` vertices in a row.

    Rows alternate between ``columns`` vertices and ``columns - 1`` vertices half a cell to the side, so that triangles
    are about equilateral. The arrays are shared between callers and cannot be written.

    Notes
    -----
    Java: mpicbg.models.TransformMesh.
    """
    columns = max(2, columns)
    cell = width / (columns - 1)
    row_distance = 2.0 * np.sqrt(0.75 * cell * cell)
    check_points(2 * columns, height / row_distance)
    rows = max(2, int(height / row_distance + 0.5) + 1)
    x_step = (width - 1) / (columns - 1)
    y_step = (height - 1) / (rows - 1)

    x_even = np.arange(columns) * x_step
    x_even[-1] = width - 1
    x_odd = np.arange(1, columns) * x_step - x_step / 2
    y_even = np.arange(rows) * y_step
    y_even[-1] = height - 1
    y_odd = np.arange(1, rows) * y_step - y_step / 2
    even = np.stack(np.broadcast_arrays(x_even, y_even[:, None]), axis=-1)
    odd = np.stack(np.broadcast_arrays(x_odd, y_odd[:, None]), axis=-1)
    between = np.concatenate([even[:-1], odd], axis=1).reshape(-1, 2)
    vertices = np.concatenate([between, even[-1]])

    stride = 2 * columns - 1
    triangles = (np.arange(rows - 1)[:, None, None] * stride + _band_of_triangles(columns)).reshape(-1, 3)
    vertices.flags.writeable = False
    triangles.flags.writeable = False
    return Mesh(vertices, triangles)


def _band_of_triangles(columns: int) -> Integers:
    """Return the triangles between one even row, the odd row under it and the next even row."""
    upper = np.arange(columns)
    middle = np.arange(columns - 1, 2 * columns - 1)  # Render counts these from 1: middle[0] does not exist
    lower = np.arange(2 * columns - 1, 3 * columns - 1)
    last = columns - 1
    band = [(upper[0], upper[1], middle[1])]
    for i in range(2, columns):
        band += [(upper[i - 1], upper[i], middle[i]), (upper[i - 1], middle[i], middle[i - 1])]
    band.append((upper[0], middle[1], lower[0]))
    for i in range(1, last):
        band += [(middle[i], lower[i], lower[i - 1]), (middle[i], middle[i + 1], lower[i])]
    band += [(lower[last - 1], middle[last], lower[last]), (middle[last], upper[last], lower[last])]
    return np.array(band, dtype=np.int64)


def triangle_affines(source: Floats, target: Floats) -> Floats:
    """Return the affine that takes each source triangle to its target triangle.

    Parameters
    ----------
    source, target : (t, 3, 2) float arrays
        Corners of corresponding triangles, x, y.

    Returns
    -------
    (t, 2, 3) float array
        Matrices of rows ``m00 m01 m02`` and ``m10 m11 m12``; NaN where the source has no area.

    Notes
    -----
    Sums are taken in the order of mpicbg.models.AffineModel2D.fit, because the last bit of a matrix decides whether a
    pixel on an edge of an image is covered.
    """
    centre_source = (source[:, 0] + source[:, 1] + source[:, 2]) / 3.0
    centre_target = (target[:, 0] + target[:, 1] + target[:, 2]) / 3.0
    p = source - centre_source[:, None]
    q = target - centre_target[:, None]
    moments = p[:, :, :, None] * p[:, :, None, :]
    products = p[:, :, :, None] * q[:, :, None, :]
    a = moments[:, 0] + moments[:, 1] + moments[:, 2]
    b = products[:, 0] + products[:, 1] + products[:, 2]
    return affines_of_moments(a, b, centre_source, centre_target)


def affines_of_moments(a: Floats, b: Floats, centre_source: Floats, centre_target: Floats) -> Floats:
    """Return least-squares affines from the second moments about the centroids.

    Parameters
    ----------
    a : (n, 2, 2) float array
        Sums of p_i p_j over centred source points.
    b : (n, 2, 2) float array
        Sums of p_i q_j over centred source and target points.
    centre_source, centre_target : (n, 2) float arrays

    Returns
    -------
    (n, 2, 3) float array
        NaN where the source points lie on a line.
    """
    a00, a01, a11 = a[:, 0, 0], a[:, 0, 1], a[:, 1, 1]
    b00, b01, b10, b11 = b[:, 0, 0], b[:, 0, 1], b[:, 1, 0], b[:, 1, 1]
    determinant = a00 * a11 - a01 * a01
    determinant = np.where(determinant == 0, np.nan, determinant)
    result = np.empty((len(a), 2, 3))
    result[:, 0, 0] = (a11 * b00 - a01 * b10) / determinant
    result[:, 0, 1] = (a00 * b10 - a01 * b00) / determinant
    result[:, 1, 0] = (a11 * b01 - a01 * b11) / determinant
    result[:, 1, 1] = (a00 * b11 - a01 * b01) / determinant
    px, py = centre_source[:, 0], centre_source[:, 1]
    result[:, 0, 2] = centre_target[:, 0] - result[:, 0, 0] * px - result[:, 0, 1] * py
    result[:, 1, 2] = centre_target[:, 1] - result[:, 1, 0] * px - result[:, 1, 1] * py
    return result


def inverse_affines(matrices: Floats) -> Floats:
    """Return the inverses of (n, 2, 3) affine matrices; NaN for those that have none.

    Notes
    -----
    Java: mpicbg.models.AffineModel2D.invert, with its order of operations.
    """
    m00, m01, m02 = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 0, 2]
    m10, m11, m12 = matrices[:, 1, 0], matrices[:, 1, 1], matrices[:, 1, 2]
    determinant = m00 * m11 - m01 * m10
    determinant = np.where(determinant == 0, np.nan, determinant)
    result = np.empty_like(matrices)
    result[:, 0, 0] = m11 / determinant
    result[:, 0, 1] = -m01 / determinant
    result[:, 1, 0] = -m10 / determinant
    result[:, 1, 1] = m00 / determinant
    result[:, 0, 2] = (m01 * m12 - m02 * m11) / determinant
    result[:, 1, 2] = (m02 * m10 - m00 * m12) / determinant
    return result


def finite_rows(array: Floats) -> NDArray[np.bool_]:
    """Return for each row of an (n, m) array whether all its numbers are finite."""
    rows: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(array), axis=1)
    return rows


class MappedMesh:
    """A mesh and where its vertices are mapped to, which can be asked for the way back.

    Points are looked up in a grid of cells about as large as a triangle, so that n points in a mesh of t triangles
    cost O(n + t). Besides the result at most about 100 MB are used at a time. Triangles with a corner that is not
    finite are left out.

    Parameters
    ----------
    mesh : Mesh
        Positions in the image.
    mapped : (v, 2) float array
        Where the vertices are in the world.
    """

    def __init__(self, mesh: Mesh, mapped: Floats) -> None:
        triangles = mesh.triangles
        if not np.isfinite(mapped).all():
            triangles = triangles[finite_rows(mapped[triangles].reshape(-1, 6))]
        corners = mapped[triangles]
        self._corners = corners
        self._sources = mesh.vertices
        self._triangles = triangles
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        lowest = np.minimum(np.minimum(a, b), c)
        highest = np.maximum(np.maximum(a, b), c)
        self._origin = lowest.min(axis=0) if len(corners) else np.zeros(2)
        extent = (highest.max(axis=0) if len(corners) else np.zeros(2)) - self._origin
        side = max(1, int(np.sqrt(len(corners) / 2)))
        self._cells = np.array([side, side])
        self._cell_size = np.where(extent > 0, extent / side, 1.0)
        self._starts, self._members = self._grid(lowest, highest)

    def _cell_of(self, points: Floats) -> Integers:
        cell = np.floor((points - self._origin) / self._cell_size)
        return np.clip(cell, 0, self._cells - 1).astype(np.int64)

    def _grid(self, lowest: Floats, highest: Floats) -> tuple[Integers, Integers]:
        """Return, for each cell, where its list of triangles begins, and the lists, each in order of triangles."""
        first = self._cell_of(lowest)
        counts = self._cell_of(highest) - first + 1
        per_triangle = counts[:, 0] * counts[:, 1]
        members = np.repeat(np.arange(len(first)), per_triangle)
        place = _positions_in_runs(per_triangle)
        columns = counts[members, 0]
        cell_x = first[members, 0] + place % columns
        cell_y = first[members, 1] + place // columns
        cell = cell_y * self._cells[0] + cell_x
        order = np.argsort(cell, kind="stable")
        starts = np.searchsorted(cell[order], np.arange(self._cells[0] * self._cells[1] + 1))
        return starts, members[order]

    def inverse(self, points: Floats, one_orientation: bool = False) -> Floats:
        """Return where ``points`` of the world are in the image.

        Parameters
        ----------
        points : (n, 2) float array
            World coordinates x, y.
        one_orientation : bool, default: False
            Find only triangles that the mapping has not turned over, as Java does: a mirrored image then has no
            inverse anywhere.

        Returns
        -------
        (n, 2) float array
            Image coordinates by the affine of the first triangle that holds the point; NaN outside the mesh, and
            where that triangle has no area.
        """
        result = np.full(points.shape, np.nan)
        finite = finite_rows(points)
        cells = self._cell_of(np.where(finite[:, None], points, 0.0))
        cells = cells[:, 1] * self._cells[0] + cells[:, 0]
        candidates = np.where(finite, self._starts[cells + 1] - self._starts[cells], 0)
        ends = np.cumsum(candidates)
        begin = 0
        while begin < len(points):
            used = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, used + _PAIRS_AT_ONCE, side="right")))
            part = slice(begin, end)
            result[part] = self._inverse_of_some(points[part], cells[part], candidates[part], one_orientation)
            begin = end
        return result

    def _inverse_of_some(self, points: Floats, cells: Integers, counts: Integers, one_orientation: bool) -> Floats:
        point = np.repeat(np.arange(len(points)), counts)
        triangle = self._members[np.repeat(self._starts[cells], counts) + _positions_in_runs(counts)]
        corners = self._corners[triangle]
        position = points[point]
        crosses = np.stack([_cross(corners, position, k) for k in range(3)])
        inside = np.all(crosses >= 0, axis=0)
        if not one_orientation:
            inside = inside | np.all(crosses <= 0, axis=0)
        # lists are in order of triangles, so that the first hit of each point is the triangle that Render finds
        hits = np.flatnonzero(inside)
        found, first = np.unique(point[hits], return_index=True)
        used, place = np.unique(triangle[hits[first]], return_inverse=True)
        affines = triangle_affines(self._sources[self._triangles[used]], self._corners[used])
        inverses = inverse_affines(affines)[place]
        result = np.full(points.shape, np.nan)
        x, y = points[found, 0], points[found, 1]
        result[found, 0] = x * inverses[:, 0, 0] + y * inverses[:, 0, 1] + inverses[:, 0, 2]
        result[found, 1] = x * inverses[:, 1, 0] + y * inverses[:, 1, 1] + inverses[:, 1, 2]
        return result


def _cross(corners: Floats, position: Floats, k: int) -> Floats:
    """Return on which side of edge ``k`` of its triangle each position lies."""
    start = corners[:, k]
    edge = corners[:, (k + 1) % 3] - start
    offset = position - start
    crosses: Floats = edge[:, 0] * offset[:, 1] - edge[:, 1] * offset[:, 0]
    return crosses


def _positions_in_runs(lengths: Integers) -> Integers:
    """Return 0, 1, ... ``length - 1`` for each length, one run behind the other."""
    ends = np.cumsum(lengths)
    positions: Integers = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return positions
