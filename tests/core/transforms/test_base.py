import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.transforms import (
    Affine,
    AffineWarpField,
    ExponentialOffset,
    ExponentialRecoveryOffset,
    Homography,
    Interpolated,
    LensCorrection,
    MovingLeastSquares,
    MovingLeastSquares2,
    NotInvertibleError,
    Polynomial,
    Rigid,
    SemDistortion,
    Similarity,
    ThinPlateSpline,
    TransformList,
    Translation,
    parsed_transform,
    tile_bounds,
)

SIZE = 600


def moderate_transforms():
    """Return one function for each class that makes a transform which deforms an image of SIZE without folding it."""
    landmarks = np.stack(np.meshgrid(*[np.linspace(0, SIZE, 4)] * 2), axis=-1).reshape(-1, 2)

    def affine_matrix(rng):
        return np.eye(2, 3) + rng.normal(size=(2, 3)) * [0.1, 0.1, 5000]

    def polynomial(rng):
        shrinking = [SIZE ** -max(0, degree - 1) for degree in range(4) for _ in range(degree + 1)]
        coefficients = rng.normal(size=(2, 10)) * 0.02 * shrinking
        coefficients[:, 0] = rng.normal(size=2) * 1e5
        coefficients[:, 1:3] += np.eye(2)
        return Polynomial(coefficients)

    def lens(rng):
        coefficients = rng.normal(size=(10, 2)) * 2
        coefficients[:2] += np.eye(2) * 150
        mean = np.array([300, 300, 1e5, 1e5, 1e5, 1e8, 1e8, 1e8, 1e8, 0])
        variance = np.array([150, 150, 1e5, 1e5, 1e5, 6e7, 6e7, 6e7, 6e7, 1])
        return LensCorrection(3, coefficients, mean, variance, SIZE, SIZE)

    def moved(rng):
        return landmarks + rng.normal(size=2) * 1e4 + rng.normal(size=landmarks.shape) * 4

    def least_squares(rng, kind, model):
        return kind(model, landmarks, moved(rng), rng.uniform(0.5, 2, len(landmarks)), 1.0)

    def warp_field(rng):
        affines = np.broadcast_to(affine_matrix(rng), (3, 4, 2, 3)) + rng.normal(size=(3, 4, 2, 3)) * [1e-3, 1e-3, 1]
        return AffineWarpField([-10, 5], [SIZE, SIZE], affines)

    def spline(rng):
        return ThinPlateSpline(landmarks, rng.normal(size=landmarks.shape) * 2e-6, affine_matrix(rng) - np.eye(2, 3))

    return {
        "affine": lambda rng: Affine(affine_matrix(rng)),
        "translation": lambda rng: Translation(*rng.normal(size=2) * 1e4),
        "rigid": lambda rng: Rigid(*rng.normal(size=3) * [3, 1e4, 1e4]),
        "similarity": lambda rng: Similarity(1 + rng.random(), *rng.normal(size=3) * [1, 1e4, 1e4]),
        "homography": lambda rng: Homography(np.eye(3) + rng.normal(size=(3, 3)) * [[0.1], [0.1], [1e-4]]),
        "polynomial": polynomial,
        "lens": lens,
        "spline": spline,
        "translation squares": lambda rng: least_squares(rng, MovingLeastSquares, "translation"),
        "rigid squares": lambda rng: least_squares(rng, MovingLeastSquares, "rigid"),
        "similarity squares": lambda rng: least_squares(rng, MovingLeastSquares2, "similarity"),
        "affine squares": lambda rng: least_squares(rng, MovingLeastSquares2, "affine"),
        "sem": lambda rng: SemDistortion(rng.uniform(1, 20, 4) * [1, 10, 1, 50], rng.integers(2)),
        "exponential": lambda rng: ExponentialOffset(rng.uniform(0.1, 1, 3) * [10, 0.01, 5], rng.integers(2)),
        "recovery": lambda rng: ExponentialRecoveryOffset(rng.uniform(0.1, 1, 3) * [10, 0.01, 5], rng.integers(2)),
        "warp field": warp_field,
        "list": lambda rng: TransformList([lens(rng), spline(rng), Affine(affine_matrix(rng))]),
        "interpolated": lambda rng: Interpolated(Affine(affine_matrix(rng)), spline(rng), rng.random()),
    }


MAKERS = moderate_transforms()
seeds = st.integers(0, 2**32 - 1)
kinds = pytest.mark.parametrize("kind", MAKERS)
few_examples = settings(deadline=None, max_examples=8, derandomize=True)


@kinds
@few_examples
@given(seeds)
def test_inverse_leads_back(kind, seed):
    rng = np.random.default_rng(seed)
    transform = MAKERS[kind](rng)
    points = rng.uniform(10, SIZE - 10, (30, 2))
    np.testing.assert_allclose(transform.inverse(transform.apply(points)), points, atol=1e-6)


@kinds
@few_examples
@given(seeds)
def test_json_keeps_every_bit(kind, seed):
    rng = np.random.default_rng(seed)
    transform = MAKERS[kind](rng)
    again = parsed_transform(json.loads(json.dumps(transform.spec())))
    points = rng.uniform(0, SIZE, (30, 2))
    assert np.array_equal(again.apply(points), transform.apply(points))
    assert again.spec() == transform.spec()


@few_examples
@given(seeds, st.lists(st.sampled_from(sorted(MAKERS)), max_size=4))
def test_a_list_equals_its_parts_in_turn(seed, parts):
    rng = np.random.default_rng(seed)
    transforms = [MAKERS[part](rng) for part in parts]
    points = expected = rng.uniform(0, SIZE, (30, 2))
    with np.errstate(over="ignore", invalid="ignore"):
        for transform in transforms:
            expected = transform.apply(expected)
        np.testing.assert_array_equal(TransformList(transforms).apply(points), expected)


@kinds
@few_examples
@given(seeds)
def test_affine_matrix_maps_as_the_transform_does(kind, seed):
    rng = np.random.default_rng(seed)
    transform = MAKERS[kind](rng)
    matrix = transform.affine
    assert (matrix is not None) == (kind in ("affine", "translation", "rigid", "similarity"))
    if matrix is not None:
        points = rng.uniform(0, SIZE, (30, 2))
        np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], transform.apply(points), atol=1e-8)


@kinds
@few_examples
@given(seeds)
def test_box_holds_every_sampled_border_point(kind, seed):
    transform = MAKERS[kind](np.random.default_rng(seed))
    tile = {"width": SIZE, "height": SIZE, "transforms": {"type": "list", "specList": [transform.spec()]}}
    box = tile_bounds(tile)
    steps = np.arange(9) * ((SIZE - 1) / 8)
    edges = [(steps, 0 * steps), (steps, 0 * steps + SIZE), (0 * steps, steps), (0 * steps + SIZE, steps)]
    border = transform.apply(np.concatenate([np.stack(edge, axis=1) for edge in edges]))
    # the box is cut towards 0, which may cost negative coordinates one pixel on either side
    assert (border >= np.array(box[:2]) - 1).all()
    assert (border <= np.array(box[2:]) + 1).all()


def test_lists_of_affines_are_affine():
    both = TransformList([Affine([[2, 0, 1], [0, 3, 2]]), Translation(10, 20)])
    assert both.affine.tolist() == [[2, 0, 11], [0, 3, 22]]
    assert TransformList([both, TransformList([])]).affine.tolist() == both.affine.tolist()


@pytest.mark.parametrize(
    "transform",
    [
        Affine([[1, 2, 0], [2, 4, 0]]),
        Homography(np.ones((3, 3))),
        Polynomial([[5], [7]]),
        TransformList([Translation(1, 1), Affine(np.zeros((2, 3)))]),
    ],
)
def test_what_flattens_the_plane_has_no_inverse(transform):
    with pytest.raises(NotInvertibleError):
        transform.inverse([[1, 2], [3, 5]])


def test_points_beyond_the_range_have_no_inverse():
    parabola = Polynomial([[0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]])  # x' = x^2
    with pytest.raises(NotInvertibleError, match="1 of 2 points, the first is \\(-4.0, 3.0\\)"):
        parabola.inverse([[4, 3], [-4, 3]])


def test_points_come_in_any_shape_and_are_not_changed():
    points = np.arange(12.0).reshape(2, 3, 2)
    kept = points.copy()
    shift = TransformList([Translation(1, 1)])
    assert (shift.apply(points) == kept + 1).all()
    assert (shift.inverse(points) == kept - 1).all()
    assert (points == kept).all()
    assert shift.apply(np.empty((0, 2))).shape == (0, 2)
    assert TransformList([]).apply(points) is not points


@kinds
def test_no_points_are_mapped_to_no_points(kind):
    transform = MAKERS[kind](np.random.default_rng(3))
    assert transform.apply(np.empty((0, 2))).shape == (0, 2)
    assert transform.inverse(np.empty((0, 2))).shape == (0, 2)
