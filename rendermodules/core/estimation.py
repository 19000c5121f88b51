"""Least squares fits of planar models to corresponding points.

A model is a ``(2, 3)`` matrix that takes a point (x, y) to ``matrix[:, :2] @ (x, y) + matrix[:, 2]``.
All of them are functions of the weighted moments of the points up to second order, so that one product
of matrices fits any number of weightings at once.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

ModelType = Literal["TRANSLATION", "RIGID", "SIMILARITY", "AFFINE"]
"""Planar models by Render's names."""

MINIMUM_POINTS: dict[ModelType, int] = {"TRANSLATION": 1, "RIGID": 2, "SIMILARITY": 2, "AFFINE": 3}
"""How many pairs of points determine a model."""

_ROUNDING = 1e-12


class EstimationError(ValueError):
    """The points do not determine the model."""


@dataclass(frozen=True)
class PlanarModel:
    """What is fitted: one model, or a blend of two.

    Attributes
    ----------
    model_type : str
        "TRANSLATION", "RIGID", "SIMILARITY" or "AFFINE".
    regularizer_type : str, optional
        A stiffer model, fitted to the same points and blended in.
    regularization : float
        The matrix is ``(1 - regularization) * model + regularization * regularizer``; from 0 to 1.

    Notes
    -----
    Java: mpicbg.models.InterpolatedAffineModel2D; Render's ``matchModelType``, ``matchRegularizerModelType``
    and ``matchInterpolatedModelLambda``.
    """

    model_type: ModelType
    regularizer_type: ModelType | None = None
    regularization: float = 0.0

    def __post_init__(self) -> None:
        for name in (self.model_type, self.regularizer_type):
            if name is not None and name not in MINIMUM_POINTS:
                raise ValueError(f"model {name!r} is none of {', '.join(MINIMUM_POINTS)}")
        if not 0 <= self.regularization <= 1:
            raise ValueError(f"regularization {self.regularization} is not between 0 and 1")

    @property
    def minimum_points(self) -> int:
        """How many pairs of points determine the model."""
        regularizer = MINIMUM_POINTS[self.regularizer_type] if self.regularizer_type else 0
        return max(MINIMUM_POINTS[self.model_type], regularizer)


def transformed(matrix: NDArray[np.float64], points: ArrayLike) -> NDArray[np.float64]:
    """Return ``points`` (n, 2) after the ``(2, 3)`` matrix."""
    return np.asarray(points, dtype=float) @ matrix[:, :2].T + matrix[:, 2]


def inverted(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` matrix that undoes ``matrix``; a singular one raises EstimationError."""
    try:
        linear = np.linalg.inv(matrix[:, :2])
    except np.linalg.LinAlgError as error:
        raise EstimationError(f"the matrix {matrix.tolist()} has no inverse") from error
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def composed(first: NDArray[np.float64], then: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` matrix that acts as ``first`` followed by ``then``."""
    return np.column_stack([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2] + then[:, 2]])


def fitted_model(
    source: ArrayLike, target: ArrayLike, model: PlanarModel | ModelType, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the matrix that takes ``source`` to ``target`` with the least weighted squared error.

    Parameters
    ----------
    source, target : (n, 2) arrays
        Corresponding points, columns x, y.
    model : PlanarModel or str
        What is fitted.
    weights : (n,) array, optional
        One weight per pair, not negative; all 1 if absent. Pairs of weight 0 do not count as points.

    Returns
    -------
    (2, 3) float array
        From the frame of ``source`` to that of ``target``.

    Raises
    ------
    EstimationError
        Fewer points than the model needs, all on one spot or (affine) on one line, or not finite.

    Notes
    -----
    Java: the ``fit`` of mpicbg.models.TranslationModel2D, RigidModel2D, SimilarityModel2D and AffineModel2D.

    References
    ----------
    .. [1] Schaefer, McPhail, Warren, "Image deformation using moving least squares", ACM Transactions on Graphics 25
       (2006), for the closed forms. :DOI:`10.1145/1141911.1141920`
    """
    if not isinstance(model, PlanarModel):
        model = PlanarModel(model)
    source, target, weights = checked_pairs(source, target, weights)
    used = int(np.count_nonzero(weights))
    if used < model.minimum_points:
        raise EstimationError(f"{used} points do not determine a model that needs {model.minimum_points}")
    centre_source = np.average(source, axis=0, weights=weights)
    centre_target = np.average(target, axis=0, weights=weights)
    extent = np.abs(source - centre_source)[weights > 0].max()
    if model.minimum_points > 1 and extent <= _ROUNDING * np.abs(source).max():
        raise EstimationError(f"{used} points that coincide do not determine the model")
    moments = weights @ second_order_monomials(source - centre_source, target - centre_target)
    matrix: NDArray[np.float64] = matrices_from_moments(model, moments[None])[0]
    if not np.isfinite(matrix).all():
        raise EstimationError(f"{used} points on a line do not determine the model")
    return _recentred(matrix, centre_source, centre_target)


def checked_pairs(
    source: ArrayLike, target: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the points (n, 2), their partners and weights (n,) as arrays; EstimationError when they do not pair up."""
    source = np.asarray(source, dtype=float).reshape(-1, 2)
    target = np.asarray(target, dtype=float).reshape(-1, 2)
    weights = np.ones(len(source)) if weights is None else np.asarray(weights, dtype=float)
    if source.shape != target.shape or weights.shape != source.shape[:1]:
        raise EstimationError(
            f"{len(source)} points, {len(target)} partners and {weights.shape} weights do not pair up"
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all() and np.isfinite(weights).all()):
        raise EstimationError("points or weights that are not finite")
    if (weights < 0).any():
        raise EstimationError("negative weights")
    return source, target, weights


def second_order_monomials(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 12) products 1, x, y, X, Y, xx, xy, yy, xX, yX, xY, yY of the pairs; summed they are the moments."""
    (x, y), (u, v) = source.T, target.T
    return np.column_stack([np.ones(len(x)), x, y, u, v, x * x, x * y, y * y, x * u, y * u, x * v, y * v])


def matrices_from_moments(model: PlanarModel, moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the models that weighted sums of `second_order_monomials` determine.

    Parameters
    ----------
    model : PlanarModel
        What is fitted.
    moments : (h, 12) float array
        One row for each set of weights. The points should be centred, or digits are lost.

    Returns
    -------
    (h, 2, 3) float array
        Not a number where the moments do not determine the model.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        means = moments[:, 1:] / moments[:, :1]
        x, y, u, v = means[:, :4].T
        xx, xy, yy = means[:, 4] - x * x, means[:, 5] - x * y, means[:, 6] - y * y
        xu, yu, xv, yv = means[:, 7] - x * u, means[:, 8] - y * u, means[:, 9] - x * v, means[:, 10] - y * v
        linear = _linear_parts(model.model_type, xx, xy, yy, xu, yu, xv, yv)
        if model.regularizer_type is not None:
            stiff = _linear_parts(model.regularizer_type, xx, xy, yy, xu, yu, xv, yv)
            linear = (1 - model.regularization) * linear + model.regularization * stiff
        # every model takes the centroid to the centroid, and so does a blend of two
        shift = np.stack([u, v], axis=-1) - np.einsum("hij,hj->hi", linear, np.stack([x, y], axis=-1))
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def polynomial_terms(points: ArrayLike, order: int) -> NDArray[np.float64]:
    """Return the monomials 1, x, y, x², xy, y², x³ ... of ``points`` (n, 2) up to ``order``, one column each."""
    x, y = np.asarray(points, dtype=float).T
    powers = [x ** (degree - i) * y**i for degree in range(order + 1) for i in range(degree + 1)]
    return np.column_stack(powers)


def fitted_polynomial(
    source: ArrayLike, target: ArrayLike, order: int, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the coefficients of the polynomial that takes ``source`` to ``target`` with least squared error.

    Parameters
    ----------
    source, target : (n, 2) arrays
        Corresponding points, columns x, y.
    order : int
        Highest total degree; 1 is an affine.
    weights : (n,) array, optional
        One weight per pair, not negative; all 1 if absent.

    Returns
    -------
    (2, terms) float array
        Rows x, y; columns as in `polynomial_terms`, which is the order of Render's Polynomial2DTransform.

    Raises
    ------
    EstimationError
        The points do not determine all coefficients.
    """
    source, target, weights = checked_pairs(source, target, weights)
    centre = np.average(source, axis=0, weights=weights) if weights.any() else np.zeros(2)
    size = np.abs(source - centre).max(initial=0.0) or 1.0
    root = np.sqrt(weights)[:, None]
    scaled_terms = polynomial_terms((source - centre) / size, order)
    solution, _, rank, _ = np.linalg.lstsq(root * scaled_terms, root * target, rcond=1e-10)
    if rank < scaled_terms.shape[1]:
        raise EstimationError(
            f"{np.count_nonzero(weights)} points do not determine the {scaled_terms.shape[1]} terms of order {order}"
        )
    return _polynomial_in_pixels(np.asarray(solution.T, dtype=float), order, centre, size)


def _linear_parts(
    model_type: ModelType,
    xx: NDArray[np.float64],
    xy: NDArray[np.float64],
    yy: NDArray[np.float64],
    xu: NDArray[np.float64],
    yu: NDArray[np.float64],
    xv: NDArray[np.float64],
    yv: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (h, 2, 2) linear parts from central second moments."""
    if model_type == "TRANSLATION":
        return np.broadcast_to(np.eye(2), (len(xx), 2, 2))
    spread = xx + yy
    if model_type == "AFFINE":
        determinant = xx * yy - xy * xy
        determinant = np.where(determinant > _ROUNDING * spread * spread, determinant, np.nan)
        rows = [yy * xu - xy * yu, xx * yu - xy * xu, yy * xv - xy * yv, xx * yv - xy * xv]
        return (np.stack(rows, axis=-1) / determinant[:, None]).reshape(-1, 2, 2)
    cosine, sine = xu + yv, xv - yu
    length = np.hypot(cosine, sine) if model_type == "RIGID" else spread
    length = np.where(length > 0, length, np.nan)
    cosine, sine = cosine / length, sine / length
    return np.stack([cosine, -sine, sine, cosine], axis=-1).reshape(-1, 2, 2)


def _recentred(
    matrix: NDArray[np.float64], centre_source: NDArray[np.float64], centre_target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the matrix for points that are not centred, from the one for those that are."""
    shift = matrix[:, 2] + centre_target - matrix[:, :2] @ centre_source
    return np.column_stack([matrix[:, :2], shift])


def _polynomial_in_pixels(
    scaled: NDArray[np.float64], order: int, centre: NDArray[np.float64], size: float
) -> NDArray[np.float64]:
    """Return the coefficients in x, y of a polynomial given in (x - centre) / size."""
    exponents = [(degree - i, i) for degree in range(order + 1) for i in range(degree + 1)]
    position = {exponent: index for index, exponent in enumerate(exponents)}
    along_x, along_y = (np.poly1d([1 / size, -middle / size]) for middle in centre)
    result = np.zeros_like(scaled)
    for column, (power_x, power_y) in enumerate(exponents):
        for i, in_x in enumerate((along_x**power_x).coefficients[::-1]):
            for j, in_y in enumerate((along_y**power_y).coefficients[::-1]):
                result[:, position[i, j]] += scaled[:, column] * in_x * in_y
    return result
