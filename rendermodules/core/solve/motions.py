"""Rigid and similarity motions of tiles by Gauss-Newton, all tiles at once, with a lens that they share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rendermodules.core.solve.arrays import FloatArray, IntArray
from rendermodules.core.solve.lens import LensModel
from rendermodules.core.solve.moments import PairMoments
from rendermodules.core.solve.reweighting import Reweighting, pair_residuals, settled
from rendermodules.core.solve.system import TileSystem

QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])

MOST_STEPS = 60
"""Gauss-Newton steps after which the motions are taken as they are; a handful is usual."""

SMALLEST_STEP = 1e-6
"""Pixels: a smaller step ends the iteration."""

DAMPING = 1e-9
"""Weight, relative to the matches', that holds a whole component where it is while its tiles find each other."""


@dataclass(frozen=True)
class Motions:
    """Where tiles are, in frame coordinates: a point u goes to position + linear (lens u).

    Attributes
    ----------
    positions : (t, 2) float array
        World position of each tile's centre.
    linear : (t, 2, 2) float array
        World pixels per frame unit.
    lens : (2, b - 1) float array
        What the tiles' lens does, in frame units per basis function after the constant; the first two columns,
        those of x and y, are the identity.
    """

    positions: FloatArray
    linear: FloatArray
    lens: FloatArray

    @property
    def coefficients(self) -> FloatArray:
        """World coordinates (t, 2, b) per basis function."""
        return np.concatenate([self.positions[:, :, None], self.linear @ self.lens], axis=2)

    @property
    def sizes(self) -> FloatArray:
        """Pixels per frame unit of each tile (t,)."""
        return np.sqrt(np.mean(self.linear**2, axis=(1, 2)) * 2.0)

    def jacobian(self, unknowns: int) -> FloatArray:
        """Return the change (t, k, 2, b) of the coefficients with the first k of shift x, shift y, turn and growth.

        Turn and growth are about the tile's centre and in pixels at distance 1 from it.
        """
        coefficients = self.coefficients
        jacobian = np.zeros((len(coefficients), unknowns, *coefficients.shape[1:]))
        jacobian[:, 0, 0, 0] = 1
        jacobian[:, 1, 1, 0] = 1
        outward = coefficients[:, :, 1:] / self.sizes[:, None, None]
        if unknowns > 2:
            jacobian[:, 2, :, 1:] = QUARTER_TURN @ outward
        if unknowns > 3:
            jacobian[:, 3, :, 1:] = outward
        return jacobian

    def moved(self, tiles: IntArray, step: FloatArray) -> Motions:
        """Return the motions with some tiles moved by a step (n, k) of shift, turn and growth."""
        positions, linear = self.positions.copy(), self.linear.copy()
        positions[tiles] += step[:, :2]
        if step.shape[1] == 2:
            return replace(self, positions=positions)
        turn = step[:, 2] / self.sizes[tiles]
        along, across = np.cos(turn), np.sin(turn)
        if step.shape[1] == 4:
            # similarities are a linear family: no need to keep lengths
            along, across = 1.0 + step[:, 3] / self.sizes[tiles], turn
        turned = np.stack([np.stack([along, -across], axis=1), np.stack([across, along], axis=1)], axis=1)
        linear[tiles] = turned @ linear[tiles]
        return replace(self, positions=positions, linear=linear)


def fitted_motions(
    moments: PairMoments,
    start: Motions,
    system: TileSystem,
    unknowns: int,
    reweighting: Reweighting | None = None,
    lens: LensModel | None = None,
) -> tuple[Motions, FloatArray]:
    """Return the motions that bring matched points together, and the weights of the pairs that did it.

    Parameters
    ----------
    moments : PairMoments
        Of the matches, in monomials of any order from 1.
    start : Motions
        Where the tiles are; turns must be right to about half a radian.
    system : TileSystem
        Of the same pairs; tiles that are not free keep their motion.
    unknowns : int
        Per tile: 2 for translations, 3 for rigid motions, 4 for similarities.
    reweighting : Reweighting, optional
        How pairs are weighted by their residuals; without it all alike.
    lens : LensModel, optional
        What to find out about the lens that the tiles share; without it the lens stays as it is.

    Returns
    -------
    Motions, (m,) float array
        The whole of every connected component stays about where it was.
    """
    motions, factors = start, np.ones(len(moments.pairs))
    for step_number in range(MOST_STEPS):
        if reweighting is not None:
            residuals = pair_residuals(moments, motions.coefficients)
            if step_number == 0:
                new = reweighting.first_weights(moments, motions.linear, residuals)
            else:
                new = reweighting.weights(residuals)
            done = step_number > 1 and settled(factors, new)
            factors = new
            if done:
                break
        motions, step = _step(moments.scaled(factors), motions, system, unknowns, lens)
        if step < SMALLEST_STEP:
            break
    return motions, factors


def _step(
    moments: PairMoments, motions: Motions, system: TileSystem, unknowns: int, lens: LensModel | None
) -> tuple[Motions, float]:
    """Return the motions after one Gauss-Newton step, and the longest move of any tile in pixels."""
    jacobian = motions.jacobian(unknowns)
    gradients = moments.gradients(motions.coefficients)
    diagonal, off_diagonal, slope = motion_equations(moments, jacobian, gradients, system)
    strength = np.median(np.trace(diagonal, axis1=1, axis2=2))
    factor = system.factorized(system.matrix(diagonal + DAMPING * strength * np.eye(unknowns), off_diagonal))
    # turning or growing a whole component changes no match, but its linearised residuals pretend so
    solve = system.constrained(factor, np.eye(unknowns)[:, 2:])
    if lens is None:
        step = -solve(slope[:, None])[:, 0]
        shape = motions.lens
    else:
        border, corner, lens_slope = lens_equations(moments, motions, system, jacobian, gradients)
        border, corner, lens_slope = border @ lens.modes, lens.modes.T @ corner @ lens.modes, lens.modes.T @ lens_slope
        variance = moments.squared_errors(motions.coefficients).sum() / max(moments.weights.sum(), 1e-300)
        hold = variance * (np.mean(motions.sizes) / lens.expected_size) ** 2
        present = lens.modes.T @ motions.lens[:, 2:].ravel()
        solved = solve(np.column_stack([slope, border]))
        lens_step = -np.linalg.solve(
            corner + hold * np.eye(len(corner)) - border.T @ solved[:, 1:],
            lens_slope + hold * present - border.T @ solved[:, 0],
        )
        step = -solved[:, 0] - solved[:, 1:] @ lens_step
        shape = motions.lens.copy()
        shape[:, 2:] += (lens.modes @ lens_step).reshape(2, -1)
    moved = motions.moved(system.tiles, step.reshape(-1, unknowns))
    return replace(moved, lens=shape), float(np.abs(step).max(initial=0.0))


def motion_equations(
    moments: PairMoments, jacobian: FloatArray, gradients: tuple[FloatArray, FloatArray], system: TileSystem
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the blocks (f, k, k) and (m, k, k) of the normal equations of tile motions, and the slope (f k,)."""
    p, q = moments.pairs.T
    jacobian_p, jacobian_q = jacobian[p], jacobian[q]
    with_p, mixed, with_q = moments.blocks()
    diagonal = system.summed(_sandwich(jacobian_p, with_p, jacobian_p), _sandwich(jacobian_q, with_q, jacobian_q))
    slope = system.summed(
        np.einsum("mkcx,mcx->mk", jacobian_p, gradients[0]), -np.einsum("mkcx,mcx->mk", jacobian_q, gradients[1])
    )
    return diagonal, -_sandwich(jacobian_p, mixed, jacobian_q), slope.ravel()


def _sandwich(left: FloatArray, middle: FloatArray, right: FloatArray) -> FloatArray:
    """Return sum over c of left_c middle right_c^T: (m, k, k) from (m, k, 2, b), (m, b, b), (m, k, 2, b)."""
    pairs, unknowns = left.shape[:2]
    through = left.reshape(pairs, unknowns * 2, -1) @ middle
    return through.reshape(pairs, unknowns, -1) @ right.reshape(pairs, unknowns, -1).transpose(0, 2, 1)


def lens_equations(
    moments: PairMoments,
    motions: Motions,
    system: TileSystem,
    jacobian: FloatArray,
    gradients: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the blocks (f k, l), (l, l) and the slope (l,) of the l terms of the lens above first order."""
    p, q = moments.pairs.T
    linear_p, linear_q = motions.linear[p], motions.linear[q]
    with_p, mixed, with_q = (block[:, :, 3:] for block in moments.blocks())
    with_p_again = moments.blocks()[1].transpose(0, 2, 1)[:, :, 3:]

    def border(
        tile_jacobian: FloatArray, own: FloatArray, same: FloatArray, other: FloatArray, far: FloatArray
    ) -> FloatArray:
        per_pair = np.einsum("mkcx,mca,mxs->mkas", tile_jacobian, own, same, optimize=True)
        per_pair -= np.einsum("mkcx,mca,mxs->mkas", tile_jacobian, other, far, optimize=True)
        return per_pair.reshape(*per_pair.shape[:2], -1)

    at_p = border(jacobian[p], linear_p, with_p, linear_q, mixed)
    at_q = border(jacobian[q], linear_q, with_q, linear_p, with_p_again)
    tiles_and_lens = system.summed(at_p, at_q)

    def corner(left: FloatArray, right: FloatArray, block: FloatArray) -> FloatArray:
        products = np.einsum("mca,mcb->mab", left, right)
        size = 2 * block.shape[2]
        return np.einsum("mab,mst->asbt", products, block[:, 3:], optimize=True).reshape(size, size)

    between = corner(linear_p, linear_q, mixed)
    lens_and_lens = corner(linear_p, linear_p, with_p) + corner(linear_q, linear_q, with_q) - between - between.T
    gradient_p, gradient_q = (gradient[:, :, 3:] for gradient in gradients)
    slope = np.einsum("mca,mcs->as", linear_p, gradient_p) - np.einsum("mca,mcs->as", linear_q, gradient_q)
    return tiles_and_lens.reshape(-1, tiles_and_lens.shape[-1]), lens_and_lens, slope.ravel()
