"""The distortion of a lens that many tiles share, as a polynomial of tile coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np

from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.moments import monomial_exponents, monomials

LensKind = Literal["radial", "radial5", "polynomial", "polynomial5"]

LENS_ORDERS: dict[LensKind, int] = {"radial": 3, "radial5": 5, "polynomial": 3, "polynomial5": 5}
"""Order of the polynomial that each kind of lens needs; kinds with the fewest unknowns come first."""

EXPECTED_DISTORTION = 20.0
"""Pixels at the corner of a tile that a lens is expected to displace at most a few times."""


@dataclass(frozen=True)
class LensModel:
    """Which distortions a lens may have.

    Attributes
    ----------
    order : int
        Of the polynomial.
    modes : (l, n) float array
        Columns are the distortions looked for, rows the terms above first order: all of x', then all of y'.
    expected_size : float
        Pixels; distortions are held near zero as if this were their standard deviation, which only matters for
        those that the matches do not show.
    """

    order: int
    modes: FloatArray
    expected_size: float = EXPECTED_DISTORTION


def lens_model(kind: LensKind) -> LensModel:
    """Return the distortions of a kind of lens.

    ``radial`` moves points along the radius and, as magnetic lenses do, about the centre, by the third power of
    the radius; ``radial5`` by the fifth too. ``polynomial`` and ``polynomial5`` are free up to orders 3 and 5.
    """
    order = LENS_ORDERS[kind]
    terms = monomial_exponents(order)[3:]
    if kind.startswith("polynomial"):
        return LensModel(order, np.eye(2 * len(terms)))
    modes = []
    for power in range(1, (order - 1) // 2 + 1):
        # (x^2 + y^2)^power times x, and times y
        along = np.zeros((2, len(terms)))
        for j in range(power + 1):
            along[0, terms.index((2 * (power - j) + 1, 2 * j))] = comb(power, j)
            along[1, terms.index((2 * (power - j), 2 * j + 1))] = comb(power, j)
        modes += [along.ravel(), np.stack([-along[1], along[0]]).ravel()]
    return LensModel(order, np.stack(modes, axis=1))


@dataclass(frozen=True)
class Lens:
    """A polynomial correction of tile coordinates.

    Attributes
    ----------
    centre : (2,) float array
        Pixels; centre of the tiles.
    scale : float
        Pixels per frame unit.
    coefficients : (2, b - 1) float array
        Frame units per monomial of frame coordinates, from x and y on; the constant is 0.
    """

    centre: FloatArray
    scale: float
    coefficients: FloatArray

    @property
    def order(self) -> int:
        """Order of the polynomial."""
        return order_of(self.coefficients.shape[1] + 1)

    def applied(self, points: FloatArray) -> FloatArray:
        """Return points (n, 2) in tile pixels, corrected."""
        values = monomials((points - self.centre) / self.scale, self.order)[:, 1:]
        return values @ self.coefficients.T * self.scale + self.centre

    def polynomial(self) -> FloatArray:
        """Return the coefficients (2, b) of monomials of pixels, in the order of Render's ``PolynomialTransform2D``."""
        full = np.column_stack([np.zeros(2), self.coefficients]) * self.scale
        raw = full @ monomial_expansion(self.centre, self.scale, self.order)
        raw[:, 0] += self.centre
        return raw

    def largest_displacement(self, width: float, height: float) -> float:
        """Return how far the lens moves any of 9 x 9 points of a tile, in pixels."""
        grid = np.stack(np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9)), axis=-1).reshape(-1, 2)
        return float(np.linalg.norm(self.applied(grid) - grid, axis=1).max())


def order_of(terms: int) -> int:
    """Return the order of a polynomial of two variables with this many terms."""
    order = 0
    while (order + 1) * (order + 2) // 2 < terms:
        order += 1
    if (order + 1) * (order + 2) // 2 != terms:
        raise ValueError(f"no polynomial of two variables has {terms} terms")
    return order


def monomial_expansion(centre: FloatArray, scale: float, order: int) -> FloatArray:
    """Return the matrix (b, b) that takes monomials of pixels to those of (pixels - centre) / scale."""
    exponents = monomial_exponents(order)
    place = {exponent: index for index, exponent in enumerate(exponents)}
    matrix = np.zeros((len(exponents), len(exponents)))
    for row, (i, j) in enumerate(exponents):
        for a in range(i + 1):
            for b in range(j + 1):
                value = comb(i, a) * comb(j, b) * (-centre[0]) ** (i - a) * (-centre[1]) ** (j - b)
                matrix[row, place[a, b]] += value / scale ** (i + j)
    return matrix
