"""Shifts of one coordinate that depend on it: distortions of scanning microscopes."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rendermodules.core.transforms.base import Floats, LeafTransform, TransformError
from rendermodules.core.transforms.numbers import expected_numbers, frozen, text_of

_SEPARATORS = re.compile(r"[,\s]+")


class _OffsetOfOneCoordinate(LeafTransform):
    """A shift of x or y by a function of itself.

    Parameters
    ----------
    parameters : sequence of float
        Constants of the function, in the order of the data string.
    dimension : int
        0 shifts x, 1 shifts y.
    """

    _names: ClassVar[str]

    def __init__(self, parameters: Sequence[float], dimension: int) -> None:
        self.parameters = frozen(parameters, (len(self._names.split()),), f"constants {self._names}")
        if dimension not in (0, 1):
            raise TransformError(f"the dimension must be 0 or 1, not {dimension}")
        self.dimension = int(dimension)

    @abstractmethod
    def _offset(self, coordinate: Floats) -> Floats:
        """Return what is added to the coordinate."""

    def _mapped(self, points: Floats) -> Floats:
        result = points.copy()
        # coordinates far outside of an image may overflow; they come out infinite, as they do in Java
        with np.errstate(over="ignore", invalid="ignore"):
            result[:, self.dimension] += self._offset(points[:, self.dimension])
        return result

    @property
    def data_string(self) -> str:
        """The constants and the dimension."""
        return f"{text_of(self.parameters)} {self.dimension}"

    @classmethod
    def from_data_string(cls, data_string: str) -> "_OffsetOfOneCoordinate":
        """Return the transform of constants and a dimension, with commas or blanks between them."""
        fields = _SEPARATORS.split(data_string.strip(", \t\r\n"))
        meaning = f"{cls._names} dimension"
        *parameters, dimension = expected_numbers(fields, len(meaning.split()), meaning)
        if not dimension.is_integer():
            raise TransformError(f"the dimension must be 0 or 1, not {dimension}")
        return cls(parameters, int(dimension))


class SemDistortion(_OffsetOfOneCoordinate):
    """u' = u + a exp(-u / b) + c exp(-u / d)."""

    class_name = "org.janelia.alignment.transform.SEMDistortionTransformA"
    _names = "a b c d"

    def __init__(self, parameters: Sequence[float], dimension: int) -> None:
        super().__init__(parameters, dimension)
        if not self.parameters[1] or not self.parameters[3]:
            raise TransformError("b and d are divided by and must not be 0")

    def _offset(self, coordinate: Floats) -> Floats:
        a, b, c, d = self.parameters
        return np.asarray(a * np.exp(-coordinate / b) + c * np.exp(-coordinate / d))


class ExponentialOffset(_OffsetOfOneCoordinate):
    """u' = u - (a exp(-b u) + c)."""

    class_name = "org.janelia.alignment.transform.ExponentialFunctionOffsetTransform"
    _names = "a b c"

    def _offset(self, coordinate: Floats) -> Floats:
        a, b, c = self.parameters
        return np.asarray(-(a * np.exp(-b * coordinate) + c))


class ExponentialRecoveryOffset(_OffsetOfOneCoordinate):
    """u' = u - (a (1 - exp(-b u)) + c)."""

    class_name = "org.janelia.alignment.transform.ExponentialRecoveryOffsetTransform"
    _names = "a b c"

    def _offset(self, coordinate: Floats) -> Floats:
        a, b, c = self.parameters
        return np.asarray(-(a * (1.0 - np.exp(-b * coordinate)) + c))
