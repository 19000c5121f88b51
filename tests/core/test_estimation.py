import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.estimation import (
    EstimationError,
    PlanarModel,
    composed,
    fitted_model,
    fitted_polynomial,
    inverted,
    polynomial_terms,
    transformed,
)

RIGID = np.array([[np.cos(0.3), -np.sin(0.3), 20.0], [np.sin(0.3), np.cos(0.3), -7.0]])
EXACT = {
    "TRANSLATION": np.array([[1.0, 0.0, 12.5], [0.0, 1.0, -3.25]]),
    "RIGID": RIGID,
    "SIMILARITY": RIGID * [[1.1, 1.1, 1.0]],
    "AFFINE": np.array([[1.02, 0.03, 400.0], [-0.05, 0.97, -1e4]]),
}


def random_points(count, seed=0, size=1000.0):
    return np.random.default_rng(seed).uniform(0, size, (count, 2))


@pytest.mark.parametrize("model", EXACT)
def test_exact_pairs_give_back_the_model(model):
    source = random_points(10)
    fitted = fitted_model(source, transformed(EXACT[model], source), model)
    np.testing.assert_allclose(fitted, EXACT[model], atol=1e-10, rtol=0)


@pytest.mark.parametrize("model", EXACT)
def test_no_matrix_of_the_kind_fits_better(model):
    rng = np.random.default_rng(1)
    source = random_points(30)
    target = transformed(EXACT["AFFINE"], source) + rng.normal(0, 5, (30, 2))
    weights = rng.uniform(0.1, 2, 30)
    fitted = fitted_model(source, target, model, weights)

    def cost(matrix):
        return (weights * ((transformed(matrix, source) - target) ** 2).sum(axis=1)).sum()

    small_steps = {
        "TRANSLATION": [[[0, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]],
        "RIGID": [[[0, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]],
        "SIMILARITY": [[[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]],
        "AFFINE": list(np.eye(6).reshape(6, 2, 3)),
    }[model]
    steps = [composed(fitted, RIGID_STEP)] if model == "RIGID" else []
    steps += [fitted + sign * 1e-5 * np.array(step, dtype=float) for step in small_steps for sign in (1, -1)]
    assert all(cost(step) > cost(fitted) for step in steps)


RIGID_STEP = np.array([[np.cos(1e-5), -np.sin(1e-5), 0.0], [np.sin(1e-5), np.cos(1e-5), 0.0]])


def test_points_of_weight_zero_do_not_count():
    source = random_points(6)
    target = transformed(EXACT["AFFINE"], source)
    target[5] += 300
    weights = [1, 1, 1, 1, 1, 0]
    np.testing.assert_allclose(fitted_model(source, target, "AFFINE", weights), EXACT["AFFINE"], atol=1e-9)
    with pytest.raises(EstimationError, match="2 points"):
        fitted_model(source, target, "AFFINE", [1, 1, 0, 0, 0, 0])


def test_regularizer_is_blended_in():
    source = random_points(20)
    target = transformed(EXACT["AFFINE"], source)
    blended = fitted_model(source, target, PlanarModel("AFFINE", "RIGID", 0.25))
    expected = 0.75 * fitted_model(source, target, "AFFINE") + 0.25 * fitted_model(source, target, "RIGID")
    np.testing.assert_allclose(blended, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("source", "model", "message"),
    [
        (np.zeros((0, 2)), "TRANSLATION", "0 points"),
        ([[1.0, 2.0]], "RIGID", "1 points"),
        ([[0.1, 0.2]] * 3, "SIMILARITY", "coincide"),
        ([[0.0, 0.0], [1.0, 1.1], [2.0, 2.2], [30.0, 33.0]], "AFFINE", "on a line"),
        ([[0.0, 0.0], [1.0, np.nan], [2.0, 0.0]], "AFFINE", "not finite"),
    ],
)
def test_points_that_do_not_determine_the_model(source, model, message):
    with pytest.raises(EstimationError, match=message):
        fitted_model(source, np.array(source) + 1, model)


def test_unpaired_points_and_bad_models_are_refused():
    with pytest.raises(EstimationError, match="pair up"):
        fitted_model(random_points(4), random_points(5), "AFFINE")
    with pytest.raises(EstimationError, match="negative"):
        fitted_model(random_points(4), random_points(4), "AFFINE", [-1, 1, 1, 1])
    with pytest.raises(ValueError, match="HOMOGRAPHY"):
        PlanarModel("HOMOGRAPHY")
    with pytest.raises(ValueError, match="between 0 and 1"):
        PlanarModel("AFFINE", "RIGID", 1.5)


@given(st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6))
@settings(max_examples=25, deadline=None)
def test_inverse_and_composition(seed, far):
    rng = np.random.default_rng(seed)
    first = np.column_stack([np.eye(2) + rng.uniform(-0.3, 0.3, (2, 2)), [far, -far]])
    then = np.column_stack([np.eye(2) + rng.uniform(-0.3, 0.3, (2, 2)), [5.0, 6.0]])
    points = random_points(5, seed)
    np.testing.assert_allclose(transformed(inverted(first), transformed(first, points)), points, atol=1e-8)
    np.testing.assert_allclose(
        transformed(composed(first, then), points), transformed(then, transformed(first, points)), atol=1e-8
    )


def test_singular_matrix_has_no_inverse():
    with pytest.raises(EstimationError, match="no inverse"):
        inverted(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polynomial_of_exact_pairs(order):
    rng = np.random.default_rng(order)
    source = random_points(40, size=4000.0)
    terms = polynomial_terms(source, order)
    coefficients = rng.normal(size=(2, terms.shape[1])) / np.abs(terms).max(axis=0)
    fitted = fitted_polynomial(source, terms @ coefficients.T, order)
    np.testing.assert_allclose(terms @ fitted.T, terms @ coefficients.T, atol=1e-8)
    np.testing.assert_allclose(fitted, coefficients, rtol=1e-5)


def test_polynomial_terms_are_in_renders_order():
    np.testing.assert_array_equal(polynomial_terms([[2.0, 3.0]], 3), [[1, 2, 3, 4, 6, 9, 8, 12, 18, 27]])


def test_polynomial_that_the_points_do_not_determine():
    with pytest.raises(EstimationError, match="5 points do not determine the 6 terms of order 2"):
        fitted_polynomial(random_points(5), random_points(5), 2)
    on_a_line = np.column_stack([np.arange(20.0), np.arange(20.0)])
    with pytest.raises(EstimationError, match="order 1"):
        fitted_polynomial(on_a_line, on_a_line, 1)
