"""The sparse system of a solve: one block of unknowns per free tile, one block per matched pair of free tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from rendermodules.core.connectivity import component_labels, pairs_within
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.cholesky import BlockCholesky, Elimination, elimination


@dataclass(frozen=True)
class TileSystem:
    """Where the unknowns of tiles lie and which of them share matches; the numbers come later.

    Attributes
    ----------
    pairs : (m, 2) int array
        Tile indices p < q, every pair once.
    free : (t,) bool array
        Tiles that have unknowns; the others stay as they are.
    """

    pairs: IntArray
    free: BoolArray

    @cached_property
    def tiles(self) -> IntArray:
        """Indices of the free tiles, in the order of their unknowns."""
        return np.flatnonzero(self.free)

    @cached_property
    def _incidence(self) -> sparse.csr_matrix:
        count = len(self.pairs)
        entries = (np.ones(2 * count), (self.pairs.T.ravel(), np.arange(2 * count)))
        return sparse.csr_matrix(entries, shape=(len(self.free), 2 * count))[self.tiles]

    @cached_property
    def _both_free(self) -> BoolArray:
        return pairs_within(self.free, self.pairs)

    @cached_property
    def _layout(self) -> tuple[IntArray, IntArray, IntArray]:
        """Sorting order of the blocks (diagonal, pq, qp), and the compressed rows that they fill."""
        number = np.cumsum(self.free) - 1
        p, q = number[self.pairs[self._both_free]].T
        own = np.arange(len(self.tiles))
        rows, columns = np.concatenate([own, p, q]), np.concatenate([own, q, p])
        order = np.lexsort((columns, rows))
        return order, np.searchsorted(rows[order], np.arange(len(own) + 1)), columns[order]

    @cached_property
    def _elimination(self) -> Elimination:
        _, indptr, indices = self._layout
        return elimination(indptr, indices)

    def summed(self, at_p: FloatArray, at_q: FloatArray) -> FloatArray:
        """Return the sum per free tile of values that pairs (m, ...) give to their tile p and to their tile q."""
        count = len(self.pairs)
        flat = np.concatenate([at_p.reshape(count, -1), at_q.reshape(count, -1)])
        return np.asarray(self._incidence @ flat).reshape(len(self.tiles), *at_p.shape[1:])

    def matrix(self, diagonal: FloatArray, off_diagonal: FloatArray) -> sparse.bsr_matrix:
        """Return the symmetric matrix with blocks (f, k, k) of free tiles and blocks (m, k, k) at rows p, columns q."""
        order, indptr, indices = self._layout
        between = off_diagonal[self._both_free]
        blocks = np.concatenate([diagonal, between, between.transpose(0, 2, 1)])[order]
        size = len(self.tiles) * diagonal.shape[1]
        return sparse.bsr_matrix((blocks, indices, indptr), shape=(size, size))

    @cached_property
    def component(self) -> IntArray:
        """Label (f,) of the connected component of each free tile; tiles joined by a fixed one are connected."""
        return component_labels(len(self.free), self.pairs)[self.tiles]

    @cached_property
    def _loose(self) -> BoolArray:
        """Which components hang on no fixed tile."""
        labels = component_labels(len(self.free), self.pairs)
        loose = np.ones(labels.max(initial=-1) + 1, dtype=bool)
        loose[labels[~self.free]] = False
        return loose

    @cached_property
    def _of_component(self) -> sparse.csr_matrix:
        tiles = len(self.tiles)
        entries = (np.ones(tiles), (self.component, np.arange(tiles)))
        return sparse.csr_matrix(entries, shape=(len(self._loose), tiles))

    def without_reactions(self, values: FloatArray, columns: FloatArray) -> FloatArray:
        """Return values (f k, r) without what forces of constraints (k, c) add to all tiles of a loose component."""
        tiles = len(self.tiles)
        by_tile = values.reshape(tiles, columns.shape[0], -1)
        sums = self._of_component @ np.einsum("kc,tkr->tcr", columns, by_tile).reshape(tiles, -1)
        mean = sums / np.maximum(np.bincount(self.component, minlength=len(self._loose)), 1)[:, None]
        mean[~self._loose] = 0
        forces = np.einsum("kc,tcr->tkr", columns, mean[self.component].reshape(tiles, columns.shape[1], -1))
        return values - forces.reshape(values.shape)

    def constrained(self, factor: BlockCholesky, columns: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return what solves the system such that sums over each loose component vanish.

        Parameters
        ----------
        factor : BlockCholesky
            Of the system without constraints.
        columns : (k, c) float array
            The constraints on the k unknowns of a tile: the sum over the tiles of a component of
            ``columns.T @ unknowns`` is zero. Components with a fixed tile have no constraints.

        Returns
        -------
        callable
            From right hand sides (f k, r) to solutions.
        """
        if columns.shape[1] == 0:
            return factor.solve
        count, unknowns = len(self._loose), columns.shape[0]
        tiles = len(self.tiles)

        def sums(values: FloatArray) -> FloatArray:
            """Return per component what the constraints say is zero: (components, c, r)."""
            summed = self._of_component @ values.reshape(tiles, -1)
            return columns.T @ summed.reshape(count, unknowns, -1)

        reactions = factor.solve(np.tile(columns, (tiles, 1)))
        stiffness = sums(reactions)
        stiffness[~self._loose] = np.eye(columns.shape[1])

        def solve(right: FloatArray) -> FloatArray:
            solution = factor.solve(right)
            forces = np.linalg.solve(stiffness, sums(solution))
            forces[~self._loose] = 0
            response = reactions.reshape(tiles, unknowns, -1) @ forces[self.component]
            return solution - response.reshape(solution.shape)

        return solve

    def factorized(self, matrix: sparse.bsr_matrix) -> BlockCholesky:
        """Return the Cholesky factor of a matrix of this system.

        Raises
        ------
        scipy.linalg.LinAlgError
            It is not positive definite.
        """
        return BlockCholesky(matrix, self._elimination)
