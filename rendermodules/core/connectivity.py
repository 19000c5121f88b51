"""Which tiles hang together by matches."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from rendermodules.core.solve.arrays import BoolArray, IntArray

_LONGEST_BRANCH = 100


def match_graph(tile_count: int, pairs: IntArray) -> sparse.csr_matrix:
    """Return the symmetric adjacency matrix (t, t) of tiles joined by pairs (m, 2); entries count the pairs."""
    edges = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    upper = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(tile_count, tile_count))
    return (upper + upper.T).tocsr()


def component_labels(tile_count: int, pairs: IntArray) -> IntArray:
    """Return the connected component (t,) of each tile; components are numbered in the order of their first tile."""
    labels: IntArray = csgraph.connected_components(match_graph(tile_count, pairs), directed=False)[1].astype(np.int64)
    return labels


def pair_counts(tile_count: int, pairs: IntArray) -> IntArray:
    """Return the number of pairs (t,) that each tile is part of."""
    return np.bincount(np.asarray(pairs, dtype=np.int64).ravel(), minlength=tile_count)


def branch_pairs(tile_count: int, pairs: IntArray) -> BoolArray:
    """Return which pairs (m,) are on branches: of trees that hang on the cycles of the graph of pairs, or on nothing.

    No other pairs can confirm these. Branches of more than 100 tiles are followed for so many from their ends.
    """
    core = np.ones(len(pairs), dtype=bool)
    for _ in range(_LONGEST_BRANCH):
        leaf = pair_counts(tile_count, pairs[core]) == 1
        trimmed = core & ~leaf[pairs].any(axis=1)
        if np.array_equal(trimmed, core):
            break
        core = trimmed
    return ~core


def split_off(tile_count: int, pairs: IntArray, kept: BoolArray) -> BoolArray:
    """Return which tiles (t,) are not in the largest part of their component that is left without some pairs.

    Parameters
    ----------
    tile_count : int
        Number of tiles.
    pairs : (m, 2) int array
        Tile indices.
    kept : (m,) bool array
        Pairs that are left.
    """
    before, after = component_labels(tile_count, pairs), component_labels(tile_count, pairs[kept])
    sizes = np.bincount(after)[after]
    # of each component the tile that comes last is in its largest part
    order = np.lexsort((-after, sizes, before))
    last = order[np.append(np.diff(before[order]) > 0, True)] if tile_count else order
    main = np.zeros(tile_count, dtype=bool)
    main[after[last]] = True
    return ~main[after]


def pairs_within(members: BoolArray, pairs: IntArray) -> BoolArray:
    """Return which pairs (m,) have both tiles among the members (t,)."""
    return members[pairs[:, 0]] & members[pairs[:, 1]]


def connected_sample(tile_count: int, pairs: IntArray, limit: int) -> BoolArray:
    """Return which tiles (t,) belong to a connected sample of the largest component.

    Parameters
    ----------
    tile_count : int
        Number of tiles.
    pairs : (m, 2) int array
        Tile indices.
    limit : int
        Most tiles in the sample; a smaller component is taken whole.

    Notes
    -----
    The sample grows breadth first from the tile with the most pairs, so it is compact and keeps all matches
    between its tiles.
    """
    sample = np.zeros(tile_count, dtype=bool)
    if tile_count == 0:
        return sample
    graph = match_graph(tile_count, pairs)
    labels = csgraph.connected_components(graph, directed=False)[1]
    inside = labels == np.argmax(np.bincount(labels))
    start = int(np.argmax(np.where(inside, pair_counts(tile_count, pairs), -1)))
    sample[csgraph.breadth_first_order(graph, start, directed=False, return_predecessors=False)[:limit]] = True
    return sample
