"""What one plane of the tissue holds: cells, nuclei, mitochondria, vesicles, synapses.

The tissue is a three-dimensional arrangement of random shapes, so that neighbouring planes resemble each other as
serial sections do. A plane of it is cut out for a box: everything in here is a table whose size follows the area of the
box, never that of the section. Lengths are tissue units, about 5 nm.

Shapes are simple in *wound* coordinates. Points are displaced by smooth noise before anything is looked up, which makes
straight membranes winding and ellipses irregular.
"""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.synthetic.lattice import Box, Noise, Sites, cube_hashes, noise, sites, uniforms
from rendermodules.core.synthetic.tissue_kernels import (
    MEMBRANE_REACH,
    Cells,
    Discs,
    Grid,
    add_spline_noise,
    bins_of,
    cells_at,
    disc_bins,
    nearest_discs,
    seed_bins,
)

BIN_EDGE = 32.0
WINDINGS = ((330.0, 95.0), (95.0, 24.0), (31.0, 6.0))
"""Wavelength and amplitude of the displacements."""
GRAINS = (2.7, 7.3, 30.0, 120.0)
"""Wavelengths of the textures, from fine to broad."""
_WINDING_SPACING = 4.0
_CELL_PITCH = 66.0
_CLUSTER_PITCH = 150.0

# of shapes on points: the middle of a mitochondrion decides in which cell it is, and nuclei shine into what is around
_FARTHEST_INFLUENCE = 64.0

_CELLS, _CLUSTERS, _SOMATA, _MITOCHONDRIA, _VESICLES, _SYNAPSES, _GRAIN, _WINDING = range(8)


class DiscKind(NamedTuple):
    """Size and frequency of one kind of ellipsoid.

    Attributes
    ----------
    stream : int
        Tells its random numbers from those of others.
    pitch : float
        Edge of the cube that holds one.
    presence : float
        Share of cubes that do.
    half_axis : (float, float)
        Smallest and largest long half axis; the other two are equal.
    roundness : (float, float)
        Smallest and largest ratio of short to long half axis.
    tilt : float
        Largest sideways drift per unit of depth.
    """

    stream: int
    pitch: float
    presence: float
    half_axis: tuple[float, float]
    roundness: tuple[float, float]
    tilt: float = 0.0


SOMA = DiscKind(_SOMATA, 350.0, 0.7, (75.0, 135.0), (0.7, 1.0), 0.3)
MITOCHONDRION = DiscKind(_MITOCHONDRIA, 80.0, 0.9, (14.0, 46.0), (0.35, 0.8), 0.8)
VESICLE = DiscKind(_VESICLES, 14.0, 0.9, (3.4, 5.4), (0.85, 1.0))
SYNAPSE = DiscKind(_SYNAPSES, 21.0, 0.7, (9.0, 17.0), (0.9, 1.0))


class TissuePlane:
    """The tables of one plane of the tissue, for the points of a box; each is made when it is first asked for.

    Parameters
    ----------
    seed : int
        Which tissue.
    depth : float
        Distance of the plane from the origin.
    box : (float, float, float, float)
        Smallest x and y, largest x and y of the points to be looked up.
    blur : float, default: 0.0
        Standard deviation of the point spread; what is this much outside of a shape may still be seen.

    Attributes
    ----------
    winding : Noise
        Displacement of points along x and y.
    grid : Grid
        Bins of all tables.

    Notes
    -----
    All tables together take about 2 bytes per unit of area, and 10 while they are made.
    """

    def __init__(self, seed: int, depth: float, box: Box, blur: float = 0.0) -> None:
        self._seed = seed
        self._depth = depth
        self._margin = 4 * blur + MEMBRANE_REACH
        self.winding = _winding(seed, depth, box)
        self.grid = _grid(_wound_box(self.winding), max(self._margin, _FARTHEST_INFLUENCE))

    @property
    def _extent(self) -> Box:
        grid = self.grid
        return grid.left, grid.top, grid.left + grid.columns * BIN_EDGE, grid.top + grid.rows * BIN_EDGE

    def _grain(self, number: int) -> Noise:
        return noise(self._seed, _GRAIN + 16 * number, GRAINS[number], self._extent, self._depth)

    def _ellipses(self, kind: DiscKind) -> "_Ellipses":
        return _ellipses(kind, self._seed, self._depth, self._extent)

    @cached_property
    def fine(self) -> Noise:
        """Texture as fine as the membranes."""
        return self._grain(0)

    @cached_property
    def medium(self) -> Noise:
        """Texture of some membranes' width."""
        return self._grain(1)

    @cached_property
    def coarse(self) -> Noise:
        """Texture of the size of organelles."""
        return self._grain(2)

    @cached_property
    def broad(self) -> Noise:
        """Texture of the size of cells."""
        return self._grain(3)

    @cached_property
    def cells(self) -> Cells:
        """Cells, which fill the plane."""
        return _cells(self._seed, self._depth, self._extent, self.grid)

    @cached_property
    def somata(self) -> Discs:
        """Cell bodies with a nucleus."""
        return _listed(self._ellipses(SOMA), self.grid, max(self._margin, _FARTHEST_INFLUENCE))

    @cached_property
    def mitochondria(self) -> Discs:
        """Dark bodies with folds, well inside of cells."""
        return _held(self._ellipses(MITOCHONDRION), self.cells, self.grid, clearance=8.0)

    @cached_property
    def vesicles(self) -> Discs:
        """Small rings, in a third of the cells."""
        clearance = VESICLE.half_axis[1] + 2
        return _held(self._ellipses(VESICLE), self.cells, self.grid, clearance, fullness=0.66)

    @cached_property
    def synapses(self) -> Discs:
        """Contacts between two cells."""
        return _at_membranes(self._ellipses(SYNAPSE), self.cells, self.somata, self.grid, self._margin)


def _wound_box(winding: Noise) -> Box:
    """Return the box of all displaced points; between nodes displacements are linear, so the nodes bound them."""
    rows, columns, _ = winding.values.shape
    x = winding.left + winding.spacing * np.arange(columns) + winding.values[:, :, 0]
    y = winding.top + winding.spacing * np.arange(rows)[:, np.newaxis] + winding.values[:, :, 1]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _grid(box: Box, reach: float) -> Grid:
    """Return the bins of a box and its surroundings; bins are at the same places for every box."""
    left, top = (math.floor((limit - reach) / BIN_EDGE) for limit in box[:2])
    right, bottom = (math.floor((limit + reach) / BIN_EDGE) + 1 for limit in box[2:])
    return Grid(left * BIN_EDGE, top * BIN_EDGE, BIN_EDGE, right - left, bottom - top)


def _winding(seed: int, depth: float, box: Box) -> Noise:
    """Return the sum of all displacements on a lattice that is the same for every box."""
    left, top = (math.floor(limit / _WINDING_SPACING) * _WINDING_SPACING for limit in box[:2])
    columns = math.ceil((box[2] - left) / _WINDING_SPACING) + 2
    rows = math.ceil((box[3] - top) / _WINDING_SPACING) + 2
    extent = (left, top, left + columns * _WINDING_SPACING, top + rows * _WINDING_SPACING)
    total = np.zeros((rows, columns, 2), dtype=np.float32)
    for number, (wavelength, amplitude) in enumerate(WINDINGS):
        waves = noise(seed, _WINDING + 16 * number, wavelength, extent, depth, components=2)
        add_spline_noise(total, left, top, _WINDING_SPACING, waves, amplitude)
    return Noise(total, left, top, _WINDING_SPACING)


def _cells(seed: int, depth: float, box: Box, grid: Grid) -> Cells:
    """Return the power diagram of random seeds, many of which are joined to larger cells of irregular shape."""
    # no point of a jittered lattice of which three quarters are there is farther from a seed, but for once in ages
    reach = 2.6 * _CELL_PITCH
    found = sites(seed, _CELLS, _CELL_PITCH, box, depth, reach + MEMBRANE_REACH)
    found = found.selected(uniforms(found.hashes, 3) < 0.85)
    bonus = (0.8 * _CELL_PITCH * uniforms(found.hashes, 4) ** 2) ** 2
    owners = _clusters(seed, found)
    seeds = np.column_stack([found.x, found.y, found.z - depth, np.square(found.z - depth) - bonus])
    looks = np.column_stack([uniforms(owners, 5), uniforms(owners, 6)])
    starts, members = seed_bins(seeds, grid, reach + MEMBRANE_REACH, MEMBRANE_REACH)
    return Cells(seeds, owners.view(np.int64), looks, starts, members)


def _clusters(seed: int, found: Sites) -> NDArray[np.uint64]:
    """Return the hash of the cell to which each seed belongs: that of its cluster where there is one, else its own."""
    pitch = _CLUSTER_PITCH
    place = np.column_stack([found.x, found.y, found.z])
    cube = np.floor(place / pitch).astype(np.int64)
    nearest = np.full(len(place), np.inf)
    owners = found.hashes.copy()
    for offset in np.ndindex(3, 3, 3):
        x, y, z = (cube + offset - 1).T
        hashes = cube_hashes(seed, _CLUSTERS, x, y, z)
        centre = np.column_stack([(axis + uniforms(hashes, draw)) * pitch for draw, axis in enumerate((x, y, z))])
        distance = np.square(place - centre).sum(axis=1)
        closer = distance < nearest
        nearest[closer] = distance[closer]
        owners[closer] = np.where(uniforms(hashes, 3) < 0.5, hashes, found.hashes)[closer]
    return owners


class _Ellipses(NamedTuple):
    """Shapes (n, 6) and looks (n, 2) as in :class:`Discs`."""

    shapes: NDArray[np.float64]
    looks: NDArray[np.float64]

    @property
    def middles(self) -> NDArray[np.float64]:
        """(n, 2) x, y."""
        return np.ascontiguousarray(self.shapes[:, :2])

    def selected(self, choice: NDArray[np.bool_]) -> "_Ellipses":
        """Return those that a mask picks."""
        return _Ellipses(self.shapes[choice], self.looks[choice])


def _ellipses(kind: DiscKind, seed: int, depth: float, box: Box) -> _Ellipses:
    """Return the ellipses in which a plane cuts ellipsoids of one kind."""
    found = sites(seed, kind.stream, kind.pitch, box, depth, kind.half_axis[1] * (1 + kind.tilt) + MEMBRANE_REACH)
    found = found.selected(uniforms(found.hashes, 3) < kind.presence)
    low, high = kind.half_axis
    long_axis = low + (high - low) * uniforms(found.hashes, 4)
    low, high = kind.roundness
    short_axis = long_axis * (low + (high - low) * uniforms(found.hashes, 5))
    height = depth - found.z
    share = 1 - np.square(height / short_axis)
    cut = share > 0.01
    found, height, share = found.selected(cut), height[cut], np.sqrt(share[cut])
    direction = np.pi * uniforms(found.hashes, 6)
    drift_x, drift_y = (kind.tilt * (2 * uniforms(found.hashes, draw) - 1) * height for draw in (7, 8))
    shapes = np.column_stack(
        [
            found.x + drift_x,
            found.y + drift_y,
            np.cos(direction),
            np.sin(direction),
            long_axis[cut] * share,
            short_axis[cut] * share,
        ]
    )
    return _Ellipses(shapes, np.column_stack([uniforms(found.hashes, 9), uniforms(found.hashes, 10)]))


def _listed(ellipses: _Ellipses, grid: Grid, margin: float, groups: NDArray[np.int64] | None = None) -> Discs:
    """Return ellipses with the lists of the bins in which they may be seen; without groups they belong to no cell."""
    if groups is None:
        groups = np.full(len(ellipses.shapes), -1)
    return Discs(ellipses.shapes, groups, ellipses.looks, margin, *disc_bins(ellipses.shapes, grid, margin))


def _held(ellipses: _Ellipses, cells: Cells, grid: Grid, clearance: float, fullness: float = 0.0) -> Discs:
    """Return what lies at least ``clearance`` inside of a cell whose second look is ``fullness`` or more."""
    owners, edges = cells_at(cells, bins_of(grid, ellipses.middles), ellipses.middles)
    kept = (edges > clearance) & (cells.looks[owners, 1] >= fullness)
    return _listed(ellipses.selected(kept), grid, 4.0, cells.groups[owners[kept]])


def _at_membranes(ellipses: _Ellipses, cells: Cells, somata: Discs, grid: Grid, margin: float) -> Discs:
    """Return what lies on the membrane between two cells and not in a soma."""
    bins = bins_of(grid, ellipses.middles)
    owners, edges = cells_at(cells, bins, ellipses.middles)
    _, surfaces, _ = nearest_discs(somata, bins, ellipses.middles, cells.groups[owners])
    return _listed(ellipses.selected((edges < 3.5) & (surfaces > 0)), grid, margin)
