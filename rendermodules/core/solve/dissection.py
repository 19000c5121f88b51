"""Nested dissection: the order in which to eliminate the nodes of a sparse symmetric system.

A graph is cut in two by a small separator, each half again, until the parts are small. Halves never meet in
the factor, so the separators, eliminated after what they separate, carry nearly all of its entries.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, IntArray

LARGEST_PART = 32
"""Nodes that are eliminated together without being cut further: fewer save arithmetic, more save calls."""

LANDMARKS = 4
"""Far-apart nodes whose distances stand for coordinates when a part is cut."""


def dissected(indptr: IntArray, indices: IntArray, largest_part: int = LARGEST_PART) -> list[IntArray]:
    """Return the nodes of a graph in parts, each after all parts that it separates.

    Parameters
    ----------
    indptr, indices : int arrays
        Neighbours of node i are ``indices[indptr[i]:indptr[i + 1]]``; the graph is symmetric, loops are ignored.
    largest_part : int
        Parts of at most this many nodes are not cut.

    Returns
    -------
    list of int arrays
        Every node once. Entries of the factor lie within parts and between a part and the separators after it.

    Notes
    -----
    Distances along the graph from a few far-apart nodes, and their differences, serve as coordinates, as in
    landmark embeddings: the cut at the median of whichever has the smallest separator is taken. No positions
    are needed, and the result depends on the graph alone.

    References
    ----------
    .. [1] A. George, "Nested dissection of a regular finite element mesh", SIAM J. Numer. Anal. 10 (1973).
    """
    size = len(indptr) - 1
    graph = _Graph(
        indptr.astype(np.int64), indices.astype(np.int64), np.zeros(size, np.int64), np.empty(size, np.int64)
    )
    parts: list[IntArray] = []
    # a stack in place of recursion; separators wait below the halves that they follow
    waiting: list[tuple[IntArray, bool]] = [(np.arange(size), True)] if size else []
    while waiting:
        nodes, may_cut = waiting.pop()
        if not may_cut or len(nodes) <= largest_part:
            parts.append(nodes)
            continue
        first, second, separator = graph.cut(nodes)
        waiting.extend((part, more) for part, more in ((separator, False), (second, True), (first, True)) if len(part))
    return parts


class _Graph:
    """A graph whose nodes carry the label of the part that they are in."""

    def __init__(self, indptr: IntArray, indices: IntArray, label: IntArray, distance: IntArray) -> None:
        self.indptr, self.indices, self.label, self.distance = indptr, indices, label, distance
        self.labels_used = 0

    def relabelled(self, *parts: IntArray) -> list[int]:
        labels = []
        for part in parts:
            self.labels_used += 1
            self.label[part] = self.labels_used
            labels.append(self.labels_used)
        return labels

    def reached(self, nodes: IntArray, start: int) -> IntArray:
        """Set ``distance`` of the nodes (-1 where there is no way) and return those reached, nearest first."""
        walk, _ = _kernels()
        return walk(self.indptr, self.indices, self.label, nodes, start, self.distance)

    def cut(self, nodes: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return two halves without a common edge, and the separator between them."""
        self.relabelled(nodes)
        reached = self.reached(nodes, int(nodes[0]))
        if len(reached) < len(nodes):
            return np.sort(reached), nodes[self.distance[nodes] < 0], nodes[:0]
        best: tuple[IntArray, IntArray, IntArray] | None = None
        for coordinate in self.coordinates(nodes, int(reached[-1])):
            candidate = self.cut_at_median(nodes, coordinate)
            if best is None or len(candidate[2]) < len(best[2]):
                best = candidate
        if best is None:
            raise ValueError("a part without nodes cannot be cut")
        self.relabelled(*best)
        return best

    def coordinates(self, nodes: IntArray, start: int) -> list[IntArray]:
        distances: list[IntArray] = []
        for _ in range(LANDMARKS):
            self.reached(nodes, start)
            distances.append(self.distance[nodes])
            start = int(nodes[np.argmax(np.min(distances, axis=0))])
        return [a - b for a, b in combinations(distances, 2)] + distances

    def cut_at_median(self, nodes: IntArray, coordinate: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        _, touches = _kernels()
        order = np.argsort(coordinate, kind="stable")
        low, high = nodes[np.sort(order[: len(nodes) // 2])], nodes[np.sort(order[len(nodes) // 2 :])]
        low_label, high_label = self.relabelled(low, high)
        low_edge = touches(self.indptr, self.indices, self.label, low, high_label)
        high_edge = touches(self.indptr, self.indices, self.label, high, low_label)
        if low_edge.sum() < high_edge.sum():
            return low[~low_edge], high, low[low_edge]
        return low, high[~high_edge], high[high_edge]


@cache
def _kernels() -> tuple[Callable[..., IntArray], Callable[..., BoolArray]]:
    """Return the compiled breadth-first walk and the test for neighbours; numba is imported here, once."""
    import numba

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def walk(
        indptr: IntArray, indices: IntArray, label: IntArray, nodes: IntArray, start: int, distance: IntArray
    ) -> IntArray:
        for node in nodes:
            distance[node] = -1
        queue = np.empty(nodes.size, np.int64)
        queue[0] = start
        distance[start] = 0
        head, tail = 0, 1
        while head < tail:
            node = queue[head]
            head += 1
            for entry in range(indptr[node], indptr[node + 1]):
                neighbour = indices[entry]
                if label[neighbour] == label[start] and distance[neighbour] < 0:
                    distance[neighbour] = distance[node] + 1
                    queue[tail] = neighbour
                    tail += 1
        return queue[:tail]

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def touches(indptr: IntArray, indices: IntArray, label: IntArray, nodes: IntArray, other: int) -> BoolArray:
        result = np.zeros(nodes.size, np.bool_)
        for position in range(nodes.size):
            for entry in range(indptr[nodes[position]], indptr[nodes[position] + 1]):
                if label[indices[entry]] == other:
                    result[position] = True
                    break
        return result

    return walk, touches
