"""Factors of block-sparse matrices, against dense linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.linalg import LinAlgError

from rendermodules.core.solve.cholesky import BlockCholesky, elimination


def positive_matrix(size: int, edges: int, width: int, seed: int) -> sparse.bsr_matrix:
    random = np.random.default_rng(seed)
    dense = np.zeros((size * width, size * width))
    for i, j in random.integers(0, size, (edges, 2)):
        rows = random.normal(size=(width + 1, 2 * width))
        places = np.concatenate([i * width + np.arange(width), j * width + np.arange(width)])
        dense[np.ix_(places, places)] += rows.T @ rows
    return sparse.bsr_matrix(dense + 0.1 * np.eye(size * width), blocksize=(width, width))


def factor(matrix: sparse.bsr_matrix) -> BlockCholesky:
    return BlockCholesky(matrix, elimination(matrix.indptr, matrix.indices))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(0, 100), st.integers(1, 4), st.integers(0, 10**6))
def test_solves_and_determinants(size, edges, width, seed):
    matrix = positive_matrix(size, edges, width, seed)
    dense = matrix.toarray()
    right = np.random.default_rng(seed).normal(size=(size * width, 3))
    found = factor(matrix)
    np.testing.assert_allclose(dense @ found.solve(right), right, atol=1e-8)
    np.testing.assert_allclose(found.solve(right[:, 0]), found.solve(right)[:, 0], atol=1e-12)
    assert found.log_determinant() == pytest.approx(np.linalg.slogdet(dense)[1], abs=1e-8)


def test_one_structure_serves_all_values():
    first, second = positive_matrix(40, 90, 2, 3), positive_matrix(40, 90, 2, 3)
    second.data = second.data * 2
    structure = elimination(first.indptr, first.indices)
    right = np.arange(80.0)
    np.testing.assert_allclose(
        BlockCholesky(first, structure).solve(right), 2 * BlockCholesky(second, structure).solve(right)
    )


def test_right_hand_sides_are_not_changed():
    right = np.ones(80)
    factor(positive_matrix(40, 90, 2, 3)).solve(right)
    assert (right == 1).all()


def test_indefinite_matrix_is_refused():
    matrix = sparse.bsr_matrix(np.diag([1.0, -1.0]), blocksize=(1, 1))
    with pytest.raises(LinAlgError, match="not positive definite"):
        factor(matrix)
