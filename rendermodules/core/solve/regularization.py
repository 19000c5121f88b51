"""How strongly tiles are held to their reference, told by the matches themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError
from scipy.optimize import minimize_scalar

from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.linear import RegularizedSystem

WEAKEST, STRONGEST = 1e-7, 1e5
"""Range of the choice, in units of the weight of the matches of a tile."""

TOLERANCE = 0.05
"""Of the natural logarithm of the strength."""


@dataclass(frozen=True)
class Evidence:
    """What the matches say about one strength of regularisation.

    Attributes
    ----------
    strength : float
        Weight of the mean square departure from the reference, in weights of matched points.
    score : float
        Minus twice the logarithm of the restricted likelihood, but for a constant: smaller is more likely.
    squared_error : float
        Weighted sum of squared residuals of the matches, square pixels.
    departure : float
        Sum over the tiles of the cost of their departure, square pixels.
    coefficients : (t, 2, b) float array
        Of the tiles, solved at this strength.
    """

    strength: float
    score: float
    squared_error: float
    departure: float
    coefficients: FloatArray


def evidence(equations: RegularizedSystem, strength: float, point_count: int) -> Evidence:
    """Return what the matches say about a strength.

    Parameters
    ----------
    equations : RegularizedSystem
        The model and the matches.
    strength : float
        Positive.
    point_count : int
        Number of matched points.

    Notes
    -----
    Matches are taken to scatter about the transforms, and the departures of tiles from their reference about zero,
    both normally. The strength is the ratio of the two variances; it is most likely where the restricted
    likelihood (REML), in which shifts are integrated out, is greatest.

    References
    ----------
    .. [1] H. D. Patterson, R. Thompson, "Recovery of inter-block information when block sizes are unequal",
       Biometrika 58 (1971).
    .. [2] G. Wahba, "A comparison of GCV and GML for choosing the smoothing parameter", Ann. Stat. 13 (1985).
    """
    model, system = equations.model, equations.system
    factor, solve = equations.factorized(strength)
    unknowns = solve(equations.right)
    coefficients = model.changed(system, unknowns)
    squared_error = float(equations.moments.squared_errors(coefficients).sum())
    departure = model.departure(system, unknowns)
    tiles = len(system.tiles)
    costly = int(np.linalg.matrix_rank(model.cost[system.tiles[0]])) * tiles * model.sides
    free = tiles * model.unknowns * model.sides - costly
    degrees = max(2 * point_count - free, 1)
    total = max(squared_error + strength * departure, 1e-300)
    score = degrees * np.log(total / degrees) + model.sides * factor.log_determinant() - costly * np.log(strength)
    return Evidence(strength, float(score), squared_error, departure, coefficients)


def likeliest_strength(equations: RegularizedSystem, point_count: int) -> float:
    """Return the strength of regularisation that is likeliest; see ``evidence``.

    Where tiles do not depart from their reference by more than the scatter of the matches explains, the strongest
    of the range is returned, which leaves them at the reference.
    """
    unit = float(np.median(equations.diagonal[:, 0, 0]))

    def score(logarithm: float) -> float:
        try:
            return evidence(equations, unit * float(np.exp(logarithm)), point_count).score
        except LinAlgError:
            # too weak to be told from nothing in this precision
            return np.inf

    bounds = (np.log(WEAKEST), np.log(STRONGEST))
    found = minimize_scalar(score, bounds=bounds, method="bounded", options={"xatol": TOLERANCE})
    candidates = [(float(found.fun), float(found.x)), (score(bounds[1]), bounds[1])]
    return unit * float(np.exp(min(candidates)[1]))


def strength_sweep(equations: RegularizedSystem, strengths: Sequence[float], point_count: int) -> list[Evidence]:
    """Return the evidence for each of some strengths; one assembly serves all."""
    return [evidence(equations, strength, point_count) for strength in strengths]
