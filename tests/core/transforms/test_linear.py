import math

import pytest

from rendermodules.core.transforms import Affine, Homography, Rigid, Similarity, TransformError, Translation


def test_affine_data_string_goes_by_columns():
    affine = Affine([[1, 2, 3], [4, 5, 6]])
    assert affine.data_string == "1.0 4.0 2.0 5.0 3.0 6.0"
    assert affine.apply([[10, 100]]).tolist() == [[213, 546]]
    assert Affine([[1, 2, 3], [4, 5, 6], [0, 0, 1]]).matrix.tolist() == affine.matrix.tolist()


def test_numbers_of_the_special_cases_are_those_that_java_parses():
    assert Translation(40.3, 0).matrix[0, 2] == 40.29999923706055
    assert Translation(40.3, 0).data_string == "40.3 0.0"
    rigid = Rigid(math.pi / 2, 1, 2)
    assert rigid.data_string == "1.5707964 1.0 2.0"
    assert rigid.apply([[1, 0]])[0].tolist() == pytest.approx([1, 3], abs=1e-7)
    similarity = Similarity(0, 2, 10, 20)
    assert similarity.apply([[1, 0]]).tolist() == [[10, 22]]
    assert similarity.data_string == "0.0 2.0 10.0 20.0"


def test_homography_divides_by_the_third_component():
    homography = Homography([[2, 0, 0], [0, 2, 0], [0, 1, 2]])
    assert homography.apply([[3, 2]]).tolist() == [[1.5, 1]]
    assert homography.affine is None
    assert Homography([[2, 0, 4], [0, 2, 6], [0, 0, 2]]).affine.tolist() == [[1, 0, 2], [0, 1, 3]]


def test_matrices_of_other_shapes_are_refused():
    with pytest.raises(TransformError, match="shape"):
        Affine([[1, 2], [3, 4]])
    with pytest.raises(TransformError, match="shape"):
        Homography([[1, 2, 3]])
