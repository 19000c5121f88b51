"""Where to put what matches leave open: whole components, and tiles without matches."""

from __future__ import annotations

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.moments import TileFrames

NEIGHBOURS = 8
"""Nearest placed tiles that a tile without matches moves with."""

CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]])


def coefficients_of(matrices: FloatArray, frames: TileFrames) -> FloatArray:
    """Return the coefficients (t, 2, 3) in frames of affines (t, 2, 3) of pixels."""
    positions = matrices[:, :, :2] @ frames.centres[:, :, None] + matrices[:, :, 2:]
    return np.concatenate([positions, matrices[:, :, :2] * frames.scale], axis=2)


def matrices_of(coefficients: FloatArray, frames: TileFrames) -> FloatArray:
    """Return the affines (t, 2, 3) of pixels whose coefficients in frames begin (t, 2, 3)."""
    linear = coefficients[:, :, 1:3] / frames.scale
    return np.concatenate([linear, coefficients[:, :, :1] - linear @ frames.centres[:, :, None]], axis=2)


def tile_corners(coefficients: FloatArray, sizes: FloatArray, frames: TileFrames) -> FloatArray:
    """Return the corners (t, 4, 2) of tiles in the world."""
    local = CORNERS * (sizes / frames.scale)[:, None, :]
    corners: FloatArray = coefficients[:, None, :, 0] + local @ coefficients[:, :, 1:3].transpose(0, 2, 1)
    return corners


def rigid_motion(
    source: FloatArray, target: FloatArray, group: IntArray, may_turn: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the rigid motion of each group that takes points (n, 2) nearest to others.

    Returns
    -------
    turns, shifts : (g, 2, 2) and (g, 2) float arrays
        A point goes to turn point + shift.
    """
    z, w = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    counts = np.maximum(np.bincount(group), 1)

    def means(values: FloatArray) -> FloatArray:
        mean: FloatArray = (np.bincount(group, values.real) + 1j * np.bincount(group, values.imag)) / counts
        return mean

    mean_z, mean_w = means(z), means(w)
    cross = means(np.conj(z - mean_z[group]) * (w - mean_w[group]))
    turn = np.where((np.abs(cross) > 0) & may_turn, cross / np.maximum(np.abs(cross), 1e-300), 1.0)
    shift = mean_w - turn * mean_z
    turns = np.stack([np.stack([turn.real, -turn.imag], axis=1), np.stack([turn.imag, turn.real], axis=1)], axis=1)
    return turns, np.stack([shift.real, shift.imag], axis=1)


def aligned_to_prior(
    coefficients: FloatArray,
    prior: FloatArray,
    sizes: FloatArray,
    frames: TileFrames,
    labels: IntArray,
    movable: BoolArray,
    may_turn: bool,
) -> FloatArray:
    """Return coefficients with each component moved as a whole to where its tiles' corners are nearest to the prior.

    Parameters
    ----------
    coefficients : (t, 2, b) float array
        Of all tiles.
    prior : (t, 2, 3) float array
        Coefficients in frames.
    sizes : (t, 2) float array
        Pixels.
    frames : TileFrames
        Of the tiles.
    labels : (t,) int array
        Component of each tile.
    movable : (t,) bool array
        Tiles of components that nothing fixes.
    may_turn : bool
        Turn components too, not only shift them.
    """
    group = np.repeat(labels, 4)
    here = tile_corners(coefficients, sizes, frames).reshape(-1, 2)
    there = tile_corners(prior, sizes, frames).reshape(-1, 2)
    turns, shifts = rigid_motion(here, there, group, may_turn)
    turns[np.unique(labels[~movable])] = np.eye(2)
    shifts[np.unique(labels[~movable])] = 0
    turns, shifts = turns[labels], shifts[labels]
    moved = turns @ coefficients
    moved[:, :, 0] += shifts
    return moved


def moved_with_neighbours(
    coefficients: FloatArray, prior: FloatArray, sections: FloatArray, isolated: BoolArray
) -> FloatArray:
    """Return the coefficients (t, 2, b) with isolated tiles moved from their prior as the tiles nearest to them.

    Neighbours are those of the same section, or of the nearest section that has placed tiles. Their places and
    orientations give a rigid motion.
    """
    from scipy.spatial import cKDTree

    result = coefficients.copy()
    placed = np.flatnonzero(~isolated)
    if len(placed) == 0:
        return result
    placed_sections = np.unique(sections[placed])
    for section in np.unique(sections[isolated]):
        nearest_section = placed_sections[np.argmin(np.abs(placed_sections - section))]
        members = placed[sections[placed] == nearest_section]
        lost = np.flatnonzero(isolated & (sections == section))
        count = min(NEIGHBOURS, len(members))
        _, near = cKDTree(prior[members, :, 0]).query(prior[lost, :, 0], k=[*range(1, count + 1)])
        near = members[near]
        turns, shifts = rigid_motion(
            _ends_of_axes(prior[near.ravel()]),
            _ends_of_axes(coefficients[near.ravel()]),
            np.repeat(np.arange(len(lost)), 4 * count),
            True,
        )
        result[lost, :, 1:3] = turns @ prior[lost, :, 1:3]
        result[lost, :, 0] = (turns @ prior[lost, :, 0][:, :, None])[:, :, 0] + shifts
    return result


def _ends_of_axes(coefficients: FloatArray) -> FloatArray:
    """Return four points (4 n, 2) of each tile, about its centre, where it has coefficients (n, 2, b)."""
    centres, axes = coefficients[:, None, :, 0], coefficients[:, :, 1:3].transpose(0, 2, 1)
    return np.concatenate([centres + axes, centres - axes], axis=1).reshape(-1, 2)
