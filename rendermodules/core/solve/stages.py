"""The stages of a solve: turn, place, shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rendermodules.core.connectivity import (
    branch_pairs,
    component_labels,
    connected_sample,
    pair_counts,
    pairs_within,
    split_off,
)
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.bases import Basis, polynomial_basis
from rendermodules.core.solve.cycles import pair_motions
from rendermodules.core.solve.lens import monomial_expansion
from rendermodules.core.solve.linear import (
    LinearModel,
    RegularizedSystem,
    coefficient_model,
    fitted_linear,
    regularized_system,
    similarity_model,
)
from rendermodules.core.solve.moments import PairMoments, TileFrames, monomial_exponents
from rendermodules.core.solve.motions import Motions, fitted_motions
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.placement import aligned_to_prior
from rendermodules.core.solve.regularization import likeliest_strength
from rendermodules.core.solve.reweighting import LEAST_WEIGHT, Reweighting, pair_residuals
from rendermodules.core.solve.rotation import synchronized_turns
from rendermodules.core.solve.system import TileSystem

SAMPLE_TILES = 2000
"""Tiles that the strength of regularisation is learnt from: it is a property of tiles, not of their number."""

INDEPENDENT_POINTS = 20
"""Points of a pair that count when the strength is learnt. However many there are, those of a pair err together, and
taken for independent their common error would look like a deformation of the tiles."""

LARGE_TURN = 0.1
"""Radians between a pair and the tiles' turns above which these are not a good start."""

LARGE_TURN_SHARE = 0.02
"""Share of such pairs that makes it worth finding turns from the matches."""


PLACING_UNKNOWNS = {"translation": 2, "rigid": 3}
"""Unknowns of the models that only place tiles."""

MOST_JUDGEMENTS = 5
"""Times that pairs are judged by the fit to those kept."""


@dataclass(frozen=True)
class Problem:
    """Matches and tiles in the coordinates of a solve.

    Attributes
    ----------
    moments : PairMoments
        Of the pairs in the basis of the model.
    frames : TileFrames
        Of the tiles.
    prior : (t, 2, 3) float array
        Coefficients in frames.
    sizes : (t, 2) float array
        Pixels.
    fixed : (t,) bool array
        Tiles that stay.
    reweighting : Reweighting or None
        How pairs are weighted by their residuals.
    """

    moments: PairMoments
    frames: TileFrames
    prior: FloatArray
    sizes: FloatArray
    fixed: BoolArray
    reweighting: Reweighting | None

    @property
    def affine_moments(self) -> PairMoments:
        """The moments of 1, x and y alone."""
        if self.moments.basis_size == 3:
            return self.moments
        return self.moments.reduced(np.eye(3, self.moments.basis_size))

    def system(self) -> TileSystem:
        """Return the system of the pairs; tiles without pairs have no unknowns in it."""
        matched = pair_counts(len(self.prior), self.moments.pairs) > 0
        return TileSystem(self.moments.pairs, matched & ~self.fixed)

    def subset(self, keep: BoolArray) -> Problem:
        """Return the problem with the pairs that a mask keeps."""
        if keep.all():
            return self
        reweighting = None if self.reweighting is None else self.reweighting.subset(keep)
        return replace(self, moments=self.moments.subset(keep), reweighting=reweighting)


def prior_motions(prior: FloatArray) -> Motions:
    """Return the motions of tiles at their prior coefficients (t, 2, 3), without a lens."""
    return Motions(prior[:, :, 0].copy(), prior[:, :, 1:3].copy(), np.eye(2))


def turned(problem: Problem, motions: Motions, start: str) -> Motions:
    """Return the motions with turns that the matches tell, where those of the start are no good.

    Parameters
    ----------
    problem : Problem
        The matches.
    motions : Motions
        The start.
    start : str
        ``"prior"``, ``"pairs"`` or ``"auto"``; see ``SolveOptions``.
    """
    moments = problem.affine_moments
    if start == "prior" or not len(moments.pairs):
        return motions
    turn, _ = pair_motions(moments, motions.linear)
    if start == "auto" and np.mean(np.abs(np.angle(turn)) > LARGE_TURN) < LARGE_TURN_SHARE:
        return motions
    angles = synchronized_turns(len(motions.positions), moments.pairs, turn, moments.weights, problem.fixed)
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = np.stack([np.stack([cosine, -sine], axis=1), np.stack([sine, cosine], axis=1)], axis=1)
    moved = replace(motions, linear=turns @ motions.linear)
    # positions of a start that is turned wrongly are wrong too
    return fitted_motions(moments, moved, problem.system(), 2, problem.reweighting)[0]


def placed(problem: Problem, motions: Motions, unknowns: int) -> tuple[Motions, FloatArray]:
    """Return the translations or rigid motions that bring matches together, and the weights (m,) of the pairs.

    Loose components are moved as a whole to where they are nearest to the prior.
    """
    moved, factors = fitted_motions(problem.affine_moments, motions, problem.system(), unknowns, problem.reweighting)
    return to_prior(problem, moved, unknowns > 2), factors


def to_prior(problem: Problem, motions: Motions, may_turn: bool) -> Motions:
    """Return the motions with loose components moved as a whole to where they are nearest to the prior."""
    labels = component_labels(len(problem.prior), problem.moments.pairs)
    held = np.isin(labels, labels[problem.fixed])
    return prior_motions(at_prior(problem, motions.coefficients, labels, ~held, may_turn))


def at_prior(
    problem: Problem, coefficients: FloatArray, labels: IntArray, movable: BoolArray, may_turn: bool
) -> FloatArray:
    """Return coefficients (t, 2, b) with movable tiles (t,) moved, all of a label (t,) alike, to the prior."""
    return aligned_to_prior(coefficients, problem.prior, problem.sizes, problem.frames, labels, movable, may_turn)


@dataclass(frozen=True)
class Shaping:
    """Where a stage has left the tiles.

    Attributes
    ----------
    coefficients : (t, 2, b) float array
        In frames.
    factors : (m,) float array
        Weights of the pairs.
    strength : float or None
        Of the regularisation, if there was one.
    precision : float
        Of the linear solve.
    """

    coefficients: FloatArray
    factors: FloatArray
    strength: float | None = None
    precision: float = 0.0


def staged(problem: Problem, motions: Motions, basis: Basis, options: SolveOptions) -> tuple[Shaping, BoolArray]:
    """Return the transforms of all tiles of a problem, and which pairs (m,) gave them; the others are rejected.

    Parameters
    ----------
    problem : Problem
        Tiles and matches.
    motions : Motions
        Where to start.
    basis : Basis
        Of the moments of the problem.
    options : SolveOptions
        Model, start and regularisation.
    """
    if not problem.system().free.any():
        everywhere = np.zeros((len(problem.prior), 2, basis.size))
        everywhere[:, :, :3] = problem.prior
        count = len(problem.moments.pairs)
        return Shaping(everywhere, np.ones(count)), np.ones(count, dtype=bool)
    if options.model == "rotation":
        linear = turned(problem, motions, "pairs").linear
        count = len(problem.moments.pairs)
        return Shaping(replace(motions, linear=linear).coefficients, np.ones(count)), np.ones(count, dtype=bool)
    motions = turned(problem, motions, options.start)
    if options.model in PLACING_UNKNOWNS:
        unknowns = PLACING_UNKNOWNS[options.model]

        def place(part: Problem, start: FloatArray) -> Shaping:
            moved, weights = placed(part, prior_motions(start), unknowns)
            return Shaping(moved.coefficients, weights)

        return agreed(problem, place, motions.coefficients, unknowns > 2)
    model, factors = held_model(problem, motions, basis, options)
    strength = options.regularization
    if strength is None:
        strength = learnt_strength(problem, model, factors)

    def shape(part: Problem, start: FloatArray) -> Shaping:
        weights = np.ones(len(part.moments.pairs)) if part.reweighting is None else factors
        return shaped(part, model, strength, options, weights)

    return agreed(problem, shape, model.reference)


def held_model(
    problem: Problem, motions: Motions, basis: Basis, options: SolveOptions
) -> tuple[LinearModel, FloatArray]:
    """Return the linear model of the options, held to what they say, and the weights (m,) of pairs to start with.

    Parameters
    ----------
    problem : Problem
        Tiles and matches.
    motions : Motions
        Where tiles are when they are turned rightly.
    basis : Basis
        Of the moments of the problem.
    options : SolveOptions
        With a model that has a regularisation.
    """
    if options.reference == "prior" or options.degree_factors is not None:
        model = linear_model(problem, problem.prior, basis, options)
        return model, starting_factors(problem, model)
    motions, factors = placed(problem, motions, 3)
    reference = motions.coefficients
    if basis.size > 3:
        affine = replace(problem, moments=problem.affine_moments)
        model = linear_model(affine, reference, polynomial_basis(1), replace(options, model="affine"))
        first = shaped(affine, model, learnt_strength(affine, model, factors), options, factors)
        reference, factors = first.coefficients, first.factors
    return linear_model(problem, reference, basis, options), factors


def agreed(
    problem: Problem, fit: Callable[[Problem, FloatArray], Shaping], start: FloatArray, may_turn: bool = True
) -> tuple[Shaping, BoolArray]:
    """Return a fit to the pairs that agree with it, all of which count alike, and which pairs (m,) they are.

    Parameters
    ----------
    problem : Problem
        With the reweighting that finds pairs to reject; without it all pairs are taken to agree.
    fit : callable
        From a problem and coefficients to start from to the result.
    start : (t, 2, b) float array
        Coefficients to start from.
    may_turn : bool
        Tiles that lose their component with the pairs that are rejected may turn to where their prior puts them.

    Notes
    -----
    Reweighting judges by a median that its own weights make small. So pairs are judged again by the fit to those
    kept, until nothing changes.
    """
    shaping = fit(problem, start)
    reweighting = problem.reweighting
    kept = np.ones(len(problem.moments.pairs), dtype=bool)
    if reweighting is None:
        return shaping, kept
    again = believed(problem, reweighting.kept(shaping.factors))
    for _ in range(MOST_JUDGEMENTS):
        kept = again
        shaping = fit(replace(problem.subset(kept), reweighting=None), shaping.coefficients)
        agreeing = reweighting.agreeing(pair_residuals(problem.moments, shaping.coefficients), kept)
        again = believed(problem, agreeing)
        if np.array_equal(again, kept):
            break
    lost = split_off(len(problem.prior), problem.moments.pairs, kept) & ~problem.fixed
    if not lost.any():
        return shaping, kept
    labels = component_labels(len(problem.prior), problem.moments.pairs[kept])
    movable = lost & ~np.isin(labels, labels[problem.fixed])
    return replace(shaping, coefficients=at_prior(problem, shaping.coefficients, labels, movable, may_turn)), kept


def believed(problem: Problem, agreeing: BoolArray) -> BoolArray:
    """Return which of the pairs that agree with a fit (m,) can be believed.

    A tile that hangs on one pair agrees with whatever this says. The pair is not believed when others of its tiles
    contradict it and the prior does as well.
    """
    if problem.reweighting is None or agreeing.all():
        return agreeing
    pairs, count = problem.moments.pairs, len(problem.prior)
    unconfirmed = np.zeros(len(pairs), dtype=bool)
    unconfirmed[agreeing] = branch_pairs(count, pairs[agreeing])
    contradicted = (pair_counts(count, pairs[~agreeing]) > 0)[pairs].any(axis=1)
    likely = problem.reweighting.likely(pair_residuals(problem.affine_moments, problem.prior), agreeing)
    return agreeing & ~(unconfirmed & contradicted & ~likely)


def linear_model(problem: Problem, reference: FloatArray, basis: Basis, options: SolveOptions) -> LinearModel:
    """Return the linear model of the options, held to reference coefficients (t, 2, 3)."""
    if options.model == "similarity":
        return similarity_model(prior_motions(reference))
    extended = np.zeros((len(reference), 2, basis.size))
    extended[:, :, :3] = reference
    if options.degree_factors is not None:
        order = options.polynomial_order if options.model == "polynomial" else 1
        return coefficient_model(extended, pixel_cost(problem.frames, order, options.degree_factors))
    shapes, of_tile = np.unique(problem.sizes / problem.frames.scale, axis=0, return_inverse=True)
    costs = np.stack([basis.cost(width, height) for width, height in shapes])
    return coefficient_model(extended, costs[of_tile.ravel()])


def pixel_cost(frames: TileFrames, order: int, degree_factors: tuple[float, ...]) -> FloatArray:
    """Return the cost (t, b, b) of changes of coefficients of monomials of pixels, by their degree."""
    if len(degree_factors) != order + 1:
        raise ValueError(f"{len(degree_factors)} degree factors for a model of order {order}; it needs {order + 1}")
    by_term = np.diag([degree_factors[i + j] for i, j in monomial_exponents(order)])
    centres, of_tile = np.unique(frames.centres, axis=0, return_inverse=True)
    expansions = [monomial_expansion(centre, frames.scale, order) for centre in centres]
    return np.stack([expansion @ by_term @ expansion.T for expansion in expansions])[of_tile.ravel()]


def starting_factors(problem: Problem, model: LinearModel) -> FloatArray:
    """Return the weights (m,) of pairs before anything is fitted."""
    if problem.reweighting is None:
        return np.ones(len(problem.moments.pairs))
    residuals = pair_residuals(problem.moments, model.reference)
    return problem.reweighting.first_weights(problem.moments, model.reference[:, :, 1:3], residuals)


def shaped(
    problem: Problem, model: LinearModel, strength: float, options: SolveOptions, factors: FloatArray
) -> Shaping:
    """Return the transforms of a linear model at a strength of regularisation, from weights (m,) to start with."""
    hold_mean = options.degree_factors is None
    solution, factors = fitted_linear(
        model, problem.moments, problem.system(), strength, hold_mean, problem.reweighting, factors
    )
    return Shaping(solution.coefficients, factors, strength, solution.precision)


@dataclass(frozen=True)
class Lesson:
    """What the strength of regularisation is learnt from.

    Attributes
    ----------
    equations : RegularizedSystem
        Of a connected sample of the tiles, each pair with the weight of independent points.
    point_count : int
        Number of independent points.
    share : float
        Weight of the points of a usual pair here, as part of their weight in a solve: strengths are so much smaller.
    """

    equations: RegularizedSystem
    point_count: int
    share: float


def lesson(problem: Problem, model: LinearModel, factors: FloatArray, hold_mean: bool = True) -> Lesson:
    """Return what the strength is learnt from, with pairs weighted by factors (m,)."""
    moments = problem.moments
    # pairs of two tiles that stay say nothing of how others deform
    loose = ~pairs_within(problem.fixed, moments.pairs)
    sample = connected_sample(len(problem.prior), moments.pairs[loose], SAMPLE_TILES)
    keep = loose & pairs_within(sample, moments.pairs)
    part = problem.subset(keep)
    counts = part.moments.counts
    share = np.minimum(1.0, INDEPENDENT_POINTS / counts)
    equations = regularized_system(model, part.moments.scaled(factors[keep] * share), part.system(), hold_mean)
    independent = int((counts * share)[factors[keep] >= LEAST_WEIGHT].sum())
    return Lesson(equations, independent, float(np.median(share)))


def learnt_strength(problem: Problem, model: LinearModel, factors: FloatArray) -> float:
    """Return the likeliest strength of regularisation, from a connected sample of the tiles."""
    learnt = lesson(problem, model, factors)
    return likeliest_strength(learnt.equations, learnt.point_count) / learnt.share
