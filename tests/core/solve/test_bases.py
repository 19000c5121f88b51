"""Bases of transforms and what departures cost."""

import numpy as np
import pytest

from rendermodules.core.solve.bases import (
    control_points,
    polynomial_basis,
    radial_values,
    side_condition_modes,
    spline_basis,
)


def test_affine_cost_is_the_mean_square_displacement():
    cost = polynomial_basis(1).cost(1.2, 0.8)
    assert cost[0].tolist() == [0, 0, 0]
    assert cost[1, 1] == pytest.approx(1.2**2 / 12, rel=0.1)
    assert cost[2, 2] == pytest.approx(0.8**2 / 12, rel=0.1)


def test_polynomial_cost_leaves_the_shift_out():
    basis = polynomial_basis(2)
    coefficients = np.random.default_rng(0).normal(size=basis.size)
    edge = np.linspace(-0.5, 0.5, 33)
    points = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
    displacement = basis.values(points) @ coefficients
    assert coefficients @ basis.cost(1.0, 1.0) @ coefficients == pytest.approx(displacement.var())


def test_splines_have_no_affine_part_far_away():
    controls = control_points(1.0, 1.0, 4, 3)
    modes = side_condition_modes(controls)
    assert modes.shape == (12, 9)
    np.testing.assert_allclose(np.ones(12) @ modes, 0, atol=1e-12)
    np.testing.assert_allclose(controls.T @ modes, 0, atol=1e-12)


def test_control_points_reach_beyond_the_tile():
    controls = control_points(2.0, 1.0, 5, 5)
    assert controls.min(axis=0).tolist() == pytest.approx([-1.1, -0.55])
    assert controls.max(axis=0).tolist() == pytest.approx([1.1, 0.55])
    assert controls[1, 1] == controls[0, 1]


def test_bending_is_positive_and_nothing_else_costs():
    cost = spline_basis(1.0, 1.0, 4, 4).cost(1.0, 1.0)
    assert np.linalg.eigvalsh(cost[3:, 3:]).min() > 0
    assert (cost[:3, 3:] == 0).all()


def test_radial_function_at_its_centre():
    assert radial_values(np.zeros((1, 2)), np.zeros((1, 2)))[0, 0] == 0
    assert radial_values(np.array([[3.0, 4.0]]), np.zeros((1, 2)))[0, 0] == pytest.approx(25 * np.log(5))


def test_too_few_control_points():
    with pytest.raises(ValueError, match="at least 2 x 2"):
        spline_basis(1.0, 1.0, 1, 5)
