"""How well pairs close the short cycles that they are part of: wrong pairs show before anything is solved."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import sparse

from rendermodules.core.solve.arrays import ComplexArray, FloatArray, IntArray
from rendermodules.core.solve.moments import PairMoments


def pair_motions(moments: PairMoments, linear: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    """Return the rigid motion of each pair as complex numbers: a point z of tile p is at turn z + shift in tile q.

    Parameters
    ----------
    moments : PairMoments
        In a basis that begins with 1, x, y.
    linear : (t, 2, 2) float array
        Shape of each tile, pixels per frame unit; z is in pixels from the tile's centre.

    Returns
    -------
    turn, shift : (m,) complex arrays
        ``turn`` has modulus 1.
    """
    p, q = moments.pairs.T
    basis = np.array([0, 1, 2, moments.basis_size, moments.basis_size + 1])
    gram = moments.gram[:, basis[:, None], basis]
    weights = moments.weights
    means = gram[:, 0, 1:] / weights[:, None]
    centred = gram[:, 1:, 1:] / weights[:, None, None] - means[:, :, None] * means[:, None, :]
    cross = linear[p] @ centred[:, :2, 2:] @ linear[q].transpose(0, 2, 1)
    turn = cross[:, 0, 0] + cross[:, 1, 1] + 1j * (cross[:, 0, 1] - cross[:, 1, 0])
    length = np.abs(turn)
    # points that all coincide tell no turn
    turn = np.where(length > 0, turn / np.where(length > 0, length, 1.0), 1.0 + 0.0j)
    mean_p = (linear[p] @ means[:, :2, None])[:, :, 0]
    mean_q = (linear[q] @ means[:, 2:, None])[:, :, 0]
    shift = (mean_q[:, 0] + 1j * mean_q[:, 1]) - turn * (mean_p[:, 0] + 1j * mean_p[:, 1])
    return turn, shift


def closure_errors(
    tile_count: int, pairs: IntArray, turn: ComplexArray, shift: ComplexArray, size: float
) -> FloatArray:
    """Return by how much each pair fails to close the best of its cycles of three or four tiles.

    A right pair is on some cycle whose other pairs are right too; a wrong one closes none.

    Parameters
    ----------
    tile_count : int
        Number of tiles.
    pairs : (m, 2) int array
        Tile indices, every pair once.
    turn, shift : (m,) complex arrays
        Motion of each pair, from its first tile to its second.
    size : float
        Distance from the centre of a tile, pixels, at which an error of turning is measured.

    Returns
    -------
    (m,) float array
        Pixels; infinite for pairs on no such cycle.
    """
    count = len(pairs)
    rows = np.concatenate([pairs[:, 0], pairs[:, 1]])
    columns = np.concatenate([pairs[:, 1], pairs[:, 0]])
    entries = sparse.csr_matrix((np.arange(2 * count), (rows, columns)), shape=(tile_count, tile_count))
    back = np.conj(turn)
    errors: FloatArray = _closure_kernel()(
        entries.indptr.astype(np.int64),
        entries.indices.astype(np.int64),
        entries.data.astype(np.int64),
        pairs,
        np.concatenate([turn, back]),
        np.concatenate([shift, -back * shift]),
        size,
    )
    return errors


@cache
def _closure_kernel() -> Callable[..., FloatArray]:
    """Return the compiled walk over all cycles; numba is imported here, once."""
    import numba

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def closure(
        indptr: IntArray,
        indices: IntArray,
        entries: IntArray,
        pairs: IntArray,
        turn: ComplexArray,
        shift: ComplexArray,
        size: float,
    ) -> FloatArray:
        tile_count, count = indptr.size - 1, pairs.shape[0]
        errors = np.full(count, np.inf)
        home = np.full(tile_count, -1)
        for pair in range(count):
            i, j = pairs[pair]
            for slot in range(indptr[i], indptr[i + 1]):
                # the way back from a neighbour to i
                home[indices[slot]] = entries[slot] + count if entries[slot] < count else entries[slot] - count
            for slot in range(indptr[j], indptr[j + 1]):
                k = indices[slot]
                if k == i:
                    continue
                turn_k = turn[entries[slot]] * turn[pair]
                shift_k = turn[entries[slot]] * shift[pair] + shift[entries[slot]]
                if home[k] >= 0:
                    a = turn[home[k]] * turn_k - 1.0
                    b = turn[home[k]] * shift_k + shift[home[k]]
                    errors[pair] = min(errors[pair], np.hypot(abs(b), size * abs(a)))
                for further in range(indptr[k], indptr[k + 1]):
                    last = indices[further]
                    if last in (i, j) or home[last] < 0:
                        continue
                    a = turn[entries[further]] * turn_k
                    b = turn[entries[further]] * shift_k + shift[entries[further]]
                    b = turn[home[last]] * b + shift[home[last]]
                    a = turn[home[last]] * a - 1.0
                    errors[pair] = min(errors[pair], np.hypot(abs(b), size * abs(a)))
            for slot in range(indptr[i], indptr[i + 1]):
                home[indices[slot]] = -1
        return errors

    return closure  # type: ignore[no-any-return]
