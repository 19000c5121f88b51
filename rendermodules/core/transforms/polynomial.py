"""Polynomials, and the polynomial with normalised terms that TrakEM2 uses for lens corrections."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.transforms.base import (
    Floats,
    LeafTransform,
    NotInvertibleError,
    TransformError,
)
from rendermodules.core.transforms.linear import Affine, inverted
from rendermodules.core.transforms.numbers import frozen, numbers, text_of


def _polynomial(points: Floats, powers: list[tuple[int, int]], terms: Iterable[tuple[Floats, float, float]]) -> Floats:
    """Return the sum over terms of factor * (x^i y^j - mean) / variance.

    ``powers`` are the (i, j) of each term, ``terms`` its factors for x' and y', mean and variance.
    """
    x_powers, y_powers = [np.ones(len(points))], [np.ones(len(points))]
    for _ in range(max((max(pair) for pair in powers), default=0)):
        x_powers.append(x_powers[-1] * points[:, 0])
        y_powers.append(y_powers[-1] * points[:, 1])
    result = np.zeros_like(points)
    for (i, j), (factors, mean, variance) in zip(powers, terms, strict=True):
        result += ((x_powers[i] * y_powers[j] - mean) / variance)[:, None] * factors
    return result


class Polynomial(LeafTransform):
    """A polynomial in x and y for each coordinate.

    Parameters
    ----------
    coefficients : (2, n) float array
        For x' and for y', factors of 1, x, y, x^2, xy, y^2, x^3, x^2 y, ...; n is 1, 3, 6, 10, ...
    """

    class_name = "mpicbg.trakem2.transform.PolynomialTransform2D"

    def __init__(self, coefficients: ArrayLike) -> None:
        self.coefficients = frozen(coefficients, (2, -1), "coefficients of a polynomial")
        count = self.coefficients.shape[1]
        self.order = int((np.sqrt(8 * count + 1) - 3) / 2 + 1e-9)
        if count == 0 or (self.order + 1) * (self.order + 2) // 2 != count:
            raise TransformError(f"a polynomial has 1, 3, 6, 10, ... coefficients for each coordinate, not {count}")
        self._powers = [(degree - j, j) for degree in range(self.order + 1) for j in range(degree + 1)]

    def _mapped(self, points: Floats) -> Floats:
        return _polynomial(points, self._powers, ((factors, 0.0, 1.0) for factors in self.coefficients.T))

    def _first_guess(self, points: Floats) -> Floats:
        # the coordinates that a polynomial leads to may be far from those that it starts at; its affine part knows
        try:
            return Affine(inverted(self._affine_part()))._mapped(points)
        except NotInvertibleError:
            return points

    def _affine_part(self) -> Floats:
        padded = np.zeros((2, 3))
        padded[:, : min(3, self.coefficients.shape[1])] = self.coefficients[:, :3]
        return padded[:, [1, 2, 0]]

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix if no term of second or higher order is left; otherwise None."""
        return None if self.coefficients[:, 3:].any() else self._affine_part()

    @property
    def data_string(self) -> str:
        """All coefficients of x', then all of y'."""
        return text_of(self.coefficients.ravel())

    @classmethod
    def from_data_string(cls, data_string: str) -> "Polynomial":
        """Return the polynomial of 2n coefficients."""
        values = numbers(data_string)
        if len(values) % 2:
            raise TransformError(f"a polynomial has as many coefficients for x as for y, not {len(values)} in all")
        return cls(np.reshape(values, (2, -1)))


class LensCorrection(LeafTransform):
    """TrakEM2's non-linear lens correction: a polynomial with normalised terms.

    Parameters
    ----------
    dimension : int
        Highest degree of a term.
    coefficients : (n, 2) float array
        Factors for x' and y' of the terms x, y, x^2, xy, y^2, x^3, ... (power of x falling within a degree), and of
        the constant 100 last; n = (dimension + 1) (dimension + 2) / 2.
    mean, variance : (n,) float arrays
        Each term is (term - mean) / variance; the last value of each is not used.
    width, height : int, default: 0
        Size of the images that the correction was made for, in pixels; they do not change the mapping.
    """

    class_name = "mpicbg.trakem2.transform.NonLinearCoordinateTransform"

    def __init__(
        self,
        dimension: int,
        coefficients: ArrayLike,
        mean: ArrayLike,
        variance: ArrayLike,
        width: int = 0,
        height: int = 0,
    ) -> None:
        length = (dimension + 1) * (dimension + 2) // 2
        self.dimension = dimension
        self.coefficients = frozen(coefficients, (length, 2), "coefficients of a lens correction")
        self.mean = frozen(mean, (length,), "means of a lens correction")
        self.variance = frozen(variance, (length,), "variances of a lens correction")
        if not self.variance[:-1].all():
            raise TransformError("variances of a lens correction must not be 0")
        self.width = width
        self.height = height
        degrees = range(1, dimension + 1)
        self._powers = [(j, degree - j) for degree in degrees for j in range(degree, -1, -1)]

    def _mapped(self, points: Floats) -> Floats:
        terms = zip(self.coefficients[:-1], self.mean[:-1], self.variance[:-1], strict=True)
        constant: Floats = 100.0 * self.coefficients[-1]
        return _polynomial(points, self._powers, terms) + constant

    @property
    def data_string(self) -> str:
        """``dimension n``, the coefficients x and y by turns, the means, the variances, ``width height``."""
        length = len(self.mean)
        values = np.concatenate([self.coefficients.ravel(), self.mean, self.variance])
        return f"{self.dimension} {length} {text_of(values)} {self.width} {self.height}"

    @classmethod
    def from_data_string(cls, data_string: str) -> "LensCorrection":
        """Return the lens correction of a data string."""
        values = numbers(data_string)
        if len(values) < 4:
            raise TransformError(f"a lens correction has at least 4 numbers, not {len(values)}")
        dimension, length = values[:2]
        # render-python writes whole numbers with a decimal point
        if not dimension.is_integer() or not 0 <= dimension <= 100:
            raise TransformError(f"the dimension of a lens correction cannot be {dimension}")
        dimension = int(dimension)
        if length != (dimension + 1) * (dimension + 2) // 2:
            raise TransformError(f"a lens correction of dimension {dimension} cannot have length {length}")
        length = int(length)
        if len(values) != 4 + 4 * length:
            raise TransformError(
                f"a lens correction of dimension {dimension} has {4 + 4 * length} numbers, not {len(values)}"
            )
        coefficients = np.reshape(values[2 : 2 + 2 * length], (length, 2))
        mean, variance = np.reshape(values[2 + 2 * length : -2], (2, length))
        return cls(dimension, coefficients, mean, variance, int(values[-2]), int(values[-1]))
