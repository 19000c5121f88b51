"""Matches of tile pairs as arrays, checked and put in order for a solve."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class PairMatches:
    """Matched points of tile pairs, concatenated.

    Attributes
    ----------
    pairs : (m, 2) int array
        Indices of the tiles p and q of each pair; -1 for a tile that is not known.
    offsets : (m + 1,) int array
        Points of pair k are those from ``offsets[k]`` to before ``offsets[k + 1]``.
    points_p, points_q : (n, 2) float arrays
        x, y in the pixels of tile p and of tile q, after the transforms that the matches already contain.
    weights : (n,) float array
        Weight of each point; 0 takes no part.
    """

    pairs: IntArray
    offsets: IntArray
    points_p: FloatArray
    points_q: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        points = len(self.points_p)
        if self.pairs.ndim != 2 or self.pairs.shape[1] != 2:
            raise ValueError(f"pairs have shape {self.pairs.shape}, not (m, 2)")
        if self.points_p.shape != (points, 2) or self.points_q.shape != (points, 2) or self.weights.shape != (points,):
            shapes = (self.points_p.shape, self.points_q.shape, self.weights.shape)
            raise ValueError(f"points p, q and weights have shapes {shapes}, not (n, 2), (n, 2) and (n,)")
        if len(self.offsets) != len(self.pairs) + 1 or self.offsets[0] != 0 or self.offsets[-1] != points:
            raise ValueError(f"offsets do not divide {points} points among {len(self.pairs)} pairs")
        if np.any(np.diff(self.offsets) < 0):
            raise ValueError("offsets decrease")

    @property
    def counts(self) -> IntArray:
        """The number of points (m,) of each pair."""
        return np.diff(self.offsets)

    @property
    def pair_of_point(self) -> IntArray:
        """The pair index (n,) of each point."""
        return np.repeat(np.arange(len(self.pairs)), self.counts)
