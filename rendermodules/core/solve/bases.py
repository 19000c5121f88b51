"""The functions that transforms of tiles are linear in, and what their coefficients cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.moments import monomial_exponents, monomials

SAMPLES = 33
"""Points along each side of a tile over which costs are averaged."""

CONTROL_MARGIN = 0.05
"""By which part of a tile its control points reach beyond it."""


@dataclass(frozen=True)
class ControlGrid:
    """Control points of thin plate splines, and the combinations of their weights that are free.

    Attributes
    ----------
    controls : (c, 2) float array
        Frame coordinates.
    modes : (c, c - 3) float array
        Weights of the control points per function of the basis.
    """

    controls: FloatArray
    modes: FloatArray


@dataclass(frozen=True)
class Basis:
    """Functions of frame coordinates; the first three are 1, x and y.

    Attributes
    ----------
    values : callable
        From points (n, 2) to values (n, size).
    size : int
        Number of functions.
    cost : callable
        From the width and height of a tile in frame units to a matrix (size, size): the mean square displacement
        of a tile, its shift left out, is the quadratic form of its coefficients. Control points of a spline cost
        their bending energy instead.
    order : int or None
        Of the polynomial, if the functions are monomials.
    splines : ControlGrid or None
        What the functions after 1, x and y are made of, if they are splines.
    """

    values: Callable[[FloatArray], FloatArray]
    size: int
    cost: Callable[[float, float], FloatArray]
    order: int | None = None
    splines: ControlGrid | None = None


def polynomial_basis(order: int) -> Basis:
    """Return the monomials up to an order; order 1 is the affine basis."""

    def values(points: FloatArray) -> FloatArray:
        return monomials(points, order)

    def cost(width: float, height: float) -> FloatArray:
        sampled = values(_tile_samples(width, height))
        return np.cov(sampled, rowvar=False, bias=True)

    return Basis(values, len(monomial_exponents(order)), cost, order=order)


def spline_basis(width: float, height: float, columns: int, rows: int) -> Basis:
    """Return 1, x, y and the thin plate splines on a grid of control points.

    Parameters
    ----------
    width, height : float
        Of a tile, frame units; the grid covers it and a margin of 5 %.
    columns, rows : int
        Control points along x and along y, at least 2 each.

    Notes
    -----
    The weights of control points are combined such that they sum to zero and have no moment. Then splines hold no
    affine part of their own, and a spline can be rescaled exactly.

    References
    ----------
    .. [1] F. L. Bookstein, "Principal warps: thin-plate splines and the decomposition of deformations", IEEE TPAMI
       11 (1989).
    """
    controls = control_points(width, height, columns, rows)
    modes = side_condition_modes(controls)

    def values(points: FloatArray) -> FloatArray:
        return np.concatenate([monomials(points, 1), radial_values(points, controls) @ modes], axis=1)

    def cost(tile_width: float, tile_height: float) -> FloatArray:
        result = np.zeros((3 + modes.shape[1], 3 + modes.shape[1]))
        result[1:3, 1:3] = np.diag([tile_width**2, tile_height**2]) / 12.0
        result[3:, 3:] = modes.T @ radial_values(controls, controls) @ modes
        return result

    return Basis(values, 3 + modes.shape[1], cost, splines=ControlGrid(controls, modes))


def control_points(width: float, height: float, columns: int, rows: int) -> FloatArray:
    """Return the control points (columns * rows, 2) of a tile centred on 0, frame units, x fastest."""
    if columns < 2 or rows < 2:
        raise ValueError(f"{columns} x {rows} control points; a spline needs at least 2 x 2")
    reach = 0.5 + CONTROL_MARGIN
    x, y = np.meshgrid(np.linspace(-reach, reach, columns) * width, np.linspace(-reach, reach, rows) * height)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def radial_values(points: FloatArray, controls: FloatArray) -> FloatArray:
    """Return r^2 ln r (n, c) of the distances r between points (n, 2) and control points (c, 2)."""
    squared = ((points[:, None, :] - controls[None, :, :]) ** 2).sum(axis=2)
    return 0.5 * squared * np.log(np.maximum(squared, 1e-300))


def side_condition_modes(controls: FloatArray) -> FloatArray:
    """Return the combinations (c, c - 3) of control weights that sum to zero and have no first moment."""
    conditions = np.concatenate([np.ones((len(controls), 1)), controls], axis=1)
    return np.linalg.qr(conditions, mode="complete")[0][:, 3:]


def _tile_samples(width: float, height: float) -> FloatArray:
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, SAMPLES), np.linspace(-height / 2, height / 2, SAMPLES))
    return np.stack([x.ravel(), y.ravel()], axis=1)
