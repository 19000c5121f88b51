import pytest

from rendermodules.core.transforms import LensCorrection, Polynomial, TransformError


def test_terms_come_in_render_order():
    coefficients = [[0] * 10, [0] * 10]
    for place, value in enumerate((1, 2, 3, 4, 6, 9, 8, 12, 18, 27)):  # at x = 2, y = 3
        coefficients[0] = [int(place == index) for index in range(10)]
        assert Polynomial(coefficients).apply([[2, 3]]).tolist() == [[value, 0]]


def test_first_order_is_affine():
    polynomial = Polynomial([[20, 1.02, 0.03], [-15, -0.02, 0.98]])
    assert polynomial.affine.tolist() == [[1.02, 0.03, 20], [-0.02, 0.98, -15]]
    assert polynomial.data_string == "20.0 1.02 0.03 -15.0 -0.02 0.98"
    assert Polynomial([[5], [6]]).affine.tolist() == [[0, 0, 5], [0, 0, 6]]


@pytest.mark.parametrize("coefficients", [[[1, 2], [3, 4]], [[], []], [[1, 2, 3]]])
def test_coefficients_must_be_those_of_an_order(coefficients):
    with pytest.raises(TransformError):
        Polynomial(coefficients)


@pytest.mark.parametrize("data", ["1 2 3", "1 2 3 4 5 6 7 8"])
def test_data_must_be_those_of_an_order(data):
    with pytest.raises(TransformError, match="coefficients"):
        Polynomial.from_data_string(data)


def test_lens_correction_normalises_its_terms():
    #          x       y       x^2     xy      y^2     constant
    factors = [[2, 0], [0, 2], [1, 0], [0, 1], [0, 0], [0.5, 0.25]]
    lens = LensCorrection(2, factors, [1, 1, 4, 6, 9, 0], [1, 2, 1, 1, 1, 0], 640, 480)
    assert lens.apply([[3, 5]]).tolist() == [[2 * 2 + (9 - 4) + 50, 2 * 2 + (15 - 6) + 25]]
    assert lens.data_string.startswith("2 6 2.0 0.0 0.0 2.0 1.0")
    assert lens.data_string.endswith(" 640 480")


@pytest.mark.parametrize(
    "data",
    ["1 2 3", "1.5 3 1 0 0 1 0 0 0 0 0 1 1 1 5 5", "1 4 1 0 0 1 0 0 0 0 0 1 1 1 5 5", "1 3 1 0 0 1 0 0 0 0 0 1 1 1 5",
     "-1 0 5 5", "1 3 1 0 0 1 0 0 0 0 0 0 1 1 5 5", "1e300 3 4 5"],
)  # fmt: skip
def test_broken_lens_corrections_are_refused(data):
    with pytest.raises(TransformError):
        LensCorrection.from_data_string(data)


def test_render_python_writes_whole_numbers_with_a_point():
    lens = LensCorrection.from_data_string("1.0 3.0 1 0 0 1 0 0 0 0 0 1 1 1 512.0 256.0 ")
    assert lens.apply([[3, 4]]).tolist() == [[3, 4]]
    assert (lens.width, lens.height) == (512, 256)
