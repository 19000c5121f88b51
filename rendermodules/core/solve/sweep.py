"""What becomes of tiles at other strengths of regularisation, and which the matches find likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError

from rendermodules.core.residual_statistics import robust_scale
from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.options import SolveError, SolveOptions, TileSet
from rendermodules.core.solve.quality import shears
from rendermodules.core.solve.regularization import evidence, likeliest_strength
from rendermodules.core.solve.stages import PLACING_UNKNOWNS, held_model, lesson, prior_motions, turned
from rendermodules.core.solve.tiles import balanced_stages, preparation

_OUTLYING = 3.0


@dataclass(frozen=True)
class SweptStrength:
    """Tiles at one strength of regularisation.

    Attributes
    ----------
    strength : float
        Weight of the mean square departure of a tile, in matched points.
    score : float
        Minus twice the logarithm of the restricted likelihood, but for a constant: smaller is more likely.
    residual : float
        Root mean square residual of the matches, world pixels.
    departure : float
        Root mean square departure of the tiles from what they are held to, world pixels; with degree factors in
        units of these.
    scale_mean, scale_least, scale_greatest : float
        Of the tiles' scales against their prior.
    scale_x_spread, scale_y_spread : float
        Standard deviation of the scales along x and along y against the prior's, as the median absolute deviation
        tells it when outliers of more than three deviations are left out.
    shear_greatest : float
        Greatest change of the angle between the axes of a tile, radians.
    """

    strength: float
    score: float
    residual: float
    departure: float
    scale_mean: float
    scale_least: float
    scale_greatest: float
    scale_x_spread: float
    scale_y_spread: float
    shear_greatest: float


@dataclass(frozen=True)
class Sweep:
    """What came of all strengths.

    Attributes
    ----------
    rows : list of SweptStrength
        In the order of the strengths that were asked for, without those that hold nothing.
    singular : list of float
        Strengths that are too weak to hold the tiles.
    learnt : float
        The strength that a solve chooses by itself.
    balance : dict of float to float
        By distance in z: the factor that the weights of its matches got, as in a solve.
    """

    rows: list[SweptStrength]
    singular: list[float]
    learnt: float
    balance: dict[float, float]


def swept_strengths(tiles: TileSet, matches: PairMatches, options: SolveOptions, strengths: Sequence[float]) -> Sweep:
    """Return what becomes of tiles at some strengths of regularisation; one assembly serves all.

    Parameters
    ----------
    tiles, matches, options
        As `solved_tiles` takes them; the regularisation of the options is not used.
    strengths : sequence of float
        Positive.

    Notes
    -----
    Of more than 2,000 tiles a connected sample is solved at each strength. Pairs that contradict the others have the
    small weights that placing gave them. Where matches of several distances in z are weighted by how exact they are,
    all tiles are solved once to find these weights.

    Raises
    ------
    SolveError
        As of `solved_tiles`, or the model has no regularisation.
    """
    if options.model in PLACING_UNKNOWNS or options.model == "rotation":
        raise SolveError(f"the model {options.model} has no regularization")
    made = preparation(tiles, matches, options)
    if not made.problem.system().free.any():
        raise SolveError("no tile is free to move")
    problem, motions, balance = made.problem, made.motions, {}
    if options.balances and len(made.distances) > 1:
        result = balanced_stages(made, replace(options, regularization=None))
        problem, motions, balance = result.problem, prior_motions(result.start), made.by_distance(result.factors)
    model, factors = held_model(problem, turned(problem, motions, options.start), made.basis, options)
    learnt = lesson(problem, model, factors, hold_mean=options.degree_factors is None)
    members = learnt.equations.system.tiles
    rows, singular = [], []
    for strength in strengths:
        try:
            found = evidence(learnt.equations, strength * learnt.share, learnt.point_count)
        except LinAlgError:
            singular.append(strength)
            continue
        residual = float(np.sqrt(found.squared_error / learnt.equations.moments.weights.sum()))
        departure = float(np.sqrt(max(found.departure, 0.0) / len(members)))
        shapes = _shapes(found.coefficients[members][:, :, 1:3], problem.prior[members][:, :, 1:3])
        rows.append(SweptStrength(strength, found.score, residual, departure, *shapes))
    strength = likeliest_strength(learnt.equations, learnt.point_count) / learnt.share
    return Sweep(rows, singular, strength, balance)


def _shapes(linear: FloatArray, prior: FloatArray) -> tuple[float, ...]:
    along = np.linalg.norm(linear, axis=1) / np.linalg.norm(prior, axis=1)
    scales = np.sqrt(np.abs(np.linalg.det(linear) / np.linalg.det(prior)))
    return (
        float(scales.mean()),
        float(scales.min()),
        float(scales.max()),
        _spread(along[:, 0]),
        _spread(along[:, 1]),
        float(np.abs(shears(linear) - shears(prior)).max()),
    )


def _spread(values: FloatArray) -> float:
    near = np.abs(values - values.mean()) <= _OUTLYING * values.std()
    return robust_scale(values[near])
