"""How good the matches of a pair are, as figures by which ways of matching can be compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.estimation import EstimationError, fitted_model, inverted, transformed
from rendermodules.core.geometry import covered_part
from rendermodules.core.match_frames import MatchFrame
from rendermodules.core.pointmatches import PointMatches

_CELLS = 5


@dataclass(frozen=True)
class MatchScore:
    """Figures of the matches of one pair.

    Attributes
    ----------
    count : int
        Number of matches.
    residual : float
        Root mean square distance from one affine, in pixels of q.
    coverage : float
        In what part of the overlap, cut into 5 x 5 cells, there are matches, 0 to 1.
    uncertainty : float
        How far the affine may be off in the worst corner of the overlap: one standard error, in pixels of q. Many
        matches, small residuals and matches that are spread all make it small.
    """

    count: int
    residual: float
    coverage: float
    uncertainty: float


def match_score(matches: PointMatches, p: MatchFrame, q: MatchFrame) -> MatchScore | None:
    """Return the figures of the matches of a pair; None if they do not determine an affine."""
    count = len(matches)
    try:
        matrix = fitted_model(matches.p, matches.q, "AFFINE")
        overlap = _overlap(p, q, matrix)
    except EstimationError:
        return None
    off = np.square(transformed(matrix, matches.p) - matches.q).sum(axis=1)
    if count <= 3 or (overlap[1] <= overlap[0]).any():
        return None
    # squares of both axes, three parameters each
    variance = off.sum() / (2 * (count - 3))
    return MatchScore(
        count,
        float(np.sqrt(off.mean())),
        covered_part(matches.p, overlap.ravel(), _CELLS),
        float(np.sqrt(variance * _largest_leverage(matches.p, overlap))),
    )


def _overlap(p: MatchFrame, q: MatchFrame, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the low and high corner of the part of p on which q lies, in the frame of p."""
    (low_x, low_y), (high_x, high_y) = q.box
    corners = np.array([[low_x, low_y], [high_x, low_y], [high_x, high_y], [low_x, high_y]])
    in_p = transformed(inverted(matrix), corners)
    return np.array([np.maximum(in_p.min(axis=0), p.box[0]), np.minimum(in_p.max(axis=0), p.box[1])])


def _largest_leverage(points: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """Return the variance of a fitted affine in the worst corner of a box, as part of that of a single point."""
    middle = points.mean(axis=0)
    size = np.abs(points - middle).max()
    design = np.column_stack([np.ones(len(points)), (points - middle) / size])
    (low_x, low_y), (high_x, high_y) = (box - middle) / size
    corners = np.array([[1, x, y] for x in (low_x, high_x) for y in (low_y, high_y)])
    solved = np.linalg.solve(design.T @ design, corners.T)
    return float((corners.T * solved).sum(axis=0).max())
