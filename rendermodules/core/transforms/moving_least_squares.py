"""Moving least squares: at each point a model of its own, fitted with weights that fall with the distance."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.meshes import affines_of_moments
from rendermodules.core.transforms.base import Floats, LeafTransform, TransformError, in_batches, sum_in_order
from rendermodules.core.transforms.numbers import frozen, numbers, single_precision, single_precision_text, text_of

MODELS = ("translation", "rigid", "similarity", "affine")
_NUMBERS_PER_LANDMARK = 5


class MovingLeastSquares(LeafTransform):
    """The model that fits landmarks best around each point, applied to it.

    A landmark at p counts with w |p - v|^(-2 alpha) at the point v. Landmarks themselves go exactly to their targets.

    Parameters
    ----------
    model : str
        ``translation``, ``rigid``, ``similarity`` or ``affine``.
    source, target : (n, 2) float arrays
        Landmarks x, y, and where they go.
    weights : (n,) float array, optional
        Weight w of each landmark; all 1 if absent.
    alpha : float, default: 1.0
        How local the fit is.

    References
    ----------
    .. [1] S. Schaefer, T. McPhail, J. Warren, "Image deformation using moving least squares", ACM Trans. Graph. 25
       (2006). :DOI:`10.1145/1141911.1141920`
    """

    class_name = "mpicbg.trakem2.transform.MovingLeastSquaresTransform"
    _single_precision: ClassVar[bool] = False

    def __init__(
        self, model: str, source: ArrayLike, target: ArrayLike, weights: ArrayLike | None = None, alpha: float = 1.0
    ) -> None:
        if model not in MODELS:
            raise TransformError(f"moving least squares has no model {model!r}, only {', '.join(MODELS)}")
        self.model = model
        self.source = self._landmarks(source, (-1, 2))
        if not len(self.source):
            raise TransformError("moving least squares without landmarks")
        self.target = self._landmarks(target, self.source.shape)
        weights = np.ones(len(self.source)) if weights is None else weights
        self.weights = self._landmarks(weights, self.source.shape[:1])
        self.alpha = float(alpha)

    def _landmarks(self, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
        array = frozen(values, shape, "landmarks of moving least squares")
        if not self._single_precision:
            return array
        return frozen(np.reshape(single_precision(array.ravel()), array.shape), shape, "landmarks")

    def _mapped(self, points: Floats) -> Floats:
        result = np.empty_like(points)
        for part in in_batches(points, 8 * len(self.source)):
            result[part] = self._mapped_batch(points[part])
        return result

    def _mapped_batch(self, points: Floats) -> Floats:
        """Return where ``points`` go; the arrays within have one row for each landmark, one column for each point."""
        x = points[:, 0] - self.source[:, 0, None]
        y = points[:, 1] - self.source[:, 1, None]
        squared = x * x + y * y
        at_landmark = squared == 0
        factor = self._rounded(self.weights[:, None] / np.where(at_landmark, 1.0, squared) ** self.alpha)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = sum_in_order(factor)
            centre_p, centre_q = (
                [sum_in_order(factor * landmarks[:, axis, None]) / total for axis in (0, 1)]
                for landmarks in (self.source, self.target)
            )
            p = [self.source[:, axis, None] - centre_p[axis] for axis in (0, 1)]
            q = [self.target[:, axis, None] - centre_q[axis] for axis in (0, 1)]
            (m00, m01), (m10, m11) = self._linear_parts(
                factor, p, q, [centre_p[axis] - centre_q[axis] for axis in (0, 1)]
            )
            x, y = points[:, 0], points[:, 1]
            result = np.empty_like(points)
            result[:, 0] = m00 * x + m01 * y + (centre_q[0] - m00 * centre_p[0] - m01 * centre_p[1])
            result[:, 1] = m10 * x + m11 * y + (centre_q[1] - m10 * centre_p[0] - m11 * centre_p[1])
        landmark, found = np.nonzero(at_landmark)
        result[found[::-1]] = self.target[landmark[::-1]]  # of coinciding landmarks the first wins
        return result

    def _rounded(self, factor: Floats) -> Floats:
        """Return the weights of landmarks as precisely as the Java class holds them."""
        return factor.astype(np.float32).astype(np.float64) if self._single_precision else factor

    def _linear_parts(self, factor: Floats, p: list[Floats], q: list[Floats], between: list[Floats]) -> list[list[Any]]:
        """Return the linear part of the model at each point, as rows m00 m01 and m10 m11."""
        if self.model == "translation":
            return [[1.0, 0.0], [0.0, 1.0]]
        if self.model == "affine":
            return self._affine_parts(factor, p, q)
        # the sums do not hang on where q is centred, but their last bits do; Java adds the distance of the centroids
        q = [q[axis] + between[axis] for axis in (0, 1)]
        cosine = sum_in_order(factor * (p[0] * q[0] + p[1] * q[1]))
        sine = sum_in_order(factor * (p[0] * q[1] - p[1] * q[0]))
        if self.model == "rigid":
            size = np.sqrt(cosine * cosine + sine * sine)
        else:
            size = sum_in_order(factor * (p[0] * p[0] + p[1] * p[1]))
        cosine, sine = cosine / size, sine / size
        return [[cosine, -sine], [sine, cosine]]

    def _affine_parts(self, factor: Floats, p: list[Floats], q: list[Floats]) -> list[list[Any]]:
        moments = [[sum_in_order(factor * p[i] * p[j]) for j in (0, 1)] for i in (0, 1)]
        products = [[sum_in_order(factor * p[i] * q[j]) for j in (0, 1)] for i in (0, 1)]
        nothing = np.zeros((factor.shape[1], 2))
        fitted = affines_of_moments(
            np.moveaxis(np.array(moments), 2, 0), np.moveaxis(np.array(products), 2, 0), nothing, nothing
        )
        return [[fitted[:, i, j] for j in (0, 1)] for i in (0, 1)]

    def _first_guess(self, points: Floats) -> Floats:
        # the reverse spline is no inverse, but lands near enough however far apart the two frames are
        reverse = MovingLeastSquares(self.model, self.target, self.source, self.weights, self.alpha)
        guess = reverse._mapped(points)
        return np.where(np.isfinite(guess), guess, points)

    @property
    def data_string(self) -> str:
        """``model 2 alpha``, then for each landmark ``px py qx qy w``."""
        rows = np.column_stack([self.source, self.target, self.weights]).ravel()
        text = single_precision_text(rows) if self._single_precision else text_of(rows)
        return f"{self.model} 2 {self.alpha!r} {text}"

    @classmethod
    def from_data_string(cls, data_string: str) -> "MovingLeastSquares":
        """Return the transform of a data string."""
        fields = data_string.split()
        if len(fields) < 3 or fields[1] != "2":
            raise TransformError("must read '<model> 2 <alpha> <px py qx qy w>...'")
        values = numbers(fields[2:])
        if (len(values) - 1) % _NUMBERS_PER_LANDMARK:
            raise TransformError(f"has {len(values) - 1} numbers for landmarks, which come as px py qx qy w")
        rows = np.reshape(values[1:], (-1, _NUMBERS_PER_LANDMARK))
        return cls(fields[0], rows[:, :2], rows[:, 2:4], rows[:, 4], values[0])


class MovingLeastSquares2(MovingLeastSquares):
    """Moving least squares with landmarks in single precision, as the newer Java class holds them."""

    class_name = "mpicbg.trakem2.transform.MovingLeastSquaresTransform2"
    _single_precision = True
