"""Which point matches to believe after the event: how well those of a pair agree, and with where its tiles lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from rendermodules.core.consensus import ConsensusParameters, filtered_candidates
from rendermodules.core.estimation import (
    MINIMUM_POINTS,
    EstimationError,
    ModelType,
    PlanarModel,
    fitted_model,
    transformed,
)
from rendermodules.core.pointmatches import PointMatches, with_weights

_CONSENSUS_ITERATIONS = 1000


@dataclass(frozen=True)
class PairLimits:
    """When the matches of a pair are believed.

    Attributes
    ----------
    model : str
        One of Render's names, on which the matches have to agree.
    max_residual : float, optional
        Root mean square distance from the model, in pixels of q; any if absent.
    max_deviation : float, optional
        How far the middle of the matches may be from where the tiles lie, in pixels of q; any if absent.
    min_matches : int
        Pairs with fewer are not believed.
    """

    model: ModelType
    max_residual: float | None
    max_deviation: float | None
    min_matches: int


@dataclass(frozen=True)
class Agreement:
    """When single matches of a pair are believed.

    Attributes
    ----------
    model : str
        One of Render's names.
    max_epsilon : float
        How far a match may be off the model on which most agree, in pixels of q.
    points_per_cluster : int, optional
        Matches are divided into clusters of about so many that lie together, each with a model of its own, for tissue
        that is bent. All are taken together if absent.
    """

    model: ModelType
    max_epsilon: float
    points_per_cluster: int | None


@dataclass(frozen=True)
class PairJudgement:
    """How well the matches of a pair agree.

    Attributes
    ----------
    count : int
        Matches of positive weight.
    residual : float, optional
        Root mean square distance from the model, in pixels of q; absent where the points do not determine it.
    deviation : float, optional
        How far the middle of the matches is from where the tiles lie, in pixels of q; absent where that is not known.
    reason : str, optional
        Why the pair is not believed.
    """

    count: int
    residual: float | None
    deviation: float | None
    reason: str | None


def judged_pair(matches: PointMatches, expected: NDArray[np.float64] | None, limits: PairLimits) -> PairJudgement:
    """Return how well the matches of a pair agree with each other and with where its tiles lie.

    Parameters
    ----------
    matches : PointMatches
        Those of weight 0 take no part.
    expected : (2, 3) float array, optional
        From the frame of p to that of q, as the tiles lie.
    limits : PairLimits
    """
    used = matches.weights > 0
    p, q, weights = matches.p[used], matches.q[used], matches.weights[used]
    count = len(p)
    residual = deviation = None
    if count:
        try:
            matrix = fitted_model(p, q, limits.model, weights)
        except EstimationError:
            matrix = fitted_model(p, q, "TRANSLATION", weights)
        else:
            off = np.square(transformed(matrix, p) - q).sum(axis=1)
            residual = float(np.sqrt(np.average(off, weights=weights)))
        if expected is not None:
            middle = np.average(p, axis=0, weights=weights)[None]
            deviation = float(np.linalg.norm(transformed(matrix, middle) - transformed(expected, middle)))
    return PairJudgement(count, residual, deviation, _reason(count, residual, deviation, limits))


def _reason(count: int, residual: float | None, deviation: float | None, limits: PairLimits) -> str | None:
    if count < limits.min_matches:
        return "too few matches"
    if limits.max_residual is not None and (residual is None or residual > limits.max_residual):
        return "too large residual"
    if limits.max_deviation is None:
        return None
    if deviation is None:
        return "place of the tiles not known"
    return "too far from where the tiles lie" if deviation > limits.max_deviation else None


def filtered_pair(
    matches: PointMatches,
    expected: NDArray[np.float64] | None,
    limits: PairLimits,
    agreement: Agreement | None,
    seed: int,
) -> tuple[PointMatches, PairJudgement]:
    """Return matches with those at weight 0 that are not believed, and how well they agreed before.

    Parameters are those of `judged_pair` and `agreeing_matches`; without ``agreement`` only whole pairs are rejected.
    Single matches go first.
    """
    if agreement is not None:
        matches = with_weights(matches, np.where(agreeing_matches(matches, agreement, seed), matches.weights, 0.0))
    judgement = judged_pair(matches, expected, limits)
    return matches if judgement.reason is None else with_weights(matches, 0.0), judgement


def agreeing_matches(matches: PointMatches, agreement: Agreement, seed: int) -> NDArray[np.bool_]:
    """Return which matches agree on a model with most others, or with most of those around them.

    Parameters
    ----------
    matches : PointMatches
        Those of weight 0 do not agree.
    agreement : Agreement
    seed : int
        Of random choices.
    """
    used = np.flatnonzero(matches.weights > 0)
    agreeing = np.zeros(len(matches), dtype=bool)
    parameters = ConsensusParameters(
        model=PlanarModel(agreement.model),
        match_filter="SINGLE_SET",
        iterations=_CONSENSUS_ITERATIONS,
        max_epsilon=agreement.max_epsilon,
        min_inlier_ratio=0.0,
        min_num_inliers=MINIMUM_POINTS[agreement.model] + 1,
        max_trust=np.inf,
    )
    for members in _clusters(matches.p[used], agreement.points_per_cluster, seed):
        chosen = used[members]
        for one in filtered_candidates(matches.p[chosen], matches.q[chosen], parameters, seed).sets:
            agreeing[chosen[one.indices]] = True
    return agreeing


def _clusters(points: NDArray[np.float64], size: int | None, seed: int) -> list[NDArray[np.intp]]:
    """Return positions of points that lie together, in as many groups as leave each about ``size`` points."""
    count = len(points) // size if size else 1
    while count > 1:
        _, labels = kmeans2(points, count, minit="++", seed=np.random.default_rng(seed))
        sizes = np.bincount(labels, minlength=count)
        if size is None or sizes.min() >= size / 2:
            return [np.flatnonzero(labels == label) for label in range(count)]
        count -= 1
    return [np.arange(len(points))]


def evenly_weighted(pairs: Sequence[PointMatches]) -> list[PointMatches]:
    """Return matches with weights that let all pairs of two sections count as much as the one with the most matches.

    Matches of weight 0 do not count, and keep it.
    """
    counts = [int((one.weights > 0).sum()) for one in pairs]
    most: dict[tuple[str, str], int] = {}
    for one, count in zip(pairs, counts, strict=True):
        groups = one.p_group_id, one.q_group_id
        most[groups] = max(most.get(groups, 0), count)
    return [
        with_weights(one, one.weights * most[one.p_group_id, one.q_group_id] / max(count, 1))
        for one, count in zip(pairs, counts, strict=True)
    ]
