"""The turns of tiles from the turns of their pairs, however large, with nothing to start from."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from rendermodules.core.solve.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from rendermodules.core.solve.system import TileSystem

SCALES = (0.5, 0.15, 0.05, 0.02)
"""Radians: errors of pairs that count a quarter, in each round of reweighting; sinking, so that right pairs of a tile
that one wrong pair turned are not lost with it."""

WEIGHT_RANGE = (1e-3, 1e3)
"""Weights of pairs, in medians: a wish of a million points must not make all else vanish in rounding."""

MOST_ITERATIONS = 60
"""Of the inverse iteration in each round."""

SETTLED = 1e-9
"""Change of a unit vector that ends the iteration."""


def synchronized_turns(
    tile_count: int, pairs: IntArray, turn: ComplexArray, weights: FloatArray, fixed: BoolArray
) -> FloatArray:
    """Return the angle (t,) by which each tile turns so that all pairs agree as well as they can.

    Parameters
    ----------
    tile_count : int
        Number of tiles.
    pairs : (m, 2) int array
        Tile indices p < q, every pair once; at least one.
    turn : (m,) complex array
        Of modulus 1; the turn from tile p to tile q, so that exp(i angle_p) = turn exp(i angle_q).
    weights : (m,) float array
        Weight of each pair.
    fixed : (t,) bool array
        Tiles whose angle is 0.

    Returns
    -------
    (t,) float array
        Radians. The mean turn of each connected component, or of its fixed tiles if it has any, is 0.

    Notes
    -----
    The smallest eigenvectors of the connection Laplacian, by inverse iteration with one sparse factor; wrong pairs
    lose their weight over a few rounds.

    References
    ----------
    .. [1] A. Singer, "Angular synchronization by eigenvectors and semidefinite programming", Appl. Comput. Harmon.
       Anal. 30 (2011).
    """
    system = TileSystem(pairs, np.ones(tile_count, dtype=bool))
    labels = system.component
    phase = np.ones(tile_count, dtype=complex)
    weights = np.clip(weights / np.median(weights), *WEIGHT_RANGE)
    strength = weights
    for least in SCALES:
        phase = _smallest_eigenvector(system, turn, strength, phase)
        errors = np.abs(np.exp(1j * np.angle(phase[pairs[:, 0]])) - turn * np.exp(1j * np.angle(phase[pairs[:, 1]])))
        scale = max(3.0 * float(np.median(errors)), least)
        strength = weights / (1.0 + (errors / scale) ** 2) ** 2 + 1e-6
    angles = np.angle(phase)
    reference = np.where(fixed, 1.0, 1e-9) * np.exp(1j * angles)
    mean = np.bincount(labels, reference.real) + 1j * np.bincount(labels, reference.imag)
    turned: FloatArray = np.angle(np.exp(1j * (angles - np.angle(mean)[labels])))
    return np.where(fixed, 0.0, turned)


def _smallest_eigenvector(
    system: TileSystem, turn: ComplexArray, strength: FloatArray, start: ComplexArray
) -> ComplexArray:
    """Return per connected component the unit vector that changes least along the pairs."""
    count, labels = len(start), system.component
    real = np.stack([np.stack([turn.real, -turn.imag], axis=1), np.stack([turn.imag, turn.real], axis=1)], axis=1)
    weight = strength[:, None, None] * np.eye(2)
    diagonal = system.summed(weight, weight)
    shift = 1e-7 * float(np.median(strength))
    factor = system.factorized(system.matrix(diagonal + shift * np.eye(2), -strength[:, None, None] * real))
    sizes = sparse.csr_matrix((np.ones(count), (labels, np.arange(count))))
    vector = start
    for _ in range(MOST_ITERATIONS):
        solved = factor.solve(np.column_stack([vector.real, vector.imag]).ravel()).reshape(-1, 2)
        new = solved[:, 0] + 1j * solved[:, 1]
        norms = np.sqrt(sizes @ np.abs(new) ** 2 / (sizes @ np.ones(count)))
        new /= np.maximum(norms, 1e-300)[labels]
        change = float(np.abs(new - vector).max(initial=0.0))
        vector = new
        if change < SETTLED:
            break
    return vector
