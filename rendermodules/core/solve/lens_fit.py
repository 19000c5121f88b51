"""Estimation of lenses from the matches of the tiles that share them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rendermodules.core.connectivity import connected_sample, pair_counts, pairs_within
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.bases import polynomial_basis
from rendermodules.core.solve.lens import LENS_ORDERS, Lens, LensKind, lens_model
from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.moments import TileFrames, pair_moments
from rendermodules.core.solve.motions import Motions, fitted_motions
from rendermodules.core.solve.reweighting import SMALLEST_SCALE, Reweighting, pair_residuals
from rendermodules.core.solve.system import TileSystem

SAMPLE_TILES = 400
"""Tiles that a lens is learnt from: more of them say no more of it."""

OBSERVATIONS_OF_A_PAIR = 4
"""What a pair tells of a lens: x and y at both ends of a seam. A lens of more unknowns than all pairs tell would fit
whatever rigid motions do not, and bend tiles that are only deformed."""

JUDGED_SHARE = 0.8
"""Share of pairs, those that fit best, by which kinds of lenses are compared."""


def fitted_lens(
    matches: PairMatches, kinds: IntArray, frames: TileFrames, start: Motions, fixed: BoolArray, choice: str
) -> Lens | None:
    """Return the lens that tiles share, or None if the matches show none.

    Parameters
    ----------
    matches : PairMatches
        Of tiles of one lens, every pair once.
    kinds : (m,) int array
        Kind of each pair for reweighting.
    frames : TileFrames
        Of the tiles.
    start : Motions
        Where the tiles are, without a lens.
    fixed : (t,) bool array
        Tiles that stay; pairs of two of them are not used.
    choice : str
        A kind of lens, or ``"auto"``: the one, or none, with the least Bayesian information criterion, of those that
        the pairs can tell. Pairs are the observations there, since the points of a pair err together.
    """
    loose = ~pairs_within(fixed, matches.pairs)
    sample = connected_sample(len(fixed), matches.pairs[loose], SAMPLE_TILES)
    keep = loose & pairs_within(sample, matches.pairs)
    matches, kinds = matches.subset(keep), kinds[keep]
    if not len(matches.pairs):
        return None
    candidates: Sequence[LensKind] = list(LENS_ORDERS) if choice == "auto" else [choice]  # type: ignore[list-item]
    free = (pair_counts(len(fixed), matches.pairs) > 0) & ~fixed
    system = TileSystem(matches.pairs, free)
    best, best_score = None, np.inf
    if choice == "auto":
        moments = pair_moments(matches, frames, polynomial_basis(1).values, 3)
        motions, _ = fitted_motions(moments, start, system, 3, Reweighting(kinds))
        best_score = _information(pair_residuals(moments, motions.coefficients), 0)
    told = OBSERVATIONS_OF_A_PAIR * len(matches.pairs) - 3 * (int(free.sum()) - 1)
    for kind in candidates:
        model = lens_model(kind)
        if choice == "auto" and model.modes.shape[1] > told:
            continue
        basis = polynomial_basis(model.order)
        moments = pair_moments(matches, frames, basis.values, basis.size)
        undistorted = Motions(start.positions, start.linear, np.eye(2, basis.size - 1))
        motions, _ = fitted_motions(moments, undistorted, system, 3, Reweighting(kinds), model)
        score = _information(pair_residuals(moments, motions.coefficients), model.modes.shape[1])
        if choice != "auto" or score < best_score:
            best = Lens(frames.centres[np.flatnonzero(free)[0]], frames.scale, motions.lens)
            best_score = score
    return best


def _information(residuals: FloatArray, unknowns: int) -> float:
    """Return the Bayesian information criterion of residuals (m,) of pairs, the worst of them left out as wrong."""
    count = 2 * len(residuals)
    judged = np.sort(residuals)[: max(int(JUDGED_SHARE * len(residuals)), 1)]
    variance = max(float(np.mean(judged**2)), SMALLEST_SCALE**2)
    return count * float(np.log(variance)) + unknowns * float(np.log(count))
