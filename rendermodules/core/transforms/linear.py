"""Transforms with a matrix: affine and its special cases, and homography."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.transforms.base import CoordinateTransform, Floats, LeafTransform, NotInvertibleError
from rendermodules.core.transforms.numbers import (
    expected_numbers,
    frozen,
    numbers,
    single_precision,
    single_precision_text,
    text_of,
)


class Affine(LeafTransform):
    """x' = m00 x + m01 y + m02, y' = m10 x + m11 y + m12.

    Parameters
    ----------
    matrix : (2, 3) or (3, 3) float array
        Rows ``m00 m01 m02`` and ``m10 m11 m12``; a third row is not looked at.
    """

    class_name = "mpicbg.trakem2.transform.AffineModel2D"

    def __init__(self, matrix: ArrayLike) -> None:
        self.matrix = frozen(np.asarray(matrix, dtype=np.float64)[:2], (2, 3), "an affine matrix")

    def _mapped(self, points: Floats) -> Floats:
        x, y = points[:, 0], points[:, 1]
        result = np.empty_like(points)
        for row in (0, 1):
            mx, my, offset = self.matrix[row]
            np.add(x * mx + y * my, offset, out=result[:, row])
        return result

    def _unmapped(self, points: Floats) -> Floats:
        return Affine(inverted(self.matrix))._mapped(points)

    def _first_guess(self, points: Floats) -> Floats:
        return self._unmapped(points)

    @property
    def affine(self) -> Floats:
        """The (2, 3) matrix."""
        return self.matrix

    @property
    def data_string(self) -> str:
        """``m00 m10 m01 m11 m02 m12``."""
        return text_of(self.matrix.T.ravel())

    @classmethod
    def from_data_string(cls, data_string: str) -> "Affine":
        """Return the affine of ``m00 m10 m01 m11 m02 m12``."""
        return Affine(np.reshape(expected_numbers(data_string, 6, "m00 m10 m01 m11 m02 m12"), (3, 2)).T)


def inverted(matrix: Floats) -> Floats:
    """Return the inverse of a (2, 3) affine matrix; ``NotInvertibleError`` if it has none."""
    (m00, m01, m02), (m10, m11, m12) = matrix.tolist()
    determinant = m00 * m11 - m01 * m10
    if determinant == 0 or not math.isfinite(1 / determinant):
        raise NotInvertibleError(f"the affine {matrix.tolist()} flattens the plane")
    linear = np.array([[m11, -m01], [-m10, m00]]) / determinant
    offset = np.array([m01 * m12 - m02 * m11, m02 * m10 - m00 * m12]) / determinant
    return np.column_stack([linear, offset])


class _SinglePrecisionAffine(Affine):
    """An affine with fewer parameters, which Java parses as ``float``.

    The parameters are rounded to single precision, because that is what Java makes of the data string.
    """

    def __init__(self, parameters: Sequence[float]) -> None:
        self.parameters = tuple(single_precision(parameters))
        super().__init__(self._matrix())

    @abstractmethod
    def _matrix(self) -> list[list[float]]:
        """Return the rows of the affine that the parameters stand for."""

    @property
    def data_string(self) -> str:
        """The parameters, as Java parses them."""
        return single_precision_text(self.parameters)

    @classmethod
    def _affine_if_six(cls, values: list[float]) -> Affine | None:
        """Return an affine for six numbers: render-python writes all its matrix transforms that way."""
        return Affine(np.reshape(values, (3, 2)).T) if len(values) == 6 else None


class Translation(_SinglePrecisionAffine):
    """A shift; the offsets are rounded to single precision, as Java does.

    Parameters
    ----------
    offset_x, offset_y : float
        Pixels.
    """

    class_name = "mpicbg.trakem2.transform.TranslationModel2D"

    def __init__(self, offset_x: float, offset_y: float) -> None:
        super().__init__((offset_x, offset_y))

    def _matrix(self) -> list[list[float]]:
        offset_x, offset_y = self.parameters
        return [[1.0, 0.0, offset_x], [0.0, 1.0, offset_y]]

    def _mapped(self, points: Floats) -> Floats:
        return points + self.matrix[:, 2]

    @classmethod
    def from_data_string(cls, data_string: str) -> Affine:
        """Return the translation of ``tx ty``; six numbers are an affine."""
        values = numbers(data_string)
        return cls._affine_if_six(values) or cls(*expected_numbers(data_string, 2, "tx ty"))


class Rigid(_SinglePrecisionAffine):
    """A rotation about the origin and a shift; the parameters are rounded to single precision, as Java does.

    Parameters
    ----------
    angle : float
        Radians, from x towards y.
    offset_x, offset_y : float
        Pixels.
    """

    class_name = "mpicbg.trakem2.transform.RigidModel2D"

    def __init__(self, angle: float, offset_x: float, offset_y: float) -> None:
        super().__init__((angle, offset_x, offset_y))

    def _matrix(self) -> list[list[float]]:
        angle, offset_x, offset_y = self.parameters
        cosine, sine = math.cos(angle), math.sin(angle)
        return [[cosine, -sine, offset_x], [sine, cosine, offset_y]]

    @classmethod
    def from_data_string(cls, data_string: str) -> Affine:
        """Return the rigid transform of ``theta tx ty``; six numbers are an affine."""
        values = numbers(data_string)
        return cls._affine_if_six(values) or cls(*expected_numbers(data_string, 3, "theta tx ty"))


class Similarity(_SinglePrecisionAffine):
    """A rotation, scale and shift; the parameters are rounded to single precision, as Java does.

    Parameters
    ----------
    scaled_cosine, scaled_sine : float
        Cosine and sine of the angle, times the scale.
    offset_x, offset_y : float
        Pixels.
    """

    class_name = "mpicbg.trakem2.transform.SimilarityModel2D"

    def __init__(self, scaled_cosine: float, scaled_sine: float, offset_x: float, offset_y: float) -> None:
        super().__init__((scaled_cosine, scaled_sine, offset_x, offset_y))

    def _matrix(self) -> list[list[float]]:
        cosine, sine, offset_x, offset_y = self.parameters
        return [[cosine, -sine, offset_x], [sine, cosine, offset_y]]

    @classmethod
    def from_data_string(cls, data_string: str) -> Affine:
        """Return the similarity of ``scos ssin tx ty``; six numbers are an affine."""
        values = numbers(data_string)
        return cls._affine_if_six(values) or cls(*expected_numbers(data_string, 4, "scos ssin tx ty"))


class Homography(LeafTransform):
    """A projective transform.

    Parameters
    ----------
    matrix : (3, 3) float array
        Applied to (x, y, 1); the first two components are divided by the third.
    """

    class_name = "mpicbg.trakem2.transform.HomographyModel2D"

    def __init__(self, matrix: ArrayLike) -> None:
        self.matrix = frozen(matrix, (3, 3), "a homography")

    def _mapped(self, points: Floats) -> Floats:
        return _projected(self.matrix, points)

    def _unmapped(self, points: Floats) -> Floats:
        try:
            return _projected(np.linalg.inv(self.matrix).astype(np.float64), points)
        except np.linalg.LinAlgError:
            raise NotInvertibleError(f"the homography {self.matrix.tolist()} flattens the plane") from None

    def _first_guess(self, points: Floats) -> Floats:
        return self._unmapped(points)

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix if the last row is (0, 0, h) with h not 0; otherwise None."""
        last_row = self.matrix[2]
        return self.matrix[:2] / last_row[2] if not last_row[:2].any() and last_row[2] else None

    @property
    def data_string(self) -> str:
        """The matrix, row by row."""
        return text_of(self.matrix.ravel())

    @classmethod
    def from_data_string(cls, data_string: str) -> CoordinateTransform:
        """Return the homography of nine numbers, row by row."""
        return cls(np.reshape(expected_numbers(data_string, 9, "the matrix row by row"), (3, 3)))


def _projected(matrix: Floats, points: Floats) -> Floats:
    x, y = points[:, 0], points[:, 1]
    rows = [x * mx + y * my + offset for mx, my, offset in matrix]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([rows[0] / rows[2], rows[1] / rows[2]], axis=1)
