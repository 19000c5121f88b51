"""Whether a solution can be believed: shapes of tiles and residuals of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve.arrays import FloatArray, IntArray
from rendermodules.core.solve.moments import PairMoments

SCALE_LIMITS = (0.9, 1.1)
"""Mean scale of the tiles, against their prior, outside which a solve has collapsed or burst."""

SHEAR_LIMIT = 0.2
"""Radians by which the axes of a tile may be off a right angle."""


@dataclass(frozen=True)
class Statistics:
    """Figures of a solution.

    Attributes
    ----------
    precision : float
        Length of the residual of the linear system over that of its right hand side; 0 for motions.
    error : float
        Square root of the weighted sum of squared residuals, pixels.
    residual_mean, residual_deviation : (2,) float arrays
        Weighted mean and standard deviation of the residuals p - q along x and y, pixels.
    residual_rms : float
        Weighted root mean square length of the residuals, pixels.
    scale_mean, scale_deviation : float
        Of the tiles' scales against their prior.
    scale_least, scale_greatest : float
        Of the same.
    """

    precision: float
    error: float
    residual_mean: FloatArray
    residual_deviation: FloatArray
    residual_rms: float
    scale_mean: float
    scale_deviation: float
    scale_least: float
    scale_greatest: float


def scales(linear: FloatArray) -> FloatArray:
    """Return the scale (t,) of linear parts (t, 2, 2): the square root of how they change areas."""
    return np.sqrt(np.abs(np.linalg.det(linear)))


def shears(linear: FloatArray) -> FloatArray:
    """Return by how much (t,) the images of the x and y axes are off a right angle, radians."""
    x, y = linear[:, :, 0], linear[:, :, 1]
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    sine: FloatArray = (x * y).sum(axis=1) / np.maximum(lengths, 1e-300)
    return np.arcsin(np.clip(sine, -1.0, 1.0))


def statistics(moments: PairMoments, coefficients: FloatArray, prior: FloatArray, precision: float) -> Statistics:
    """Return the figures of a solution from the moments of the pairs that it used, and the tiles' coefficients."""
    total = float(moments.weights.sum())
    squared = moments.squared_errors(coefficients)
    residual = moments.residual_coefficients(coefficients)
    sums = np.einsum("mca,ma->c", residual, moments.gram[:, 0, :])
    by_axis = np.einsum("mca,mab,mcb->c", residual, moments.gram, residual, optimize=True)
    mean = sums / total if total else np.zeros(2)
    deviation = np.sqrt(np.maximum(by_axis / total - mean**2, 0.0)) if total else np.zeros(2)
    relative = scales(coefficients[:, :, 1:3]) / scales(prior[:, :, 1:3])
    return Statistics(
        precision,
        float(np.sqrt(squared.sum())),
        mean,
        deviation,
        float(np.sqrt(squared.sum() / total)) if total else 0.0,
        float(relative.mean()),
        float(relative.std()),
        float(relative.min()),
        float(relative.max()),
    )


def shape_faults(linear: FloatArray, prior: FloatArray) -> dict[str, IntArray]:
    """Return the tiles whose shape is wrong against that of their prior, by what is wrong.

    Parameters
    ----------
    linear, prior : (t, 2, 2) float arrays
        Linear parts of the transforms of tiles, solved and before.
    """
    faults = {
        "flipped against their prior": np.linalg.det(linear) * np.linalg.det(prior) <= 0,
        f"sheared by over {SHEAR_LIMIT} rad": np.abs(shears(linear) - shears(prior)) > SHEAR_LIMIT,
    }
    return {fault: np.flatnonzero(tiles) for fault, tiles in faults.items() if tiles.any()}


def shape_warnings(linear: FloatArray, prior: FloatArray) -> list[str]:
    """Return what is wrong with the shapes of tiles, against those of their prior; nothing for a sound solution."""
    warnings = []
    relative = float((scales(linear) / scales(prior)).mean())
    if not SCALE_LIMITS[0] <= relative <= SCALE_LIMITS[1]:
        warnings.append(f"the mean scale of the tiles is {relative:.3f} of their prior's: the solve collapsed or burst")
    for fault, tiles in shape_faults(linear, prior).items():
        warnings.append(f"{len(tiles)} tiles are {fault}, the first is tile {tiles[0]}")
    return warnings
