"""Orders of elimination."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rendermodules.core.solve.dissection import dissected


def grid_graph(rows: int, columns: int) -> sparse.csr_matrix:
    def path(length: int) -> sparse.csr_matrix:
        return sparse.diags([np.ones(length - 1), np.ones(length - 1)], [-1, 1])

    return sparse.csr_matrix(
        sparse.kron(sparse.eye(rows), path(columns)) + sparse.kron(path(rows), sparse.eye(columns))
    )


def random_graph(size: int, edges: int, seed: int) -> sparse.csr_matrix:
    random = np.random.default_rng(seed)
    ends = random.integers(0, size, (edges, 2))
    one_way = sparse.coo_matrix((np.ones(edges), (ends[:, 0], ends[:, 1])), shape=(size, size))
    return sparse.csr_matrix(one_way + one_way.T)


def reachable_parts(graph: sparse.csr_matrix, parts: list[np.ndarray]) -> int:
    """Return the entries of the factor: nodes of each part times the nodes that it and its fill touch, later or own."""
    position = np.concatenate(parts)
    rank = np.empty(len(position), dtype=int)
    rank[position] = np.arange(len(position))
    pending: dict[int, set[int]] = {}
    total = 0
    for part in parts:
        end = rank[part].max() + 1
        touched = set(rank[graph[part].indices])
        for node in rank[part]:
            touched |= pending.pop(int(node), set())
        later = {node for node in touched if node >= end}
        total += len(part) * (len(part) + len(later))
        if later:
            pending.setdefault(min(later), set()).update(later)
    return total


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 120), st.integers(0, 200), st.integers(0, 10**6))
def test_every_node_once(size, edges, seed):
    graph = random_graph(size, edges, seed)
    parts = dissected(graph.indptr, graph.indices, largest_part=4)
    assert sorted(np.concatenate(parts).tolist()) == list(range(size))


def test_no_nodes():
    assert dissected(np.zeros(1, dtype=int), np.empty(0, dtype=int)) == []


def test_halves_of_a_grid_do_not_touch():
    graph = grid_graph(12, 20)
    *halves, separator = dissected(graph.indptr, graph.indices, largest_part=125)
    assert len(halves) == 2
    assert len(separator) <= 13
    assert graph[halves[0]][:, halves[1]].nnz == 0


def test_components_are_parts_without_separator():
    graph = sparse.block_diag([grid_graph(3, 3), grid_graph(3, 3)], format="csr")
    parts = dissected(graph.indptr, graph.indices, largest_part=9)
    assert [sorted(part.tolist()) for part in parts] == [list(range(9)), list(range(9, 18))]


@pytest.mark.parametrize("size", [20, 40])
def test_little_fill_on_a_grid(size):
    graph = grid_graph(size, size)
    parts = dissected(graph.indptr, graph.indices, largest_part=8)
    # the bound of the theory is proportional to n log n; row by row it would be n^1.5
    assert reachable_parts(graph, parts) < 8 * size**2 * np.log2(size)
    assert reachable_parts(graph, parts) < 1.2 * size**3


def test_same_graph_same_order():
    graph = grid_graph(15, 15)
    first = dissected(graph.indptr, graph.indices, 10)
    second = dissected(graph.indptr, graph.indices, 10)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
