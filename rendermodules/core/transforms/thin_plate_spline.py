"""Thin plate splines."""

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.transforms.base import (
    Floats,
    LeafTransform,
    NotInvertibleError,
    TransformError,
    in_batches,
    sum_in_order,
)
from rendermodules.core.transforms.linear import Affine, inverted
from rendermodules.core.transforms.numbers import frozen, packed, unpacked

_KERNEL = "ThinPlateSplineR2LogR"
_SAME_POINT = 1e-8


class ThinPlateSpline(LeafTransform):
    """p' = p + A p + b + sum of w_i r_i^2 log r_i, where r_i is the distance of p to landmark i.

    Parameters
    ----------
    source : (n, 2) float array
        Landmarks x, y, in the frame that the spline starts from.
    weights : (n, 2) float array
        Weight of each landmark for x' and y'.
    affine : (2, 3) float array, optional
        ``[A | b]``, an offset to the identity; none if absent.

    References
    ----------
    .. [1] F. L. Bookstein, "Principal warps: thin-plate splines and the decomposition of deformations",
       IEEE Trans. PAMI 11 (1989). :DOI:`10.1109/34.24792`
    """

    class_name = "mpicbg.trakem2.transform.ThinPlateSplineTransform"

    def __init__(self, source: ArrayLike, weights: ArrayLike, affine: ArrayLike | None = None) -> None:
        self.source = frozen(source, (-1, 2), "landmarks of a thin plate spline")
        self.weights = frozen(weights, self.source.shape, "weights of a thin plate spline")
        self.affine_offset = None if affine is None else frozen(affine, (2, 3), "affine part of a thin plate spline")

    def _linear_part(self) -> Affine:
        identity = np.eye(2, 3)
        return Affine(identity if self.affine_offset is None else self.affine_offset + identity)

    def _mapped(self, points: Floats) -> Floats:
        result = np.zeros_like(points)
        for part in in_batches(points, len(self.source)) if len(self.source) else ():
            x = points[part, 0] - self.source[:, 0, None]
            y = points[part, 1] - self.source[:, 1, None]
            distance = np.sqrt(x * x + y * y)
            logarithm = np.log(np.maximum(distance, _SAME_POINT))
            kernel = np.where(distance < _SAME_POINT, 0.0, distance * distance * logarithm)
            for axis in (0, 1):
                result[part, axis] = sum_in_order(kernel * self.weights[:, axis, None])
        if self.affine_offset is None:
            return result + points
        x_factors, y_factors, offset = self.affine_offset.T
        result += points[:, :1] * x_factors
        result += points[:, 1:] * y_factors
        result += points + offset
        return result

    def _first_guess(self, points: Floats) -> Floats:
        try:
            return Affine(inverted(self._linear_part().matrix))._mapped(points)
        except NotInvertibleError:
            return points

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix if all weights are 0; otherwise None."""
        return None if self.weights.any() else self._linear_part().matrix

    @property
    def data_string(self) -> str:
        """``ThinPlateSplineR2LogR 2 n`` and the packed affine part and landmarks with weights."""
        linear = "null"
        if self.affine_offset is not None:
            linear = packed(np.concatenate([self.affine_offset[:, :2].ravel(), self.affine_offset[:, 2]]))
        landmarks = packed(np.concatenate([self.source.ravel(), self.weights.T.ravel()]))
        return f"{_KERNEL} 2 {len(self.source)} {linear} {landmarks}"

    @classmethod
    def from_data_string(cls, data_string: str) -> "ThinPlateSpline":
        """Return the spline of a data string."""
        fields = data_string.split()
        if len(fields) != 5 or fields[:2] != [_KERNEL, "2"] or not fields[2].isdecimal():
            raise TransformError(f"must read '{_KERNEL} 2 <landmarks> <affine> <points>'")
        count = int(fields[2])
        affine = None
        if fields[3] != "null":
            numbers = unpacked(fields[3], 6, "the affine part")
            affine = np.column_stack([numbers[:4].reshape(2, 2), numbers[4:]])
        numbers = unpacked(fields[4], 4 * count, "landmarks and weights")
        return cls(numbers[: 2 * count].reshape(count, 2), numbers[2 * count :].reshape(2, count).T, affine)
