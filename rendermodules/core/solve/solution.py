"""What a solve gives: transforms of tiles, and how good they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.bases import Basis
from rendermodules.core.solve.lens import Lens, monomial_expansion
from rendermodules.core.solve.matches import CheckedMatches
from rendermodules.core.solve.moments import TileFrames
from rendermodules.core.solve.placement import matrices_of
from rendermodules.core.solve.quality import Statistics


@dataclass(frozen=True)
class Splines:
    """Thin plate splines of pixels: p goes to affine p + sum over controls c of weight r^2 ln r, r = |p - c|.

    Attributes
    ----------
    affines : (t, 2, 3) float array
        Affine part.
    controls : (t, c, 2) float array
        Control points in pixels.
    weights : (t, c, 2) float array
        Weights of the control points for x' and y'. They sum to zero and have no first moment.
    """

    affines: FloatArray
    controls: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class Solution:
    """Transforms of tiles, and how good they are.

    Attributes
    ----------
    coefficients : (t, 2, b) float array
        World x and y per function of the basis, of frame coordinates after the lens.
    frames : TileFrames
        Frame of each tile.
    basis : Basis
        Of the coefficients; the first functions are 1, x and y.
    lens_groups : (t,) int array
        Lens group of each tile.
    lenses : dict of int to Lens
        By lens group, those that were found. A lens comes before the tile's transform.
    component : (t,) int array
        Connected component of each tile by the matches that were used; -1 for tiles without any.
    pairs : (m, 2) int array
        Tile indices of the pairs that were fit for use.
    pair_residuals : (m,) float array
        Root mean square residual of each, pixels.
    rejected : (m,) bool array
        Those that contradict the others, and took no part.
    checked : CheckedMatches
        What became of the matches that were given.
    regularization : float or None
        Weight of the departure from the reference, chosen or given; None for models without it.
    statistics : Statistics
        Figures over the pairs used.
    warnings : list of str
        What a user should know; empty for a sound solution.
    balance : dict of float to float
        By distance in z: the factor that the weights of its matches got for being more or less exact than others.
    """

    coefficients: FloatArray
    frames: TileFrames
    basis: Basis
    lens_groups: IntArray
    lenses: dict[int, Lens]
    component: IntArray
    pairs: IntArray
    pair_residuals: FloatArray
    rejected: BoolArray
    checked: CheckedMatches
    regularization: float | None
    statistics: Statistics
    warnings: list[str]
    balance: dict[float, float] = field(default_factory=dict)

    @property
    def isolated(self) -> BoolArray:
        """Tiles (t,) without matches that were used."""
        isolated: BoolArray = self.component < 0
        return isolated

    @property
    def matrices(self) -> FloatArray:
        """Affines (t, 2, 3) from pixels after the lens to the world; of curved transforms the affine part."""
        return matrices_of(self.coefficients, self.frames)

    def applied(self, points: FloatArray, tiles: IntArray) -> FloatArray:
        """Return where points (n, 2) in pixels of tiles (n,) come to lie in the world, lens included."""
        corrected = np.array(points, dtype=np.float64)
        for group, lens in self.lenses.items():
            members = self.lens_groups[tiles] == group
            corrected[members] = lens.applied(corrected[members])
        values = self.basis.values(self.frames.normalized(corrected, tiles))
        world: FloatArray = np.einsum("ncb,nb->nc", self.coefficients[tiles], values)
        return world

    def polynomials(self) -> FloatArray:
        """Return coefficients (t, 2, b) of monomials of pixels after the lens, as ``PolynomialTransform2D`` has them.

        Raises
        ------
        ValueError
            The model is a thin plate spline.
        """
        order = self.basis.order
        if order is None:
            raise ValueError("thin plate splines are no polynomials")
        centres, of_tile = np.unique(self.frames.centres, axis=0, return_inverse=True)
        expansions = np.stack([monomial_expansion(centre, self.frames.scale, order) for centre in centres])
        return self.coefficients @ expansions[of_tile.ravel()]

    def splines(self) -> Splines:
        """Return the thin plate splines of all tiles, of pixels after the lens.

        Raises
        ------
        ValueError
            The model is another.
        """
        if self.basis.splines is None:
            raise ValueError("the transforms are no thin plate splines")
        scale = self.frames.scale
        grid = self.basis.splines
        controls = self.frames.centres[:, None, :] + scale * grid.controls
        weights = self.coefficients[:, :, 3:] @ grid.modes.T / scale**2
        affines = self.matrices
        # r^2 ln r in frame units is r^2 (ln r - ln scale) in pixels over the square of the scale; what the logarithm
        # leaves is constant because the weights have no moment
        squares = scale**2 * (grid.controls**2).sum(axis=1)
        affines[:, :, 2] -= np.log(scale) * (weights @ squares)
        return Splines(affines, controls, weights.transpose(0, 2, 1))
