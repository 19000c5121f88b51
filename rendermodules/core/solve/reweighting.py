"""Weights of pairs that keep wrong matches from pulling tiles away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.cycles import closure_errors, pair_motions
from rendermodules.core.solve.moments import PairMoments

SCALE_OF_MEDIAN = 1.5
"""Residual at which a pair counts a quarter, in medians of all pairs of its kind."""

LEAST_WEIGHT = 0.01
"""A pair that counts less is rejected: its residual is more than 4.5 medians."""

UNVERIFIED_WEIGHT = 0.01
"""Largest weight at the start of a pair that closes none of its cycles."""

STEADY_WEIGHT, STEADY_SHARE = 0.05, 1e-3
"""Weights are settled when at most this share of them changes by more than this."""

LIKELY_OFF = 3.0
"""Medians of how far pairs are off at the prior beyond which it speaks against a pair: 3.5 deviations of a stage."""

SMALLEST_SCALE = 0.25
"""Pixels. However small the median, a pair within three times this is not wrong."""

ALWAYS_KEPT = -1
"""Kind of pairs that are not judged, such as anchors, which are no matches but wishes: their weight never changes."""


def pair_residuals(moments: PairMoments, coefficients: FloatArray) -> FloatArray:
    """Return the root mean square residual (m,) of each pair in pixels."""
    return np.sqrt(moments.squared_errors(coefficients) / moments.weights)


def settled(before: FloatArray, after: FloatArray) -> bool:
    """Return whether weights of pairs (m,) have settled; what the last few do decides nothing."""
    return int(np.count_nonzero(np.abs(after - before) > STEADY_WEIGHT)) <= STEADY_SHARE * len(after)


@dataclass(frozen=True)
class Reweighting:
    """Iteratively reweighted least squares with weights of Geman and McClure on the residuals of pairs.

    Attributes
    ----------
    kinds : (m,) int array
        Kind of each pair: residuals are judged against the median of their kind, since matches across sections
        are looser than those within. ``ALWAYS_KEPT`` is the kind of pairs that are not judged.

    Notes
    -----
    The weights forget a pair that is far off altogether, so they depend on a good start: see ``first_weights``.

    References
    ----------
    .. [1] S. Geman, D. E. McClure, "Statistical methods for tomographic image reconstruction" (1987).
    """

    kinds: IntArray

    def weights(self, residuals: FloatArray) -> FloatArray:
        """Return the weight (m,), 0 to 1, of pairs with the given root mean square residuals."""
        weights = np.ones(len(residuals))
        for kind in np.unique(self.kinds[self.kinds != ALWAYS_KEPT]):
            members = self.kinds == kind
            scale = max(SCALE_OF_MEDIAN * float(np.median(residuals[members])), SMALLEST_SCALE)
            weights[members] = _weight(residuals[members], scale)
        return weights

    def first_weights(self, moments: PairMoments, linear: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the weights (m,) to start from, before any tile has moved.

        A pair that closes a short cycle is trusted. One that closes none is held against the residuals where the
        tiles are now, and counts little until others have decided.

        Parameters
        ----------
        moments : PairMoments
            Of the pairs, in a basis that begins with 1, x, y.
        linear : (t, 2, 2) float array
            Shape of each tile, pixels per frame unit.
        residuals : (m,) float array
            Of the pairs where the tiles are now.
        """
        size = float(np.sqrt(np.mean(linear**2) * 2))
        errors = closure_errors(len(linear), moments.pairs, *pair_motions(moments, linear), size / 2)
        weights = self.weights(residuals)
        on_cycle = np.isfinite(errors) & (self.kinds != ALWAYS_KEPT)
        if on_cycle.any():
            scale = max(2 * SCALE_OF_MEDIAN * float(np.median(errors[on_cycle])), SMALLEST_SCALE)
            closing = _weight(errors[on_cycle], scale)
            weights[on_cycle] = np.maximum(closing, UNVERIFIED_WEIGHT * weights[on_cycle])
        return np.maximum(weights, UNVERIFIED_WEIGHT**3)

    def kept(self, weights: FloatArray) -> BoolArray:
        """Return which pairs (m,) are not rejected at their last weights."""
        return (weights >= LEAST_WEIGHT) | (self.kinds == ALWAYS_KEPT)

    def agreeing(self, residuals: FloatArray, kept: BoolArray) -> BoolArray:
        """Return which pairs (m,) have residuals (m,) that agree with the median of those kept (m,) of their kind."""
        agree = self.kinds == ALWAYS_KEPT
        for kind in np.unique(self.kinds[~agree]):
            members = self.kinds == kind
            judges = members & kept if np.any(members & kept) else members
            scale = max(SCALE_OF_MEDIAN * float(np.median(residuals[judges])), SMALLEST_SCALE)
            agree |= members & (_weight(residuals, scale) >= LEAST_WEIGHT)
        return agree

    def likely(self, residuals: FloatArray, kept: BoolArray) -> BoolArray:
        """Return which pairs (m,) are no farther off than is likely, by their residuals (m,) where the prior has tiles.

        Those kept (m,) tell how far off pairs of their kind are there.
        """
        likely = self.kinds == ALWAYS_KEPT
        for kind in np.unique(self.kinds[~likely]):
            members = self.kinds == kind
            judges = members & kept if np.any(members & kept) else members
            likely |= members & (residuals <= LIKELY_OFF * np.median(residuals[judges]))
        return likely

    def subset(self, keep: BoolArray) -> Reweighting:
        """Return the reweighting of the pairs that a mask keeps."""
        return Reweighting(self.kinds[keep])


def _weight(residuals: FloatArray, scale: float) -> FloatArray:
    weights: FloatArray = 1.0 / (1.0 + (residuals / scale) ** 2) ** 2
    return weights
