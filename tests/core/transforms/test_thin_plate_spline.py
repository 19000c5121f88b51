import math

import numpy as np
import pytest

from rendermodules.core.transforms import ThinPlateSpline, TransformError


def test_landmarks_pull_by_the_square_of_the_distance_times_its_logarithm():
    spline = ThinPlateSpline([[0, 0]], [[2, 3]], [[0.5, 0, 7], [0, 0.25, 8]])
    pull = 25 * math.log(5)
    np.testing.assert_allclose(spline.apply([[3, 4]]), [[3 + 1.5 + 7 + 2 * pull, 4 + 1 + 8 + 3 * pull]])
    assert spline.apply([[0, 0]]).tolist() == [[7, 8]]


def test_the_affine_part_may_be_absent():
    spline = ThinPlateSpline([[0, 0], [5, 5]], np.zeros((2, 2)))
    assert spline.data_string.startswith("ThinPlateSplineR2LogR 2 2 null ")
    assert spline.affine.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert ThinPlateSpline.from_data_string(spline.data_string).affine_offset is None


@pytest.mark.parametrize(
    "data",
    ["ThinPlateSplineR2LogR 3 1 null x", "Gauss 2 1 null x", "ThinPlateSplineR2LogR 2 -1 null x",
     "ThinPlateSplineR2LogR 2 1 null @AAAA", "ThinPlateSplineR2LogR 2 1 @AAAA @AAAA"],
)  # fmt: skip
def test_broken_splines_are_refused(data):
    with pytest.raises(TransformError):
        ThinPlateSpline.from_data_string(data)


def test_landmarks_and_weights_must_be_as_many():
    with pytest.raises(TransformError, match="weights"):
        ThinPlateSpline([[0, 0], [1, 1]], [[0, 0]])
