"""Transforms that are linear in their unknowns, held to a reference: similarity, affine, polynomial, spline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.cholesky import BlockCholesky
from rendermodules.core.solve.moments import PairMoments
from rendermodules.core.solve.motions import Motions, motion_equations
from rendermodules.core.solve.reweighting import Reweighting, pair_residuals, settled
from rendermodules.core.solve.system import TileSystem

SHIFT_DAMPING = 1e-9
"""Weight, relative to the matches', that holds the shift of a whole component, which no match does."""

MOST_ROUNDS = 30
"""Reweightings after which the weights of pairs are taken as they are; a handful is usual."""


@dataclass(frozen=True)
class LinearModel:
    """Unknowns of tiles as departures from a reference.

    Attributes
    ----------
    reference : (t, 2, b) float array
        Coefficients of every tile that the unknowns are added to.
    cost : (t, k, k) float array
        Quadratic form of a tile's unknowns that regularisation weights.
    jacobian : (t, k, 2, b) float array or None
        How unknowns change the coefficients. None: the unknowns are the coefficients of x', and again those of y'.
        Both have one matrix then.
    mean_free : int slice as (k, c) float array
        Constraints: combinations of unknowns whose mean over a loose component stays that of the reference.
    """

    reference: FloatArray
    cost: FloatArray
    jacobian: FloatArray | None
    mean_free: FloatArray

    @property
    def sides(self) -> int:
        """Number of right hand sides."""
        return 2 if self.jacobian is None else 1

    @property
    def unknowns(self) -> int:
        """Number of unknowns per tile and right hand side."""
        return self.cost.shape[1]

    def equations(self, moments: PairMoments, system: TileSystem) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the blocks (f, k, k) and (m, k, k) of the normal equations, and their right hand sides (f k, r)."""
        gradients = moments.gradients(self.reference)
        if self.jacobian is not None:
            diagonal, off_diagonal, slope = motion_equations(moments, self.jacobian, gradients, system)
            return diagonal, off_diagonal, -slope[:, None]
        with_p, mixed, with_q = moments.blocks()
        slope = system.summed(gradients[0], -gradients[1]).transpose(0, 2, 1)
        return system.summed(with_p, with_q), -mixed, -slope.reshape(-1, 2)

    def changed(self, system: TileSystem, unknowns: FloatArray) -> FloatArray:
        """Return the coefficients (t, 2, b) with the unknowns (f k, r) of the free tiles added."""
        coefficients = self.reference.copy()
        tiles = system.tiles
        if self.jacobian is None:
            coefficients[tiles] += unknowns.reshape(len(tiles), -1, 2).transpose(0, 2, 1)
        else:
            coefficients[tiles] += np.einsum("tkcb,tk->tcb", self.jacobian[tiles], unknowns.reshape(len(tiles), -1))
        return coefficients

    def departure(self, system: TileSystem, unknowns: FloatArray) -> float:
        """Return the total cost of unknowns (f k, r), square pixels."""
        by_tile = unknowns.reshape(len(system.tiles), self.unknowns, -1)
        return float(np.einsum("tar,tab,tbr->", by_tile, self.cost[system.tiles], by_tile))


def coefficient_model(reference: FloatArray, cost: FloatArray) -> LinearModel:
    """Return the model whose unknowns are the coefficients themselves, held to a reference by a cost (t, b, b)."""
    linear_terms = np.eye(reference.shape[2])[:, 1:3]
    return LinearModel(reference, cost, None, linear_terms)


def similarity_model(motions: Motions) -> LinearModel:
    """Return the model of tiles that shift, turn and grow from where they are; turn and growth cost."""
    count = len(motions.positions)
    # a corner of the unit frame is at distance 1: half the square of what turn and growth move there, on average
    cost = np.tile(np.diag([0.0, 0.0, 1.0, 1.0]) / 3.0, (count, 1, 1))
    return LinearModel(motions.coefficients, cost, motions.jacobian(4), np.eye(4)[:, 2:])


@dataclass(frozen=True)
class LinearSolution:
    """Solved unknowns and what is known about the solve.

    Attributes
    ----------
    coefficients : (t, 2, b) float array
        Of all tiles.
    precision : float
        Length of the residual of the linear system over that of its right hand side.
    """

    coefficients: FloatArray
    precision: float


@dataclass(frozen=True)
class RegularizedSystem:
    """Normal equations that can be solved for many strengths of regularisation."""

    model: LinearModel
    system: TileSystem
    moments: PairMoments
    hold_mean: bool
    diagonal: FloatArray
    off_diagonal: FloatArray
    right: FloatArray

    def factorized(self, strength: float) -> tuple[BlockCholesky, Callable[[FloatArray], FloatArray]]:
        """Return the factor of the system at a strength, and what solves it under the constraints."""
        factor = self.system.factorized(self.matrix(strength))
        if not self.hold_mean:
            return factor, factor.solve
        return factor, self.system.constrained(factor, self.model.mean_free)

    def matrix(self, strength: float) -> sparse.bsr_matrix:
        """Return the matrix at a strength."""
        return self.system.matrix(self.diagonal + strength * self.model.cost[self.system.tiles], self.off_diagonal)


def regularized_system(
    model: LinearModel, moments: PairMoments, system: TileSystem, hold_mean: bool
) -> RegularizedSystem:
    """Return the normal equations of a model.

    Parameters
    ----------
    model : LinearModel
        The unknowns.
    moments : PairMoments
        Of the weighted matches.
    system : TileSystem
        Of the same pairs.
    hold_mean : bool
        Keep the mean shape of each loose component as in the reference. Without it weak regularisation lets all
        tiles shrink together, which makes every residual smaller.
    """
    diagonal, off_diagonal, right = model.equations(moments, system)
    if hold_mean:
        shifts = np.zeros(model.unknowns)
        shifts[: 1 if model.jacobian is None else 2] = SHIFT_DAMPING * float(np.median(diagonal[:, 0, 0]))
        diagonal = diagonal + np.diag(shifts)
    return RegularizedSystem(model, system, moments, hold_mean, diagonal, off_diagonal, right)


def solved(equations: RegularizedSystem, strength: float) -> LinearSolution:
    """Return the solution of a regularised system at a strength."""
    _, solve = equations.factorized(strength)
    unknowns = solve(equations.right)
    defect = equations.matrix(strength) @ unknowns - equations.right
    if equations.hold_mean:
        defect = equations.system.without_reactions(defect, equations.model.mean_free)
    length = float(np.linalg.norm(equations.right))
    precision = float(np.linalg.norm(defect)) / length if length else 0.0
    return LinearSolution(equations.model.changed(equations.system, unknowns), precision)


def fitted_linear(
    model: LinearModel,
    moments: PairMoments,
    system: TileSystem,
    strength: float,
    hold_mean: bool,
    reweighting: Reweighting | None,
    factors: FloatArray,
) -> tuple[LinearSolution, FloatArray]:
    """Return the solution of a linear model, and the weights (m,) of the pairs that gave it.

    Parameters
    ----------
    model, moments, system, hold_mean
        As ``regularized_system`` takes them.
    strength : float
        Weight of the cost of departures.
    reweighting : Reweighting or None
        How pairs are weighted by their residuals; None keeps the weights.
    factors : (m,) float array
        Weights of pairs to start from.
    """
    for _ in range(MOST_ROUNDS):
        solution = solved(regularized_system(model, moments.scaled(factors), system, hold_mean), strength)
        if reweighting is None:
            break
        new = reweighting.weights(pair_residuals(moments, solution.coefficients))
        done = settled(factors, new)
        factors = new
        if done:
            break
    return solution, factors
