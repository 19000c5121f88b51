"""Cholesky factorisation of block-sparse symmetric positive definite matrices.

A multifrontal method on a nested dissection: all arithmetic is in dense matrix products of LAPACK and BLAS, so it
needs less time and memory than a general sparse LU and comes near CHOLMOD, with nothing to install.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, blas, lapack
from threadpoolctl import ThreadpoolController

from rendermodules.core.solve.arrays import FloatArray, IntArray
from rendermodules.core.solve.dissection import dissected


@dataclass(frozen=True)
class Elimination:
    """The order and the structure of a factorisation; serves every matrix with the same pattern of blocks.

    Attributes
    ----------
    order : (n,) int array
        Nodes in the order of their elimination; positions below are places in this order.
    starts : (s + 1,) int array
        Positions at which the parts begin that are eliminated together.
    boundaries : list of int arrays
        Per part: the later positions, ascending, that its elimination touches.
    parents : (s,) int array
        Per part: the part that receives its update; -1 for none.
    """

    order: IntArray
    starts: IntArray
    boundaries: list[IntArray]
    parents: IntArray


def elimination(indptr: IntArray, indices: IntArray) -> Elimination:
    """Return the elimination of a symmetric pattern of blocks given by compressed rows."""
    parts = dissected(indptr, indices)
    order = np.concatenate([*parts, np.empty(0, np.int64)])
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    boundaries: list[IntArray] = []
    parents = np.full(len(parts), -1)
    received: list[list[IntArray]] = [[] for _ in parts]
    for part, nodes in enumerate(parts):
        end = starts[part + 1]
        neighbours = np.concatenate([indices[indptr[node] : indptr[node + 1]] for node in nodes])
        touched = np.unique(np.concatenate([position[neighbours], *received[part]]))
        received[part] = []
        boundary = touched[np.searchsorted(touched, end) :]
        boundaries.append(boundary)
        if len(boundary):
            parents[part] = np.searchsorted(starts, boundary[0], side="right") - 1
            received[parents[part]].append(boundary)
    return Elimination(order, starts, boundaries, parents)


class BlockCholesky:
    """The factor of a symmetric positive definite matrix of square blocks.

    Parameters
    ----------
    matrix : bsr_matrix
        Symmetric, (n k, n k) in blocks of (k, k); both triangles stored.
    structure : Elimination
        Of the pattern of ``matrix``.

    Raises
    ------
    scipy.linalg.LinAlgError
        The matrix is not positive definite.

    Notes
    -----
    Memory: 8 bytes per entry of the factor, about 31 n log2(n) k^2 entries for a plane grid of n nodes.

    References
    ----------
    .. [1] J. W. H. Liu, "The multifrontal method for sparse matrix solution", SIAM Review 34 (1992).
    """

    def __init__(self, matrix: sparse.bsr_matrix, structure: Elimination) -> None:
        self.structure = structure
        self.width = matrix.blocksize[0]
        self.diagonals: list[FloatArray] = []
        self.below: list[FloatArray] = []
        with _libraries().limit(limits=1, user_api="blas"):
            self._factorize(matrix)

    def _factorize(self, matrix: sparse.bsr_matrix) -> None:
        gather, extend = _kernels()
        order, starts, width = self.structure.order, self.structure.starts, self.width
        indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        place = np.empty(len(order), np.int64)
        updates: list[list[tuple[IntArray, FloatArray]]] = [[] for _ in self.structure.boundaries]
        for part, boundary in enumerate(self.structure.boundaries):
            first, end = starts[part], starts[part + 1]
            own, total = (end - first) * width, (end - first + len(boundary)) * width
            place[first:end] = np.arange(end - first)
            place[boundary] = end - first + np.arange(len(boundary))
            front = np.zeros((total, total), order="F")
            gather(front, matrix.data, indptr, indices, order[first:end], position, place, first)
            for child_boundary, update in updates[part]:
                extend(front, update, place[child_boundary], width)
            updates[part] = []
            diagonal, failed = lapack.dpotrf(front[:own, :own], lower=1, clean=1)
            if failed:
                raise LinAlgError("the system is not positive definite: some tiles are not held by matches or prior")
            self.diagonals.append(diagonal)
            below = np.empty((0, own))
            if len(boundary):
                below = blas.dtrsm(1.0, diagonal, front[own:, :own], side=1, lower=1, trans_a=1)
                update = blas.dsyrk(-1.0, below, beta=1.0, c=front[own:, own:], lower=1)
                updates[self.structure.parents[part]].append((boundary, update))
            self.below.append(below)

    def solve(self, right: FloatArray) -> FloatArray:
        """Return x with matrix x = right for right hand sides (n k,) or (n k, r)."""
        with _libraries().limit(limits=1, user_api="blas"):
            return self._substituted(right)

    def _substituted(self, right: FloatArray) -> FloatArray:
        order, starts, boundaries = self.structure.order, self.structure.starts, self.structure.boundaries
        width = self.width
        sides = right.size // max(len(right), 1)
        x = right.reshape(len(order), width, sides)[order]
        parts = range(len(boundaries))
        for part in parts:
            rows = slice(starts[part], starts[part + 1])
            own = blas.dtrsm(1.0, self.diagonals[part], x[rows].reshape(-1, sides), lower=1)
            x[rows] = own.reshape(-1, width, sides)
            x[boundaries[part]] -= (self.below[part] @ own).reshape(-1, width, sides)
        for part in reversed(parts):
            rows = slice(starts[part], starts[part + 1])
            own = x[rows].reshape(-1, sides) - self.below[part].T @ x[boundaries[part]].reshape(-1, sides)
            x[rows] = blas.dtrsm(1.0, self.diagonals[part], own, lower=1, trans_a=1).reshape(-1, width, sides)
        solution = np.empty_like(x)
        solution[order] = x
        return solution.reshape(right.shape)

    def log_determinant(self) -> float:
        """Return the natural logarithm of the determinant of the matrix."""
        return 2.0 * float(sum(np.log(np.diagonal(diagonal)).sum() for diagonal in self.diagonals))


@cache
def _libraries() -> ThreadpoolController:
    """Return the control of the threads of linear algebra, which only get in the way of many small fronts."""
    return ThreadpoolController()


@cache
def _kernels() -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the compiled loops that fill the lower triangle of a front; numba is imported here, once."""
    import numba

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def gather(
        front: FloatArray,
        blocks: FloatArray,
        indptr: IntArray,
        indices: IntArray,
        nodes: IntArray,
        position: IntArray,
        place: IntArray,
        first: int,
    ) -> None:
        width = blocks.shape[1]
        for column in range(nodes.size):
            for entry in range(indptr[nodes[column]], indptr[nodes[column] + 1]):
                later = position[indices[entry]]
                if later < first + column:
                    continue
                row = place[later]
                for a in range(width):
                    for b in range(width):
                        front[row * width + b, column * width + a] += blocks[entry, a, b]

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def extend(front: FloatArray, update: FloatArray, places: IntArray, width: int) -> None:
        for column in range(places.size):
            for a in range(width):
                target = places[column] * width + a
                source = column * width + a
                for row in range(column, places.size):
                    for b in range(width):
                        front[places[row] * width + b, target] += update[row * width + b, source]

    return gather, extend
