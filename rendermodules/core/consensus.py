"""Candidates that agree on a planar model, found by random samples among any number of wrong ones."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from rendermodules.core.estimation import (
    EstimationError,
    PlanarModel,
    checked_pairs,
    fitted_model,
    matrices_from_moments,
    second_order_monomials,
    transformed,
)

MatchFilter = Literal["NONE", "SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"]
"""How candidates are filtered, by Render's names."""

_CHUNK_ELEMENTS = 2_000_000


@dataclass(frozen=True)
class ConsensusParameters:
    """When candidates count as agreeing; Render's matching parameters without their prefix ``match``.

    Attributes
    ----------
    model : PlanarModel
        The model on which candidates have to agree.
    match_filter : str
        "NONE" keeps all candidates, "SINGLE_SET" the largest agreeing set, "CONSENSUS_SETS" one set after the other
        as separate results, "AGGREGATED_CONSENSUS_SETS" these as one.
    iterations : int
        Random minimal samples that are tried for each set.
    max_epsilon : float
        A candidate agrees when it is less than this off, in pixels of the target.
    min_inlier_ratio : float
        A set must hold more than this part of the candidates, 0 to 1.
    min_num_inliers : int
        A set must hold at least as many.
    max_trust : float
        Afterwards those farther off than ``max_trust`` times the median are dropped, until none is.
    max_num_inliers : int, optional
        Of larger sets a random part of this size is kept.
    """

    model: PlanarModel
    match_filter: MatchFilter
    iterations: int
    max_epsilon: float
    min_inlier_ratio: float
    min_num_inliers: int
    max_trust: float
    max_num_inliers: int | None = None


@dataclass(frozen=True)
class ConsensusSet:
    """Candidates that agree.

    Attributes
    ----------
    indices : (n,) int array
        Positions among the candidates, ascending.
    matrix : (2, 3) float array, optional
        The model fitted to them; absent when the candidates were not filtered by one.
    """

    indices: NDArray[np.intp]
    matrix: NDArray[np.float64] | None


@dataclass(frozen=True)
class FilteredCandidates:
    """The agreeing sets among candidates, largest first found.

    Attributes
    ----------
    sets : list of ConsensusSet
        Empty when no set satisfied the parameters.
    dropped : dict of str to int
        How many candidates went, by reason.
    """

    sets: list[ConsensusSet]
    dropped: dict[str, int]


def filtered_candidates(
    source: ArrayLike,
    target: ArrayLike,
    parameters: ConsensusParameters,
    seed: int,
    max_chance: float = np.inf,
    area: float = np.inf,
) -> FilteredCandidates:
    """Return those candidates that agree on a model, as one or several sets.

    Parameters
    ----------
    source, target : (n, 2) arrays
        Corresponding points, columns x, y, in pixels.
    parameters : ConsensusParameters
        The model and how well candidates must agree.
    seed : int
        Of the random samples; the same seed gives the same sets.
    max_chance : float, default: infinity
        Sets of which more than so many are expected among as many candidates that are all wrong are dropped: 0.01 lets
        one false set pass in a hundred such pairs of images; infinity lets all pass.
    area : float, default: infinity
        Over which the partner of a wrong candidate may fall, in square pixels of the target.

    Returns
    -------
    FilteredCandidates
        The sets and what was dropped. No set is a result, not an error. Memory: about 60 MB whatever the number
        of iterations, and 1 kB per candidate.

    Notes
    -----
    Java: mpicbg.models.AbstractModel.filterRansac, and Render's match filters built on it. Render's consensus sets
    always use a trust of 4; here ``max_trust`` counts for them too. The limit of chance is not Java's.

    References
    ----------
    .. [1] Fischler, Bolles, "Random sample consensus", Communications of the ACM 24 (1981).
       :DOI:`10.1145/358669.358692`
    .. [2] Moisan, Stival, "A probabilistic criterion to detect rigid point matches between two images and estimate the
       fundamental matrix", International Journal of Computer Vision 57 (2004), for the limit of chance.
       :DOI:`10.1023/B:VISI.0000013094.38752.54`
    """
    source, target, _ = checked_pairs(source, target, None)
    rng = np.random.default_rng(seed)
    left = np.arange(len(source))
    if parameters.match_filter == "NONE":
        sets = [ConsensusSet(left, None)] if len(left) else []
        return _capped(sets, parameters, rng, {})
    sets = []
    dropped = {"outside max_epsilon": 0, "beyond max_trust": 0, "agreeing by chance": 0}
    while True:
        agreeing = _agreeing(source[left], target[left], parameters, rng)
        trusted = _trusted(source[left[agreeing]], target[left[agreeing]], parameters)
        size = len(trusted.indices)
        if not size:
            break
        if _chance(size, len(left), parameters, area) > max_chance:
            dropped["agreeing by chance"] = size
            break
        sets.append(ConsensusSet(left[agreeing[trusted.indices]], trusted.matrix))
        if parameters.match_filter == "SINGLE_SET":
            dropped["beyond max_trust"] = len(agreeing) - size
            break
        left = np.setdiff1d(left, sets[-1].indices)
    if parameters.match_filter == "AGGREGATED_CONSENSUS_SETS" and sets:
        sets = [_aggregated(sets, source, target, parameters.model)]
    kept = sum(len(one.indices) for one in sets)
    dropped["outside max_epsilon"] = len(source) - kept - sum(dropped.values())
    return _capped(sets, parameters, rng, dropped)


def _agreeing(
    source: NDArray[np.float64], target: NDArray[np.float64], parameters: ConsensusParameters, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the positions of the largest set that random minimal samples find; empty when none is large enough."""
    count, size = len(source), parameters.model.minimum_points
    if count < max(size, parameters.min_num_inliers, 1):
        return np.empty(0, dtype=np.intp)
    source = source - source.mean(axis=0)
    target = target - target.mean(axis=0)
    monomials = second_order_monomials(source, target)
    samples = _samples(rng, count, size, parameters.iterations)
    best = np.zeros(count, dtype=bool)
    for chunk in np.array_split(samples, -(-len(samples) * count // _CHUNK_ELEMENTS)):
        matrices = matrices_from_moments(parameters.model, monomials[chunk].sum(axis=1))
        inliers = _distinct(_inliers(matrices, source, target, parameters))
        inliers = _grown(inliers, monomials, source, target, parameters)
        counts = inliers.sum(axis=1)
        if counts.max(initial=0) > best.sum():
            best = inliers[counts.argmax()]
    return np.flatnonzero(best)


def _samples(rng: np.random.Generator, count: int, size: int, iterations: int) -> NDArray[np.intp]:
    """Return (iterations, size) positions below ``count``, distinct within each row."""
    drawn: list[NDArray[np.intp]] = []
    for already in range(size):
        draw = rng.integers(count - already, size=iterations)
        # the draw counts those that are still free: step over the taken ones, lowest first
        for taken in np.sort(np.array(drawn, dtype=np.intp).reshape(already, iterations), axis=0):
            draw += draw >= taken
        drawn.append(draw)
    return np.column_stack(drawn)


def _inliers(
    matrices: NDArray[np.float64],
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    parameters: ConsensusParameters,
) -> NDArray[np.bool_]:
    """Return (h, n) which candidates agree with which matrix; a row is empty when they are too few to count."""
    squared = np.zeros((len(matrices), len(source)))
    for axis in (0, 1):
        error = matrices[:, axis, :2] @ source.T
        error += matrices[:, axis, 2:]
        error -= target[:, axis]
        error *= error
        squared += error
    inliers: NDArray[np.bool_] = squared < parameters.max_epsilon**2
    counts = inliers.sum(axis=1)
    enough = (counts >= parameters.min_num_inliers) & (counts > parameters.min_inlier_ratio * len(source))
    inliers[~enough] = False
    return inliers


def _distinct(inliers: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the rows that are neither empty nor a repetition, in their order."""
    inliers = inliers[inliers.any(axis=1)]
    _, first = np.unique(np.packbits(inliers, axis=1), axis=0, return_index=True)
    return inliers[np.sort(first)]


def _grown(
    inliers: NDArray[np.bool_],
    monomials: NDArray[np.float64],
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    parameters: ConsensusParameters,
) -> NDArray[np.bool_]:
    """Return the sets after fitting the model to each and testing again, as long as the set grows."""
    finished = [np.zeros((0, len(source)), dtype=bool)]
    while len(inliers):
        counts = inliers.sum(axis=1)
        matrices = matrices_from_moments(parameters.model, inliers.astype(float) @ monomials)
        inliers = _inliers(matrices, source, target, parameters)
        growing = inliers.sum(axis=1) > counts
        finished.append(inliers[~growing])
        inliers = _distinct(inliers[growing])
    return np.concatenate(finished)


def _trusted(source: NDArray[np.float64], target: NDArray[np.float64], parameters: ConsensusParameters) -> ConsensusSet:
    """Return those that stay when the ones farther off than a multiple of the median are dropped repeatedly."""
    kept = np.arange(len(source))
    while len(kept) >= max(parameters.min_num_inliers, parameters.model.minimum_points, 1):
        try:
            matrix = fitted_model(source[kept], target[kept], parameters.model)
        except EstimationError:
            break
        errors = np.linalg.norm(transformed(matrix, source[kept]) - target[kept], axis=1)
        near = errors <= (parameters.max_trust * np.median(errors) if np.isfinite(parameters.max_trust) else np.inf)
        if near.all():
            return ConsensusSet(kept, matrix)
        kept = kept[near]
    return ConsensusSet(np.empty(0, dtype=np.intp), None)


def _chance(size: int, candidates: int, parameters: ConsensusParameters, area: float) -> float:
    """Return how many sets of a size are expected among candidates that are all wrong."""
    if not np.isfinite(area):
        return 0.0
    minimum = parameters.model.minimum_points
    hit = min(np.pi * parameters.max_epsilon**2 / max(area, 1.0), 1.0)
    logarithm = (
        np.log(max(candidates - minimum, 1))
        + _log_choices(candidates, size)
        + _log_choices(size, minimum)
        + (size - minimum) * np.log(hit)
    )
    return float(np.exp(min(logarithm, 700.0)))


def _log_choices(count: int, chosen: int) -> float:
    return float(gammaln(count + 1) - gammaln(chosen + 1) - gammaln(count - chosen + 1))


def _aggregated(
    sets: list[ConsensusSet], source: NDArray[np.float64], target: NDArray[np.float64], model: PlanarModel
) -> ConsensusSet:
    """Return all sets as one, with one model for them all."""
    indices = np.sort(np.concatenate([one.indices for one in sets]))
    return ConsensusSet(indices, fitted_model(source[indices], target[indices], model))


def _capped(
    sets: list[ConsensusSet], parameters: ConsensusParameters, rng: np.random.Generator, dropped: dict[str, int]
) -> FilteredCandidates:
    """Return the sets with at most ``max_num_inliers`` members each."""
    limit = parameters.max_num_inliers
    if not limit:
        return FilteredCandidates(sets, dropped)
    capped = []
    for one in sets:
        indices = one.indices
        if len(indices) > limit:
            indices = np.sort(rng.choice(indices, limit, replace=False))
        capped.append(ConsensusSet(indices, one.matrix))
    surplus = sum(len(before.indices) - len(after.indices) for before, after in zip(sets, capped, strict=True))
    return FilteredCandidates(capped, {**dropped, "over max_num_inliers": surplus})
