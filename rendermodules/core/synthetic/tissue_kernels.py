"""Compiled geometry of a plane of tissue: smooth noise, which shapes may be seen where, cells and discs at a point."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendermodules.core.synthetic.lattice import Noise

MEMBRANE_REACH = 12.0
"""Distances from membranes are exact up to this many tissue units; what is farther is this far."""
FAR = 1e6
"""Distance from a shape that is nowhere near."""


class Grid(NamedTuple):
    """Squares over a plane, for each of which is listed what may be seen in it.

    Attributes
    ----------
    left, top : float
        Corner of the first.
    edge : float
        Of a square.
    columns, rows : int
        Bin b is in row ``b // columns``.
    """

    left: float
    top: float
    edge: float
    columns: int
    rows: int


class Cells(NamedTuple):
    """The cells of a plane.

    Attributes
    ----------
    seeds : (n, 4) float array
        x, y, height above the plane, and what is added to squared distances in the plane: the square of the height
        less a bonus, so that cells differ in size.
    groups : (n,) int array
        Seeds of one group make one cell.
    looks : (n, 2) float array
        Random numbers in [0, 1), the same for all seeds of a cell: brightness, contents.
    starts, members : int arrays
        Bin b has the candidates ``members[starts[b] : starts[b + 1]]``.
    """

    seeds: NDArray[np.float64]
    groups: NDArray[np.int64]
    looks: NDArray[np.float64]
    starts: NDArray[np.int64]
    members: NDArray[np.int64]


class Discs(NamedTuple):
    """Ellipses of one kind in a plane.

    Attributes
    ----------
    shapes : (n, 6) float array
        Middle x, y; cosine and sine of the direction of the long axis; half axes, long and short.
    groups : (n,) int array
        The cell that holds it.
    looks : (n, 2) float array
        Random numbers in [0, 1).
    margin : float
        What is farther outside of a disc is not near it.
    starts, members : int arrays
        In bin b ``members[starts[b] : starts[b + 1]]`` may be near.
    """

    shapes: NDArray[np.float64]
    groups: NDArray[np.int64]
    looks: NDArray[np.float64]
    margin: float
    starts: NDArray[np.int64]
    members: NDArray[np.int64]


compiled = njit(nogil=True, cache=True)


@compiled
def spline_weights(u: float) -> tuple[float, float, float, float]:
    """Return the weights of the four nodes around a point of a cubic B-spline, which add up to 1."""
    before = (1.0 - u) ** 3 / 6.0
    left = (3.0 * u**3 - 6.0 * u * u + 4.0) / 6.0
    beyond = u**3 / 6.0
    return before, left, 1.0 - before - left - beyond, beyond


@compiled
def add_spline_noise(total: NDArray, left: float, top: float, spacing: float, noise: Noise, amplitude: float) -> None:
    """Add noise, interpolated by cubic B-splines, to the nodes of a lattice (rows, columns, components)."""
    for row in range(total.shape[0]):
        v = (top + row * spacing - noise.top) / noise.spacing
        node_row = int(v)
        weights_y = spline_weights(v - node_row)
        for column in range(total.shape[1]):
            u = (left + column * spacing - noise.left) / noise.spacing
            node_column = int(u)
            weights_x = spline_weights(u - node_column)
            for component in range(total.shape[2]):
                value = 0.0
                for j in range(4):
                    for i in range(4):
                        node = noise.values[node_row - 1 + j, node_column - 1 + i, component]
                        value += weights_y[j] * weights_x[i] * node
                total[row, column, component] += amplitude * value


@compiled
def noise_at(noise: Noise, points: NDArray) -> NDArray:
    """Return the first component of noise at points (n, 2), flat at its nodes and smooth between them, (n,) float32."""
    values, left, top, spacing = noise
    result = np.empty(points.shape[0], dtype=np.float32)
    for n in range(points.shape[0]):
        u = (points[n, 0] - left) / spacing
        v = (points[n, 1] - top) / spacing
        column = int(u)
        row = int(v)
        u -= column
        v -= row
        u = u * u * (3.0 - 2.0 * u)
        v = v * v * (3.0 - 2.0 * v)
        upper = values[row, column, 0] * (1.0 - u) + values[row, column + 1, 0] * u
        lower = values[row + 1, column, 0] * (1.0 - u) + values[row + 1, column + 1, 0] * u
        result[n] = upper * (1.0 - v) + lower * v
    return result


@compiled
def displaced(noise: Noise, points: NDArray) -> NDArray:
    """Return points (n, 2) moved by the two components of noise, which are linear between its nodes."""
    values, left, top, spacing = noise
    result = np.empty_like(points)
    for n in range(points.shape[0]):
        u = (points[n, 0] - left) / spacing
        v = (points[n, 1] - top) / spacing
        column = int(u)
        row = int(v)
        u -= column
        v -= row
        for axis in range(2):
            upper = values[row, column, axis] * (1.0 - u) + values[row, column + 1, axis] * u
            lower = values[row + 1, column, axis] * (1.0 - u) + values[row + 1, column + 1, axis] * u
            result[n, axis] = points[n, axis] + upper * (1.0 - v) + lower * v
    return result


@compiled
def bins_of(grid: Grid, points: NDArray) -> NDArray:
    """Return the bins that hold points (n, 2); the nearest ones for points outside of the grid."""
    left, top, edge, columns, rows = grid
    bins = np.empty(points.shape[0], dtype=np.int32)
    for n in range(points.shape[0]):
        column = min(max(int((points[n, 0] - left) / edge), 0), columns - 1)
        row = min(max(int((points[n, 1] - top) / edge), 0), rows - 1)
        bins[n] = row * columns + column
    return bins


@compiled
def bins_near(grid: Grid, x: float, y: float, reach: float) -> Iterator[int]:
    """Yield the bins that a square of half edge ``reach`` about a point touches."""
    first_column = max(0, int(math.floor((x - reach - grid.left) / grid.edge)))
    last_column = min(grid.columns - 1, int(math.floor((x + reach - grid.left) / grid.edge)))
    first_row = max(0, int(math.floor((y - reach - grid.top) / grid.edge)))
    last_row = min(grid.rows - 1, int(math.floor((y + reach - grid.top) / grid.edge)))
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            yield row * grid.columns + column


@compiled
def disc_bins(shapes: NDArray, grid: Grid, margin: float) -> tuple[NDArray, NDArray]:
    """Return for every bin the discs that come within ``margin`` of it, as starts (bins + 1,) and members."""
    starts = np.zeros(grid.rows * grid.columns + 1, dtype=np.int64)
    for n in range(shapes.shape[0]):
        for b in bins_near(grid, shapes[n, 0], shapes[n, 1], shapes[n, 4] + margin):
            starts[b + 1] += 1
    starts = np.cumsum(starts)
    fill = starts.copy()
    members = np.empty(starts[-1], dtype=np.int64)
    for n in range(shapes.shape[0]):
        for b in bins_near(grid, shapes[n, 0], shapes[n, 1], shapes[n, 4] + margin):
            members[fill[b]] = n
            fill[b] += 1
    return starts, members


@compiled
def power_bounds(seeds: NDArray, n: int, grid: Grid, b: int, margin: float) -> tuple[float, float]:
    """Return the least and the largest power distance of a seed from the points within ``margin`` of a bin."""
    low_x = grid.left + (b % grid.columns) * grid.edge - margin
    low_y = grid.top + (b // grid.columns) * grid.edge - margin
    high_x = low_x + grid.edge + 2 * margin
    high_y = low_y + grid.edge + 2 * margin
    near_x = max(low_x - seeds[n, 0], seeds[n, 0] - high_x, 0.0)
    near_y = max(low_y - seeds[n, 1], seeds[n, 1] - high_y, 0.0)
    far_x = max(high_x - seeds[n, 0], seeds[n, 0] - low_x)
    far_y = max(high_y - seeds[n, 1], seeds[n, 1] - low_y)
    return near_x * near_x + near_y * near_y + seeds[n, 3], far_x * far_x + far_y * far_y + seeds[n, 3]


@compiled
def seed_bins(seeds: NDArray, grid: Grid, reach: float, margin: float) -> tuple[NDArray, NDArray]:
    """Return for every bin the seeds that may be nearest somewhere within ``margin`` of it, as starts and members.

    A seed cannot be when even its nearest point is farther than the farthest point of another. ``reach`` bounds the
    distance of a point from its nearest seed.
    """
    bins = grid.rows * grid.columns
    bounds = np.full(bins, np.inf)
    for n in range(seeds.shape[0]):
        for b in bins_near(grid, seeds[n, 0], seeds[n, 1], reach):
            bounds[b] = min(bounds[b], power_bounds(seeds, n, grid, b, margin)[1])
    starts = np.zeros(bins + 1, dtype=np.int64)
    for n in range(seeds.shape[0]):
        for b in bins_near(grid, seeds[n, 0], seeds[n, 1], reach):
            if power_bounds(seeds, n, grid, b, margin)[0] <= bounds[b]:
                starts[b + 1] += 1
    starts = np.cumsum(starts)
    fill = starts.copy()
    members = np.empty(starts[-1], dtype=np.int64)
    for n in range(seeds.shape[0]):
        for b in bins_near(grid, seeds[n, 0], seeds[n, 1], reach):
            if power_bounds(seeds, n, grid, b, margin)[0] <= bounds[b]:
                members[fill[b]] = n
                fill[b] += 1
    return starts, members


@compiled
def cells_at(cells: Cells, bins: NDArray, points: NDArray) -> tuple[NDArray, NDArray]:
    """Return the seeds in whose cells points (n, 2) of bins (n,) lie, and their distances from the membranes.

    A cell is made of all seeds of one group: the regions of a power diagram, membranes only between groups.
    Distances are to the nearest bisecting plane in three dimensions, which makes membranes that are cut at a slant
    broad, as in a real section. What is farther than ``MEMBRANE_REACH`` is that far.
    """
    seeds, groups, _, starts, members = cells
    owners = np.empty(points.shape[0], dtype=np.int32)
    edges = np.empty(points.shape[0], dtype=np.float32)
    for n in range(points.shape[0]):
        x = points[n, 0]
        y = points[n, 1]
        first = starts[bins[n]]
        end = starts[bins[n] + 1]
        best = np.inf
        owner = members[first]
        for m in range(first, end):
            s = members[m]
            power = (x - seeds[s, 0]) ** 2 + (y - seeds[s, 1]) ** 2 + seeds[s, 3]
            if power < best:
                best = power
                owner = s
        edge = MEMBRANE_REACH
        for m in range(first, end):
            s = members[m]
            if groups[s] == groups[owner]:
                continue
            excess = (x - seeds[s, 0]) ** 2 + (y - seeds[s, 1]) ** 2 + seeds[s, 3] - best
            apart = (
                (seeds[s, 0] - seeds[owner, 0]) ** 2
                + (seeds[s, 1] - seeds[owner, 1]) ** 2
                + (seeds[s, 2] - seeds[owner, 2]) ** 2
            )
            # the comparison without the root, which most candidates do not need
            if excess * excess < 4.0 * edge * edge * apart:
                edge = excess / (2.0 * math.sqrt(apart))
        owners[n] = owner
        edges[n] = edge
    return owners, edges


@compiled
def disc_distance(shapes: NDArray, disc: int, x: float, y: float) -> tuple[float, float]:
    """Return how far a point is outside (positive) or inside of a disc, and its place along the long axis.

    The distance is exact to first order at the border, which is where it matters.
    """
    dx = x - shapes[disc, 0]
    dy = y - shapes[disc, 1]
    along = dx * shapes[disc, 2] + dy * shapes[disc, 3]
    a = along / shapes[disc, 4]
    b = (dy * shapes[disc, 2] - dx * shapes[disc, 3]) / shapes[disc, 5]
    slope = math.sqrt((a / shapes[disc, 4]) ** 2 + (b / shapes[disc, 5]) ** 2)
    if slope < 1e-9:
        return -min(shapes[disc, 4], shapes[disc, 5]), along
    squared = a * a + b * b
    return (squared - math.sqrt(squared)) / slope, along


@compiled
def nearest_discs(discs: Discs, bins: NDArray, points: NDArray, groups: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return for points (n, 2) of bins (n,) the deepest or nearest disc, the distance from its border, the place along.

    Only discs of the group of the point count where both have one (not -1). Where no disc is near, the disc is -1 and
    the distance ``FAR``.
    """
    shapes, disc_groups, _, margin, starts, members = discs
    found = np.full(points.shape[0], -1, dtype=np.int32)
    distances = np.full(points.shape[0], FAR, dtype=np.float32)
    places = np.zeros(points.shape[0], dtype=np.float32)
    for n in range(points.shape[0]):
        for m in range(starts[bins[n]], starts[bins[n] + 1]):
            disc = members[m]
            reach = shapes[disc, 4] + margin
            if (points[n, 0] - shapes[disc, 0]) ** 2 + (points[n, 1] - shapes[disc, 1]) ** 2 > reach * reach:
                continue
            if groups[n] != -1 and disc_groups[disc] != -1 and groups[n] != disc_groups[disc]:
                continue
            distance, place = disc_distance(shapes, disc, points[n, 0], points[n, 1])
            if distance < distances[n]:
                found[n] = disc
                distances[n] = distance
                places[n] = place
    return found, distances, places


@compiled
def glow_at(discs: Discs, chosen: NDArray, peaks: NDArray, spreads: NDArray, bins: NDArray, points: NDArray) -> NDArray:
    """Return the sum of Gaussian spots at points (n, 2) of bins (n,), one per chosen disc, with peaks and variances."""
    shapes, _, _, margin, starts, members = discs
    result = np.zeros(points.shape[0], dtype=np.float32)
    for n in range(points.shape[0]):
        for m in range(starts[bins[n]], starts[bins[n] + 1]):
            disc = members[m]
            if chosen[disc]:
                squared = (points[n, 0] - shapes[disc, 0]) ** 2 + (points[n, 1] - shapes[disc, 1]) ** 2
                if squared < (shapes[disc, 4] + margin) ** 2:
                    result[n] += peaks[disc] * math.exp(-0.5 * squared / spreads[disc])
    return result
