"""Block systems of tiles, against dense ones."""

import numpy as np
import pytest

from rendermodules.core.solve.system import TileSystem

PAIRS = np.array([[0, 1], [1, 2], [0, 2], [2, 3], [4, 5]])


@pytest.fixture
def blocks():
    random = np.random.default_rng(0)
    at_p, at_q = random.normal(size=(2, len(PAIRS), 4, 2))
    return at_p, at_q


def dense(at_p, at_q, tiles=6):
    """Return the normal matrix of residuals at_p x_p - at_q x_q."""
    rows = np.zeros((len(PAIRS) * 4, tiles * 2))
    for number, (p, q) in enumerate(PAIRS):
        rows[number * 4 : number * 4 + 4, p * 2 : p * 2 + 2] = at_p[number]
        rows[number * 4 : number * 4 + 4, q * 2 : q * 2 + 2] = -at_q[number]
    return rows.T @ rows


def assembled(system, at_p, at_q):
    turned_p, turned_q = at_p.transpose(0, 2, 1), at_q.transpose(0, 2, 1)
    return system.matrix(system.summed(turned_p @ at_p, turned_q @ at_q), -turned_p @ at_q)


def test_matrix(blocks):
    system = TileSystem(PAIRS, np.ones(6, dtype=bool))
    np.testing.assert_allclose(assembled(system, *blocks).toarray(), dense(*blocks), atol=1e-12)


def test_fixed_tiles_have_no_rows(blocks):
    free = np.array([True, False, True, True, True, True])
    matrix = assembled(TileSystem(PAIRS, free), *blocks).toarray()
    rows = np.repeat(free, 2)
    np.testing.assert_allclose(matrix, dense(*blocks)[np.ix_(rows, rows)], atol=1e-12)


def test_constrained_solution_is_that_of_the_bordered_system(blocks):
    system = TileSystem(PAIRS, np.array([True, True, True, True, True, False]))
    matrix = assembled(system, *blocks)
    matrix.data[[0, 3]] += 0  # keeps the stored structure
    full = matrix.toarray() + 0.5 * np.eye(10)
    shifted = TileSystem(PAIRS, system.free).matrix(
        system.summed(blocks[0].transpose(0, 2, 1) @ blocks[0], blocks[1].transpose(0, 2, 1) @ blocks[1])
        + 0.5 * np.eye(2),
        -blocks[0].transpose(0, 2, 1) @ blocks[1],
    )
    columns = np.array([[0.0], [1.0]])
    right = np.random.default_rng(1).normal(size=(10, 2))
    solution = system.constrained(system.factorized(shifted), columns)(right)

    # tiles 0 to 3 are loose; tile 4 hangs on the fixed tile 5 and has no constraint
    constraint = np.zeros((10, 1))
    constraint[[1, 3, 5, 7]] = 1
    bordered = np.block([[full, constraint], [constraint.T, np.zeros((1, 1))]])
    expected = np.linalg.solve(bordered, np.concatenate([right, np.zeros((1, 2))]))[:10]
    np.testing.assert_allclose(solution, expected, atol=1e-9)

    defect = system.without_reactions(full @ solution - right, columns)
    np.testing.assert_allclose(defect, 0, atol=1e-9)


def test_no_constraints():
    system = TileSystem(PAIRS[:1], np.array([True, True]))
    factor = system.factorized(system.matrix(np.tile(np.eye(2), (2, 1, 1)), np.zeros((1, 2, 2))))
    assert system.constrained(factor, np.empty((2, 0)))(np.ones(4)).tolist() == [1, 1, 1, 1]
