import numpy as np
import pytest

from rendermodules.core.transforms import MovingLeastSquares, MovingLeastSquares2, TransformError

SQUARE = np.array([[0, 0], [100, 0], [0, 100], [100, 100.0]])
TURNED = SQUARE @ [[0, 1], [-1, 0]]  # by a right angle from x to y


@pytest.mark.parametrize("model", ["rigid", "similarity", "affine"])
def test_landmarks_moved_by_the_model_give_the_model(model):
    transform = MovingLeastSquares(model, SQUARE, TURNED + [500, 600])
    np.testing.assert_allclose(transform.apply([[30, 10]]), [[490, 630]], atol=1e-9)


def test_the_translation_is_a_weighted_mean():
    transform = MovingLeastSquares("translation", [[0, 0], [4, 0]], [[1, 0], [4, 8]], [1, 9])
    # at a third of the way the nearer landmark counts nine times, as does the other by its weight
    assert transform.apply([[1, 0]]).tolist() == [[1.5, 4]]


def test_landmarks_go_exactly_to_their_targets():
    rng = np.random.default_rng(1)
    target = rng.normal(size=SQUARE.shape)
    assert np.array_equal(MovingLeastSquares("affine", SQUARE, target).apply(SQUARE), target)


def test_of_landmarks_in_one_place_the_first_wins():
    transform = MovingLeastSquares("translation", [[0, 0], [0, 0]], [[1, 1], [2, 2]])
    assert transform.apply([[0, 0]]).tolist() == [[1, 1]]


def test_the_newer_class_holds_landmarks_in_single_precision():
    newer = MovingLeastSquares2("rigid", SQUARE + 0.1, SQUARE)
    assert newer.source[0, 0] == np.float32(0.1)
    assert newer.data_string.startswith("rigid 2 1.0 0.1 0.1 0.0 0.0 1.0 ")
    older = MovingLeastSquares("rigid", SQUARE + 0.1, SQUARE)
    assert older.source[0, 0] == 0.1
    assert older.class_name != newer.class_name


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("spline 2 1 0 0 1 1 1", "no model 'spline'"),
        ("rigid 3 1 0 0 1 1 1", "must read"),
        ("rigid 2 1 0 0 1 1", "4 numbers for landmarks"),
        ("rigid 2 1", "without landmarks"),
        ("rigid 2 1 0 0 1e39 1 1", "too large"),
    ],
)
def test_broken_data_are_refused(data, message):
    with pytest.raises(TransformError, match=message):
        MovingLeastSquares2.from_data_string(data)
