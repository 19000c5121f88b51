"""Moments of tile pairs: all that a least squares solve needs to know of the matches.

The squared residual of a pair under any transform that is linear in a basis is a quadratic form of the
pair's moment matrix. Points are read once; weights, models and iterations afterwards touch one small
matrix per pair, so memory and time of a solve do not depend on the number of points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.matches import PairMatches

POINTS_PER_CHUNK = 200_000
"""Points whose basis values are held at once."""


@dataclass(frozen=True)
class TileFrames:
    """Coordinates in which a solve describes tiles: u = (point - centre) / scale.

    Centred unknowns of the order of a pixel keep the system well conditioned, and give one regularisation
    the same meaning for tiles of every size.

    Attributes
    ----------
    centres : (t, 2) float array
        Centre of each tile, x, y, in the pixels of the matches.
    scale : float
        Pixels per unit, the same for all tiles.
    """

    centres: FloatArray
    scale: float

    def normalized(self, points: FloatArray, tiles: IntArray) -> FloatArray:
        """Return points (n, 2) of the given tiles (n,) in frame coordinates."""
        return (points - self.centres[tiles]) / self.scale


def monomial_exponents(order: int) -> list[tuple[int, int]]:
    """Return the exponents of x and y of all terms up to ``order`` as Render orders them: 1, x, y, x^2, xy, y^2, ..."""
    return [(degree - j, j) for degree in range(order + 1) for j in range(degree + 1)]


def monomials(points: FloatArray, order: int) -> FloatArray:
    """Return the values (n, terms) of all monomials up to ``order`` at points (n, 2), in Render's order."""
    x_powers = [np.ones(len(points))]
    y_powers = [np.ones(len(points))]
    for _ in range(order):
        x_powers.append(x_powers[-1] * points[:, 0])
        y_powers.append(y_powers[-1] * points[:, 1])
    return np.stack([x_powers[i] * y_powers[j] for i, j in monomial_exponents(order)], axis=1)


@dataclass(frozen=True)
class PairMoments:
    """Weighted second moments of the basis values of matched points.

    Attributes
    ----------
    pairs : (m, 2) int array
        Tile indices p < q, every pair once.
    gram : (m, 2b - 1, 2b - 1) float array
        Sum over the points of w v v^T with v = (1, the other b - 1 basis values at p, those at q). The constant
        that both sides share is kept once: residuals then subtract positions before they square them.
    basis_size : int
        Number b of basis functions, the first of which is 1.
    counts : (m,) int array
        Number of points of each pair.
    """

    pairs: IntArray
    gram: FloatArray
    basis_size: int
    counts: IntArray

    @property
    def weights(self) -> FloatArray:
        """The sum (m,) of the weights of each pair's points."""
        return self.gram[:, 0, 0]

    @property
    def index_p(self) -> IntArray:
        """Where the basis values at p are in v."""
        return np.arange(self.basis_size)

    @property
    def index_q(self) -> IntArray:
        """Where the basis values at q are in v."""
        return np.concatenate([[0], np.arange(self.basis_size, 2 * self.basis_size - 1)])

    def blocks(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the moment blocks (m, b, b) of p with p, p with q and q with q."""
        p, q = self.index_p, self.index_q
        return self.gram[:, p[:, None], p], self.gram[:, p[:, None], q], self.gram[:, q[:, None], q]

    def residual_coefficients(self, coefficients: FloatArray) -> FloatArray:
        """Return what maps v to the residual p side minus q side: (m, 2, 2b - 1), from tile coefficients (t, 2, b)."""
        p, q = coefficients[self.pairs[:, 0]], coefficients[self.pairs[:, 1]]
        return np.concatenate([p[:, :, :1] - q[:, :, :1], p[:, :, 1:], -q[:, :, 1:]], axis=2)

    def gradients(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the moments (m, 2, b) of the residual with the basis at p and at q."""
        products = self.residual_coefficients(coefficients) @ self.gram
        return products[:, :, self.index_p], products[:, :, self.index_q]

    def squared_errors(self, coefficients: FloatArray) -> FloatArray:
        """Return the weighted sum (m,) of squared residuals of each pair, in square pixels."""
        residual = self.residual_coefficients(coefficients)
        return np.maximum(np.einsum("mca,mca->m", residual @ self.gram, residual), 0.0)

    def scaled(self, factors: FloatArray) -> PairMoments:
        """Return the moments with the weights of each pair multiplied by a factor (m,)."""
        return replace(self, gram=self.gram * factors[:, None, None])

    def subset(self, keep: BoolArray | IntArray) -> PairMoments:
        """Return the moments of some pairs, chosen by a mask or by indices."""
        return PairMoments(self.pairs[keep], self.gram[keep], self.basis_size, self.counts[keep])

    def reduced(self, projection: FloatArray) -> PairMoments:
        """Return the moments of another basis whose functions are rows of ``projection`` (c, b) times this one.

        Both bases begin with the constant 1: the first row of ``projection`` is 1, 0, 0, ...
        """
        new, old = projection.shape
        both = np.zeros((2 * new - 1, 2 * old - 1))
        both[:new, :old] = projection
        both[new:, 0] = projection[1:, 0]
        both[new:, old:] = projection[1:, 1:]
        return PairMoments(self.pairs, both @ self.gram @ both.T, new, self.counts)


def pair_moments(
    matches: PairMatches, frames: TileFrames, basis: Callable[[FloatArray], FloatArray], basis_size: int
) -> PairMoments:
    """Return the moments of all pairs in a basis of functions of frame coordinates.

    Parameters
    ----------
    matches : PairMatches
        Matched points, every pair of tiles once.
    frames : TileFrames
        Frame of each tile.
    basis : callable
        Takes (n, 2) frame coordinates to (n, basis_size) values; the first column is 1.
    basis_size : int
        Number of basis functions.

    Notes
    -----
    Needs 8 (2 b - 1)^2 bytes per pair (200 for an affine, b = 3) and a bounded amount besides.
    """
    size = 2 * basis_size - 1
    gram = np.zeros((len(matches.pairs), size, size))
    accumulate = _accumulation_kernel()
    start = 0
    while start < len(matches.pairs):
        stop = int(np.searchsorted(matches.offsets, matches.offsets[start] + POINTS_PER_CHUNK, side="right")) - 1
        stop = max(stop, start + 1)
        chunk = slice(int(matches.offsets[start]), int(matches.offsets[stop]))
        tiles = np.repeat(matches.pairs[start:stop], np.diff(matches.offsets[start : stop + 1]), axis=0)
        values_p = basis(frames.normalized(matches.points_p[chunk], tiles[:, 0]))
        values_q = basis(frames.normalized(matches.points_q[chunk], tiles[:, 1]))
        offsets = matches.offsets[start : stop + 1] - matches.offsets[start]
        accumulate(values_p, values_q, matches.weights[chunk], offsets, gram[start:stop])
        start = stop
    return PairMoments(matches.pairs, gram, basis_size, matches.counts)


@cache
def _accumulation_kernel() -> Callable[..., None]:
    """Return the compiled loop that adds w v v^T of each point to its pair; numba is imported here, once."""
    import numba

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def accumulate(
        values_p: FloatArray, values_q: FloatArray, weights: FloatArray, offsets: IntArray, gram: FloatArray
    ) -> None:
        basis_size = values_p.shape[1]
        size = 2 * basis_size - 1
        joint = np.empty(size)
        for pair in range(offsets.size - 1):
            target = gram[pair]
            for point in range(offsets[pair], offsets[pair + 1]):
                joint[:basis_size] = values_p[point]
                joint[basis_size:] = values_q[point, 1:]
                for a in range(size):
                    weighted = weights[point] * joint[a]
                    for b in range(a + 1):
                        target[a, b] += weighted * joint[b]
            for a in range(size):
                for b in range(a):
                    target[b, a] = target[a, b]

    return accumulate  # type: ignore[no-any-return]
