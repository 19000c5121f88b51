"""What all coordinate transforms share, and the two that are made of others: lists and interpolations."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.meshes import finite_rows
from rendermodules.core.sections import TransformSpec

Floats = NDArray[np.float64]

_ITERATIONS = 100
_HALVINGS = 10
_DIFFERENCE = 1e-4
_TOLERANCE = 1e-9
_ROWS_AT_ONCE = 1 << 20


class TransformError(ValueError):
    """A transform spec that cannot be understood: unknown class, wrong numbers, missing or circular references."""


class NotInvertibleError(ValueError):
    """Points that no transform leads back from."""


class CoordinateTransform(ABC):
    """A mapping of the plane. Instances are immutable and may be shared by threads."""

    def apply(self, points: ArrayLike) -> Floats:
        """Return where ``points`` go.

        Parameters
        ----------
        points : (..., 2) float array
            Columns x, y; pixels of the frame that the transform starts from.

        Returns
        -------
        (..., 2) float array
            A new array, in the frame that the transform leads to.
        """
        array = np.asarray(points, dtype=np.float64)
        return self._mapped(array.reshape(-1, 2)).reshape(array.shape)

    def inverse(self, points: ArrayLike) -> Floats:
        """Return the points that ``apply`` takes to ``points``.

        Exact where the class has an inverse in closed form; otherwise Newton's method, to 1e-9 of the size of the
        coordinates.

        Parameters
        ----------
        points : (..., 2) float array
            Columns x, y.

        Returns
        -------
        (..., 2) float array

        Raises
        ------
        NotInvertibleError
            Some point has no inverse, or the iteration does not find it.
        """
        array = np.asarray(points, dtype=np.float64)
        return self._unmapped(array.reshape(-1, 2)).reshape(array.shape)

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix of rows ``m00 m01 m02`` and ``m10 m11 m12``; None if the transform is not affine."""
        return None

    @abstractmethod
    def spec(self, transform_id: str | None = None, labels: Sequence[str] = ()) -> TransformSpec:
        """Return the transform as Render's JSON, with an id and labels if they are given."""

    @abstractmethod
    def _mapped(self, points: Floats) -> Floats:
        """Return where (n, 2) ``points`` go, as a new array."""

    def _first_guess(self, points: Floats) -> Floats:
        """Return points from which to search for the inverse of ``points``."""
        return points

    def _unmapped(self, points: Floats) -> Floats:
        """Return the inverse of (n, 2) ``points`` by Newton's method, each step shortened until it lowers the error."""
        estimate = np.array(self._first_guess(points))
        error = self._mapped(estimate) - points
        active = np.arange(len(points))
        for _ in range(_ITERATIONS):
            moved, moved_error = self._step(estimate[active], error[active], points[active])
            better = _size(moved_error) < _size(error[active])
            active = active[better]
            if not len(active):
                break
            estimate[active], error[active] = moved[better], moved_error[better]
        lost = ~(_size(error) <= _TOLERANCE * np.maximum(1.0, _size(points)))
        if not lost.any():
            return estimate
        x, y = points[lost][0]
        raise NotInvertibleError(
            f"{type(self).__name__}: no inverse found for {lost.sum()} of {len(points)} points, the first is ({x}, {y})"
        )

    def _step(self, estimate: Floats, error: Floats, points: Floats) -> tuple[Floats, Floats]:
        """Return better estimates and their errors; no better where no step of this direction helps."""
        step = self._newton_step(estimate, error)
        moved, moved_error = estimate, error
        for _ in range(_HALVINGS):
            worse = ~(_size(moved_error) < _size(error))
            if not worse.any():
                break
            moved = np.where(worse[:, None], estimate - step, moved)
            moved_error = self._mapped(moved) - points
            step = step / 2
        return moved, moved_error

    def _newton_step(self, estimate: Floats, error: Floats) -> Floats:
        difference = _DIFFERENCE * np.maximum(1.0, _size(estimate))[:, None]
        right = np.array([1.0, 0.0]) * difference
        down = np.array([0.0, 1.0]) * difference
        by_x = (self._mapped(estimate + right) - self._mapped(estimate - right)) / (2 * difference)
        by_y = (self._mapped(estimate + down) - self._mapped(estimate - down)) / (2 * difference)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            determinant = by_x[:, 0] * by_y[:, 1] - by_x[:, 1] * by_y[:, 0]
            step_x = (by_y[:, 1] * error[:, 0] - by_y[:, 0] * error[:, 1]) / determinant
            step_y = (by_x[:, 0] * error[:, 1] - by_x[:, 1] * error[:, 0]) / determinant
        step = np.stack([step_x, step_y], axis=1)
        # where the derivative vanishes nothing is known; the error itself is the step of a mapping near identity
        return np.where(finite_rows(step)[:, None], step, error)


def _size(vectors: Floats) -> Floats:
    """Return the larger absolute component of each row."""
    sizes: Floats = np.abs(vectors).max(axis=1, initial=0.0)
    return sizes


class LeafTransform(CoordinateTransform):
    """A transform that Render stores as a Java class name and a string of numbers."""

    class_name: ClassVar[str]
    """Java class that the transform is written as."""

    @property
    @abstractmethod
    def data_string(self) -> str:
        """The numbers as the Java class reads them; reading them again gives an equal transform."""

    @classmethod
    @abstractmethod
    def from_data_string(cls, data_string: str) -> CoordinateTransform:
        """Return the transform that a data string describes; ``TransformError`` if it describes none."""

    def spec(self, transform_id: str | None = None, labels: Sequence[str] = ()) -> TransformSpec:
        """Return the transform as Render's JSON leaf, with an id and labels if they are given."""
        leaf = {"className": self.class_name, "dataString": self.data_string}
        return {"type": "leaf", **_identity(transform_id, labels), **leaf}

    def __repr__(self) -> str:
        text = self.data_string
        return f"{type(self).__name__}({text if len(text) <= 80 else text[:77] + '...'})"


class TransformList(CoordinateTransform):
    """Transforms in turn, the first applied first. An empty list is the identity.

    Parameters
    ----------
    parts : iterable of CoordinateTransform
    """

    def __init__(self, parts: Iterable[CoordinateTransform]) -> None:
        self.parts = tuple(parts)

    def _mapped(self, points: Floats) -> Floats:
        if not self.parts:
            return points.copy()
        for part in self.parts:
            points = part._mapped(points)
        return points

    def _unmapped(self, points: Floats) -> Floats:
        points = points.copy()
        for part in reversed(self.parts):
            points = part._unmapped(points)
        return points

    def _first_guess(self, points: Floats) -> Floats:
        for part in reversed(self.parts):
            points = part._first_guess(points)
        return points

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix of the whole list; None if a part is not affine."""
        if len(self.parts) == 1:
            return self.parts[0].affine
        product = np.eye(3)
        for part in self.parts:
            matrix = part.affine
            if matrix is None:
                return None
            product = np.vstack([matrix, [0.0, 0.0, 1.0]]) @ product
        return product[:2]

    def spec(self, transform_id: str | None = None, labels: Sequence[str] = ()) -> TransformSpec:
        """Return the list as Render's JSON."""
        parts = [part.spec() for part in self.parts]
        return {"type": "list", **_identity(transform_id, labels), "specList": parts}

    def __repr__(self) -> str:
        return f"TransformList({list(self.parts)!r})"


class Interpolated(CoordinateTransform):
    """A transform between two: a(p) + fraction * (b(p) - a(p)).

    Parameters
    ----------
    a, b : CoordinateTransform
    fraction : float
        0 is ``a``, 1 is ``b``; Render's ``lambda``.
    """

    def __init__(self, a: CoordinateTransform, b: CoordinateTransform, fraction: float) -> None:
        self.a = a
        self.b = b
        self.fraction = fraction

    def _mapped(self, points: Floats) -> Floats:
        start = self.a._mapped(points)
        return start + (self.b._mapped(points) - start) * self.fraction

    def _first_guess(self, points: Floats) -> Floats:
        start = self.a._first_guess(points)
        return start + (self.b._first_guess(points) - start) * self.fraction

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix between those of ``a`` and ``b``; None if one of them is not affine."""
        start, end = self.a.affine, self.b.affine
        return None if start is None or end is None else start + (end - start) * self.fraction

    def spec(self, transform_id: str | None = None, labels: Sequence[str] = ()) -> TransformSpec:
        """Return the interpolation as Render's JSON."""
        ends = {"a": self.a.spec(), "b": self.b.spec(), "lambda": self.fraction}
        return {"type": "interpolated", **_identity(transform_id, labels), **ends}

    def __repr__(self) -> str:
        return f"Interpolated({self.a!r}, {self.b!r}, {self.fraction})"


def _identity(transform_id: str | None, labels: Sequence[str]) -> TransformSpec:
    identity: TransformSpec = {} if transform_id is None else {"id": transform_id}
    return {**identity, "metaData": {"labels": list(labels)}} if labels else identity


def sum_in_order(terms: Floats) -> Floats:
    """Return the sum over the first axis, added one after the other.

    ``numpy.sum`` and matrix products add in an order that hangs on the number of points. A point must be mapped to the
    same place whether it comes alone or as one of many, or it may be lost on the border of a mesh.
    """
    total: Floats = np.add.accumulate(terms, axis=0)[-1]
    return total


def in_batches(points: Floats, terms: int) -> Iterable[slice]:
    """Return slices of ``points`` so small that an array of ``terms`` numbers for each takes about 8 MB."""
    rows = max(1, _ROWS_AT_ONCE // max(1, terms))
    return (slice(begin, begin + rows) for begin in range(0, len(points), rows))
