"""Weights of pairs that keep wrong matches from pulling tiles away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve_moments import FloatArray, IntArray, PairMoments

SCALE_OF_MEDIAN = 1.5
"""Residual at which a pair counts half, in medians of all pairs."""

LEAST_WEIGHT = 0.1
"""A pair that counts less is rejected: its residual is more than 4.5 medians."""

SMALLEST_SCALE = 1e-3
"""Pixels. Matches without noise have a median of nothing, and rounding is no reason to reject."""


def pair_residuals(moments: PairMoments, coefficients: FloatArray) -> FloatArray:
    """Return the root mean square residual (m,) of each pair in pixels."""
    return np.sqrt(moments.squared_errors(coefficients) / moments.weights)


@dataclass(frozen=True)
class Reweighting:
    """Iteratively reweighted least squares with Cauchy weights on the residuals of pairs.

    Attributes
    ----------
    classes : (m,) int array
        Kind of each pair: residuals are judged against the median of their kind, since matches across sections
        are looser than those within.

    References
    ----------
    .. [1] P. W. Holland, R. E. Welsch, "Robust regression using iteratively reweighted least-squares" (1977).
    """

    classes: IntArray

    def weights(self, residuals: FloatArray) -> FloatArray:
        """Return the weight (m,), 0 to 1, of pairs with the given root mean square residuals."""
        scale = np.empty(len(residuals))
        for kind in np.unique(self.classes):
            members = self.classes == kind
            scale[members] = max(SCALE_OF_MEDIAN * np.median(residuals[members]), SMALLEST_SCALE)
        weights: FloatArray = 1.0 / (1.0 + (residuals / scale) ** 2)
        return weights
