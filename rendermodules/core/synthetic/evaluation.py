"""How far a solution is from the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.synthetic.geometry import Lens, Points, TileTruth
from rendermodules.core.synthetic.tile_table import (
    TileTable,
    grid_pixels,
    overlapping_pairs,
    points_in_boxes,
    shared_boxes,
)

Frame = Literal["section", "world"]

GRID_SIZE = 9
"""Points along each edge of a tile at which a solution is given."""
_PAIRS_AT_ONCE = 4096
_SHARES = np.stack(np.meshgrid((np.arange(5) + 0.5) / 5, (np.arange(5) + 0.5) / 5), axis=-1).reshape(-1, 2)


@dataclass(frozen=True)
class SolutionErrors:
    """Root mean squares in pixels of the errors of a solution; nan where nothing could be compared.

    Attributes
    ----------
    section : dict of float to float
        By z: distance of solved from true places, after the best rigid motion.
    seam : dict of float to float
        By z: distance between where two tiles of the section show the same true place. Independent of any gauge.
    across : dict of (float, float) to float
        By the z of consecutive sections: distance between where two tiles, one of each, show the same place of the
        tissue.
    placed, tiles : dict of float to int
        By z: how many tiles the solution has, and how many there are.
    """

    section: dict[float, float] = field(default_factory=dict)
    seam: dict[float, float] = field(default_factory=dict)
    across: dict[tuple[float, float], float] = field(default_factory=dict)
    placed: dict[float, int] = field(default_factory=dict)
    tiles: dict[float, int] = field(default_factory=dict)


def affine_grids(affines: ArrayLike, lens: Lens, size: int = GRID_SIZE) -> Points:
    """Return where affine transforms put the grids of their tiles.

    Parameters
    ----------
    affines : (tiles, 2, 3) float array
        Rows m00, m01, m02 and m10, m11, m12.
    lens : Lens
        For the size of the tiles; its distortion plays no part.
    size : int, default: 9
        Points along each edge.

    Returns
    -------
    (tiles, size, size, 2) float array
    """
    affines = np.asarray(affines, dtype=float)
    placed = grid_pixels(lens, size) @ np.swapaxes(affines[:, :, :2], 1, 2) + affines[:, np.newaxis, :, 2]
    return placed.reshape(len(affines), size, size, 2)


def nominal_grids(tiles: Sequence[TileTruth], size: int = GRID_SIZE) -> Points:
    """Return grids (tiles, size, size, 2) where the microscope believes the tiles: the solution of doing nothing."""
    return affine_grids([((1, 0, tile.nominal_x), (0, 1, tile.nominal_y)) for tile in tiles], tiles[0].lens, size)


def true_grids(tiles: Sequence[TileTruth], frame: Frame = "section", size: int = GRID_SIZE) -> Points:
    """Return grids (tiles, size, size, 2) of tiles of one section where they truly are."""
    table = TileTable.of(tiles)
    points = table.to_section(np.broadcast_to(grid_pixels(table.lens, size), (len(table), size * size, 2)))
    if frame == "world":
        points = table.section.to_world(points)
    return points.reshape(len(table), size, size, 2)


def solution_errors(
    sections: Mapping[float, Sequence[TileTruth]],
    grids: Mapping[float, NDArray[np.float64]],
    frame: Frame = "section",
) -> SolutionErrors:
    """Return how far a solution is from the truth.

    Parameters
    ----------
    sections : mapping of float to sequence of TileTruth
        The tiles of each section by z.
    grids : mapping of float to (tiles, size, size, 2) float array
        By z: where the solution puts pixels that are spread evenly over each tile, corners included
        (:func:`grid_pixels`), in the order of the tiles; nan where it does not have the tile. At least 2 points along
        each edge; between them errors are taken to be bilinear.
    frame : {"section", "world"}, default: "section"
        ``section`` judges each section by itself, as montages are, with a rigid motion of its own; ``world`` judges an
        aligned stack, with one rigid motion for all.

    Returns
    -------
    SolutionErrors
        ``across`` is empty in the frame of sections.

    Raises
    ------
    ValueError
        The grids of a section do not fit its tiles.
    """
    zvalues = sorted(sections)
    for z in zvalues:
        if z not in grids or grids[z].ndim != 4 or len(grids[z]) != len(sections[z]):
            raise ValueError(f"the solution of z={z} does not fit its {len(sections[z])} tiles")
    whole = {z: _whole(sections[z], grids[z]) for z in zvalues}
    placed = _placed({z: parts for z, parts in whole.items() if parts[0]}, frame)
    return SolutionErrors(
        section={z: _root_mean_square([placed[z].errors]) if z in placed else np.nan for z in zvalues},
        seam={z: _seam_error(placed[z]) if z in placed else np.nan for z in zvalues},
        across={
            (low, high): _across_error(placed[low], placed[high])
            for low, high in pairwise(zvalues)
            if frame == "world" and low in placed and high in placed
        },
        placed={z: len(whole[z][0]) for z in zvalues},
        tiles={z: len(sections[z]) for z in zvalues},
    )


def rigidly_fitted(points: Points, target: Points) -> Points:
    """Return points (n, 2) after the rotation and translation that bring them nearest to target (n, 2).

    References
    ----------
    .. [1] Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Crystallographica A32 (1976).
    """
    middle, target_middle = points.mean(axis=0), target.mean(axis=0)
    left, _, right = np.linalg.svd((points - middle).T @ (target - target_middle))
    # the best orthogonal matrix may be a reflection, which no motion is
    proper = np.diag([1.0, np.sign(np.linalg.det(left @ right))])
    return (points - middle) @ (left @ proper @ right) + target_middle


@dataclass(frozen=True)
class _Placed:
    """The tiles of a section that a solution has, and grids (tiles, size, size, 2) of how far off they are."""

    table: TileTable
    errors: Points


def _whole(tiles: Sequence[TileTruth], grids: Points) -> tuple[list[TileTruth], Points]:
    """Return the tiles whose grids have no gaps, and their grids."""
    here = np.flatnonzero(np.logical_and.reduce(np.isfinite(grids), axis=(1, 2, 3)))
    return [tiles[index] for index in here.tolist()], grids[here]


def _placed(sections: Mapping[float, tuple[list[TileTruth], Points]], frame: Frame) -> dict[float, _Placed]:
    """Return the errors of sections after the best rigid motion of each, or in the world of all together."""
    true = {z: true_grids(tiles, frame, grids.shape[1]) for z, (tiles, grids) in sections.items()}
    if frame == "section":
        fitted = [rigidly_fitted(grids.reshape(-1, 2), true[z].reshape(-1, 2)) for z, (_, grids) in sections.items()]
    elif sections:
        found = [grids.reshape(-1, 2) for _, grids in sections.values()]
        everything = rigidly_fitted(
            np.concatenate(found), np.concatenate([part.reshape(-1, 2) for part in true.values()])
        )
        fitted = np.split(everything, np.cumsum([len(part) for part in found])[:-1])
    else:
        fitted = []
    return {
        z: _Placed(TileTable.of(tiles), points.reshape(grids.shape) - true[z])
        for (z, (tiles, grids)), points in zip(sections.items(), fitted, strict=True)
    }


def _seam_error(section: _Placed) -> float:
    """Return how far apart neighbours of one section show the same place."""
    boxes = section.table.boxes
    differences = []
    for pairs in _blocks(overlapping_pairs(boxes)):
        places = points_in_boxes(shared_boxes(boxes[pairs[:, 0]], boxes[pairs[:, 1]]), _SHARES)
        differences.append(_disagreement((section, section), (places, places), pairs))
    return _root_mean_square(differences)


def _across_error(low: _Placed, high: _Placed) -> float:
    """Return how far apart tiles of two sections show the same place of the tissue."""
    low_boxes, high_boxes = low.table.world_boxes, high.table.world_boxes
    differences = []
    for pairs in _blocks(overlapping_pairs(low_boxes, high_boxes)):
        world = points_in_boxes(shared_boxes(low_boxes[pairs[:, 0]], high_boxes[pairs[:, 1]]), _SHARES)
        places = low.table.section.from_world(world), high.table.section.from_world(world)
        differences.append(_disagreement((low, high), places, pairs))
    return _root_mean_square(differences)


def _disagreement(sections: tuple[_Placed, _Placed], places: tuple[Points, Points], pairs: NDArray[np.int64]) -> Points:
    """Return the differences (n, 2) between two solutions at section points (pairs, points, 2) that both tiles show.

    At the same true place solutions differ by as much as their errors do, and errors are smoother than places: to
    interpolate them costs less accuracy.
    """
    errors, shown = [], []
    for side, (section, points) in enumerate(zip(sections, places, strict=True)):
        pixels = section.table.from_section(points, pairs[:, side])
        shown.append(section.table.inside(pixels))
        errors.append(_interpolated(section.errors, section.table.lens, pixels, pairs[:, side]))
    return (errors[0] - errors[1])[shown[0] & shown[1]]


def _interpolated(grids: Points, lens: Lens, pixels: Points, tiles: NDArray[np.int64]) -> Points:
    """Return the values of grids at pixels (n, points, 2) of tiles (n,), bilinear between the points of the grids."""
    rows, columns = grids.shape[1:3]
    u = np.clip(pixels[..., 0] / (lens.width - 1), 0, 1) * (columns - 1)
    v = np.clip(pixels[..., 1] / (lens.height - 1), 0, 1) * (rows - 1)
    column, row = np.minimum(u.astype(int), columns - 2), np.minimum(v.astype(int), rows - 2)
    u, v = (u - column)[..., np.newaxis], (v - row)[..., np.newaxis]
    tile = tiles[:, np.newaxis]
    upper = grids[tile, row, column] * (1 - u) + grids[tile, row, column + 1] * u
    lower = grids[tile, row + 1, column] * (1 - u) + grids[tile, row + 1, column + 1] * u
    return upper * (1 - v) + lower * v


def _blocks(pairs: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the pairs in parts that bound memory whatever the number of pairs."""
    return [pairs[start : start + _PAIRS_AT_ONCE] for start in range(0, len(pairs), _PAIRS_AT_ONCE)]


def _root_mean_square(differences: list[Points]) -> float:
    """Return the root of the mean squared length of vectors (..., 2); nan of none."""
    count = sum(part.size // 2 for part in differences)
    return float(np.sqrt(sum(np.square(part).sum() for part in differences) / count)) if count else np.nan
