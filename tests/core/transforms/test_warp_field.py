import numpy as np
import pytest

from rendermodules.core.transforms import AffineWarpField, TransformError

IDENTITY = np.eye(2, 3)
SHIFTED = np.array([[1.0, 0, 8], [0, 1, 0]])


def field(**options):
    return AffineWarpField([100, 0], [40, 20], [[IDENTITY, SHIFTED]], **options)


def test_affines_are_interpolated_between_cell_centres():
    # centres at x = 110 and 130; beyond them the field goes on as it is there
    assert field().apply([[115, 10], [100, 3], [0, 3], [130, 3], [500, 3]])[:, 0].tolist() == [117, 100, 0, 138, 508]


def test_nearest_takes_one_affine():
    assert field(nearest=True).apply([[119, 10], [121, 10]])[:, 0].tolist() == [119, 129]


def test_a_field_of_one_affine_is_affine():
    assert AffineWarpField([0, 0], [5, 5], [[SHIFTED, SHIFTED]]).affine.tolist() == SHIFTED.tolist()
    assert field().affine is None


def test_few_values_are_written_plainly_and_many_packed():
    assert " none 1.0 1.0 " in field().data_string
    large = AffineWarpField([0, 0], [5, 5], np.random.default_rng(1).normal(size=(2, 6, 2, 3)))
    assert " 2 6 net.imglib2" in large.data_string
    assert " base64 " in large.data_string


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("NLinear", "Lanczos"), "interpolator .* not known"),
        (("none", "hex"), "encoding hex is not known"),
        (("40.0", "0.0"), "must have a size"),
        ((" 1 2 ", " 1 3 "), "must have 18 numbers"),
        ((" 1 2 ", " 1 x "), "must read"),
    ],
)
def test_broken_data_are_refused(change, message):
    with pytest.raises(TransformError, match=message):
        AffineWarpField.from_data_string(field().data_string.replace(*change))
