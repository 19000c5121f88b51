"""Lenses as polynomials."""

import numpy as np
import pytest

from rendermodules.core.solve.lens import LENS_ORDERS, Lens, lens_model, monomial_expansion, order_of
from rendermodules.core.solve.moments import monomials

POINTS = np.random.default_rng(0).uniform(0, 2000, (20, 2))


@pytest.mark.parametrize("kind", LENS_ORDERS)
def test_polynomial_of_pixels_is_the_lens(kind):
    model = lens_model(kind)
    above = (model.modes @ np.random.default_rng(1).normal(size=model.modes.shape[1]) * 1e-3).reshape(2, -1)
    lens = Lens(np.array([1000.0, 900.0]), 1345.0, np.concatenate([np.eye(2), above], axis=1))
    assert lens.order == model.order
    np.testing.assert_allclose(monomials(POINTS, lens.order) @ lens.polynomial().T, lens.applied(POINTS), atol=1e-8)
    assert np.abs(lens.applied(POINTS) - POINTS).max() > 0.1
    assert lens.largest_displacement(2000, 1800) > 0.1


def test_radial_modes_depend_on_the_radius_alone():
    model = lens_model("radial")
    assert model.modes.shape == (14, 2)
    along = model.modes[:, 0].reshape(2, -1)
    points = POINTS / 1000 - 1
    moved = monomials(points, 3)[:, 3:] @ along.T
    np.testing.assert_allclose(moved, points * (points**2).sum(axis=1, keepdims=True), atol=1e-12)
    across = monomials(points, 3)[:, 3:] @ model.modes[:, 1].reshape(2, -1).T
    np.testing.assert_allclose((moved * across).sum(axis=1), 0, atol=1e-12)


def test_no_lens_is_the_identity():
    lens = Lens(np.array([10.0, 20.0]), 30.0, np.eye(2))
    np.testing.assert_allclose(lens.applied(POINTS), POINTS)
    np.testing.assert_allclose(lens.polynomial(), [[0, 1, 0], [0, 0, 1]], atol=1e-12)


def test_monomials_of_other_coordinates():
    centre, scale = np.array([3.0, -2.0]), 7.0
    expected = monomials((POINTS - centre) / scale, 4)
    np.testing.assert_allclose(monomials(POINTS, 4) @ monomial_expansion(centre, scale, 4).T, expected, rtol=1e-7)


def test_order_of_a_number_of_terms():
    assert [order_of(terms) for terms in (1, 3, 6, 10, 15, 21)] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="4 terms"):
        order_of(4)
