"""Transforms of a solution in other forms."""

import numpy as np
import pytest

from rendermodules.core.solve.moments import monomials
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.tiles import solved_tiles
from rendermodules.core.transforms import ThinPlateSpline

POINTS = np.random.default_rng(0).uniform(0, 1024, (40, 2))
TILES = np.random.default_rng(1).integers(0, 30, 40)


@pytest.fixture(scope="module")
def curved(montage):
    """Give a montage that no rigid motion explains."""
    return montage(lens=6.0)


def solved(made, **options):
    return solved_tiles(made.tiles, made.matches, SolveOptions(**options))


@pytest.mark.parametrize("lens", ["none", "radial"])
def test_matrices_are_the_affine_solution(curved, lens):
    solution = solved(curved, model="affine", lens=lens)
    corrected = solution.lenses[0].applied(POINTS) if solution.lenses else POINTS
    matrices = solution.matrices[TILES]
    expected = np.einsum("nij,nj->ni", matrices[:, :, :2], corrected) + matrices[:, :, 2]
    np.testing.assert_allclose(solution.applied(POINTS, TILES), expected, atol=1e-8)


def test_polynomials_of_pixels(curved):
    solution = solved(curved, model="polynomial", polynomial_order=3, regularization=0.1)
    polynomials = solution.polynomials()
    assert np.abs(solution.coefficients[:, :, 3:]).max() > 0.1
    expected = np.einsum("ncb,nb->nc", polynomials[TILES], monomials(POINTS, 3))
    np.testing.assert_allclose(solution.applied(POINTS, TILES), expected, atol=1e-6)


def test_splines_of_pixels(curved):
    solution = solved(curved, model="thin_plate_spline", control_grid=(4, 3), regularization=0.1)
    splines = solution.splines()
    assert splines.weights.shape == (30, 12, 2)
    assert np.abs(solution.coefficients[:, :, 3:]).max() > 0.01
    np.testing.assert_allclose(splines.weights.sum(axis=1), 0, atol=1e-12)
    for tile in (0, 17):
        offset = splines.affines[tile] - np.eye(2, 3)
        transform = ThinPlateSpline(splines.controls[tile], splines.weights[tile], offset)
        np.testing.assert_allclose(
            transform.apply(POINTS), solution.applied(POINTS, np.full(len(POINTS), tile)), atol=1e-6
        )


def test_forms_of_other_models_are_refused(curved):
    with pytest.raises(ValueError, match="no polynomials"):
        solved(curved, model="thin_plate_spline", control_grid=(3, 3)).polynomials()
    with pytest.raises(ValueError, match="no thin plate splines"):
        solved(curved, model="affine").splines()
