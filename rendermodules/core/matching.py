"""Matches of two images: by correlation where the place is known roughly, by features where it is not.

Correlation is fast and exact but needs an expected place. Where too few blocks are found again, or sections disagree,
features of the facing strips are matched instead. Either way a result is given only when it is unlikely to have come
about by chance, and one that is not says why.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.blocks import BlockParameters, matched_blocks
from rendermodules.core.consensus import ConsensusParameters, ConsensusSet, FilteredCandidates, filtered_candidates
from rendermodules.core.correlation import Image, aligned, overlap_box
from rendermodules.core.estimation import EstimationError, fitted_model, inverted, transformed
from rendermodules.core.features import Features, SiftParameters, clipped_features

_CHUNK_ROWS = 64
_SAME = 0.05**2 / 2
_FEWEST_BLOCKS = 3
_SMALLEST_FOUND_PART = 0.3
_LARGEST_STRAIN = 0.03
_RIVAL_PART = 0.7
_RIVAL_DISTANCE = 5.0
_LARGEST_TURN = 0.25


@dataclass(frozen=True)
class CorrelationParameters:
    """How matches are found by correlation.

    Attributes
    ----------
    search_radius : float
        How far the expected place may be off along x and y, in pixels.
    min_correlation : float
        Sections that correlate less are dropped, 0 to 1.
    blocks : BlockParameters
        The grid of blocks.
    min_agreement : float, default: 0.8
        How well all of the overlap has to correlate, as part of how well the blocks that were found do. Two images of
        one place differ by noise only, what looks alike by chance in all that is not alike.
    """

    search_radius: float
    min_correlation: float
    blocks: BlockParameters
    min_agreement: float = 0.8


@dataclass(frozen=True)
class FeatureParameters:
    """How matches are found by features.

    Attributes
    ----------
    sift : SiftParameters
        The features.
    max_ratio : float
        A feature's nearest partner must be nearer than this times the second nearest; Render's ``matchRod``.
    consensus : ConsensusParameters
        On what candidates have to agree.
    max_chance : float
        Sets that so many pairs of images without anything in common would give are dropped: 0.01 lets one false
        match pass in a hundred such pairs; infinity lets all pass.
    max_offset : float
        How far candidates may be off the expected place where there is one, in pixels; infinity leaves all.
    """

    sift: SiftParameters
    max_ratio: float
    consensus: ConsensusParameters
    max_chance: float
    max_offset: float


@dataclass(frozen=True)
class MatchedPair:
    """Matches of two images.

    Attributes
    ----------
    p, q : (n, 2) float arrays
        Corresponding points, columns x, y, in pixels of the first and the second image.
    set_sizes : tuple of int
        How the points, in their order, divide into consensus sets; one number unless several sets were asked for.
    matrix : (2, 3) float array, optional
        The model fitted to the points (of the first set); absent without matches or when no model filtered them.
    rms : float
        How far the points are off the matrix, root mean square, in pixels; not a number without one.
    method : str, optional
        "correlation" or "features"; absent without matches.
    reason : str, optional
        Why there are no matches, figures in parentheses; absent with matches.
    dropped : dict of str to int
        What was dropped on the way, by step and reason; also of a step that gave way to another.
    """

    p: NDArray[np.float64]
    q: NDArray[np.float64]
    set_sizes: tuple[int, ...]
    matrix: NDArray[np.float64] | None
    rms: float
    method: str | None
    reason: str | None
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidates:
    """Features that may show the same.

    Attributes
    ----------
    p, q : (n,) int arrays
        Positions among the features of the first and the second image.
    dropped : dict of str to int
        How many features of the first image found no partner, by reason.
    """

    p: NDArray[np.intp]
    q: NDArray[np.intp]
    dropped: dict[str, int]


def matched_pair(
    p_image: Image,
    q_image: Image,
    expected: NDArray[np.float64] | None,
    correlation: CorrelationParameters | None,
    features: FeatureParameters | None,
    seed: int,
    p_mask: Image | None = None,
    q_mask: Image | None = None,
) -> MatchedPair:
    """Return matches of two images, by correlation if that succeeds and else by features.

    Parameters
    ----------
    p_image, q_image : (rows, columns) arrays
        Gray images of any type.
    expected : (2, 3) float array, optional
        From pixels of p to pixels of q, off by no more than the search radius. Without it only features are tried,
        on the whole images.
    correlation, features : parameters, optional
        A way that has none is not tried.
    seed : int
        Of the random samples.
    p_mask, q_mask : (rows, columns) arrays, optional
        Pixels where the mask is 0 are not used.

    Returns
    -------
    MatchedPair
        Without points, and with the reason, when neither way found reliable matches.
    """
    tried = no_matches("nothing was to be tried", {})
    if correlation is not None and expected is not None:
        tried = matched_by_correlation(p_image, q_image, expected, correlation, p_mask, q_mask)
    if tried.reason is None or features is None:
        return tried
    p_box, q_box = (np.array([[0, 0], image.shape[::-1]]) for image in (p_image, q_image))
    if expected is not None:
        margin = correlation.search_radius if correlation is not None else 0.0
        p_box = overlap_box(p_image.shape[:2], q_image.shape[:2], expected, margin)
        q_box = overlap_box(q_image.shape[:2], p_image.shape[:2], inverted(expected), margin)
    p_features = clipped_features(p_image, features.sift, p_box, p_mask)
    q_features = clipped_features(q_image, features.sift, q_box, q_mask)
    area = float(np.prod(q_box[1] - q_box[0]))
    found = matched_by_features(p_features, q_features, features, area, seed, expected)
    reason = found.reason
    if reason is not None and correlation is not None and expected is not None:
        reason = f"correlation: {tried.reason}; features: {reason}"
    return replace(found, reason=reason, dropped={**tried.dropped, **found.dropped})


def matched_by_correlation(
    p_image: Image,
    q_image: Image,
    expected: NDArray[np.float64],
    parameters: CorrelationParameters,
    p_mask: Image | None = None,
    q_mask: Image | None = None,
) -> MatchedPair:
    """Return middles of blocks of the first image and their places in the second, around an expected place.

    Parameters are those of `matched_pair`. There is a result when at least three blocks, with three tenths of the
    contrast, are found again, and the others are not quite different in the two images.
    """
    alignment = aligned(
        p_image, q_image, expected, parameters.search_radius, parameters.min_correlation, p_mask, q_mask
    )
    dropped = _counted("sections", alignment.dropped)
    if alignment.matrix is None:
        return no_matches(_main_reason(alignment.dropped), dropped)
    blocks = matched_blocks(p_image, q_image, alignment, parameters.blocks, p_mask, q_mask)
    dropped |= _counted("blocks", blocks.dropped)
    if len(blocks.p) < _FEWEST_BLOCKS or blocks.found_part < _SMALLEST_FOUND_PART:
        return no_matches(
            f"too few blocks found ({len(blocks.p)} of {blocks.tried}): {_main_reason(blocks.dropped)}", dropped
        )
    if blocks.agreement < parameters.min_agreement:
        return no_matches(f"much of one image is missing in the other (agreement {blocks.agreement:.2f})", dropped)
    try:
        matrix = fitted_model(blocks.p, blocks.q, "AFFINE")
    except EstimationError:
        # a single line of blocks
        matrix = fitted_model(blocks.p, blocks.q, "RIGID")
    strain = _strain(transformed(alignment.matrix, blocks.p), blocks.q)
    if strain > _LARGEST_STRAIN:
        return no_matches(f"blocks would have to be stretched ({strain:.0%})", dropped)
    return MatchedPair(
        blocks.p, blocks.q, (len(blocks.p),), matrix, _rms(matrix, blocks.p, blocks.q), "correlation", None, dropped
    )


def matched_by_features(
    p: Features,
    q: Features,
    parameters: FeatureParameters,
    area: float,
    seed: int,
    expected: NDArray[np.float64] | None = None,
) -> MatchedPair:
    """Return matches of two images' features.

    Parameters
    ----------
    p, q : Features
        Of the first and the second image, or of the strips that face each other.
    parameters : FeatureParameters
        Ratio, model and limits.
    area : float
        Of the image (or strip) of ``q``, in square pixels: among so many places a wrong candidate may fall.
    seed : int
        Of the random samples.
    expected : (2, 3) float array, optional
        From pixels of p to pixels of q. Candidates far off it, and models that are turned or stretched against it,
        are dropped.

    Returns
    -------
    MatchedPair
        Without points when there are too few candidates, they do not agree, agree no better than by chance, or agree
        nearly as well on another place.
    """
    candidates = matched_candidates(p, q, parameters.max_ratio)
    dropped = _counted("features", candidates.dropped)
    p_points, q_points = p.points[candidates.p], q.points[candidates.q]
    if expected is not None:
        near = np.linalg.norm(transformed(expected, p_points) - q_points, axis=1) <= parameters.max_offset
        dropped |= _counted("candidates", {"far from the expected place": int((~near).sum())})
        p_points, q_points = p_points[near], q_points[near]
        area = min(area, np.pi * parameters.max_offset**2)
    filtered = filtered_candidates(p_points, q_points, parameters.consensus, seed, parameters.max_chance, area)
    sets = [one for one in filtered.sets if not _is_turned(one, expected)]
    turned = sum(len(one.indices) for one in filtered.sets) - sum(len(one.indices) for one in sets)
    dropped |= _counted("candidates", {**filtered.dropped, "turned against the expected place": turned})
    if not sets:
        return no_matches(_why_none(filtered, turned, len(p_points), parameters.consensus.min_num_inliers), dropped)
    if parameters.consensus.match_filter == "SINGLE_SET" and _has_rival(sets[0], p_points, q_points, parameters, seed):
        return no_matches("two places fit nearly as well", dropped)
    indices = np.concatenate([one.indices for one in sets])
    p_points, q_points = p_points[indices], q_points[indices]
    size = len(sets[0].indices)
    matrix = sets[0].matrix
    rms = float("nan") if matrix is None else _rms(matrix, p_points[:size], q_points[:size])
    return MatchedPair(
        p_points, q_points, tuple(len(one.indices) for one in sets), matrix, rms, "features", None, dropped
    )


def matched_candidates(p: Features, q: Features, max_ratio: float) -> Candidates:
    """Return the features of p whose nearest feature of q is clearly nearer than the second nearest.

    Parameters
    ----------
    p, q : Features
        Of two images.
    max_ratio : float
        The nearest must be nearer than this times the second nearest.

    Returns
    -------
    Candidates
        Ascending in p. Of those that share a target place none is kept. Memory: 300 bytes per feature of q.

    Notes
    -----
    Java: mpicbg's FeatureTransform.matchFeatures: one direction, exhaustive.
    """
    if not (len(p) and len(q)):
        return Candidates(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), {"ambiguous": 0, "shared target": 0})
    nearest = np.empty(len(p), dtype=np.intp)
    first, second = np.empty(len(p)), np.full(len(p), -1.0)
    for start in range(0, len(p), _CHUNK_ROWS):
        rows = np.s_[start : start + _CHUNK_ROWS]
        # descriptors have length 1: the squared distance is 2 - 2 * product
        similarity = p.descriptors[rows] @ q.descriptors.T
        nearest[rows] = similarity.argmax(axis=1)
        taken = nearest[rows][:, None]
        first[rows] = np.take_along_axis(similarity, taken, axis=1)[:, 0]
        if len(q) > 1:
            np.put_along_axis(similarity, taken, -1.0, axis=1)
            second[rows] = similarity.max(axis=1)
    # squared half distances; in a noiseless repeated texture the nearest differ by rounding alone
    nearest_distance, next_distance = np.maximum(1 - first, 0) + _SAME, np.maximum(1 - second, 0) + _SAME
    clear = np.flatnonzero(nearest_distance < max_ratio**2 * next_distance)
    _, place, uses = np.unique(q.points[nearest[clear]], axis=0, return_inverse=True, return_counts=True)
    own = uses[place.reshape(-1)] == 1
    kept = clear[own]
    dropped = {"ambiguous": len(p) - len(clear), "shared target": len(clear) - len(kept)}
    return Candidates(kept, nearest[kept], dropped)


def no_matches(reason: str, dropped: dict[str, int]) -> MatchedPair:
    """Return the result without points."""
    nothing = np.empty((0, 2))
    return MatchedPair(nothing, nothing, (), None, float("nan"), None, reason, dropped)


def _counted(step: str, dropped: dict[str, int]) -> dict[str, int]:
    return {f"{step}: {reason}": count for reason, count in dropped.items() if count}


def _main_reason(dropped: dict[str, int]) -> str:
    return max(dropped, key=lambda reason: dropped[reason])


def _rms(matrix: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(transformed(matrix, p) - q).sum(axis=1).mean()))


def _strain(expected: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return by what part of their spread the best affine takes points farther than the best rigid motion does.

    Where something else is taken for a round thing, its border is found a little inside or outside of the right place.
    """
    try:
        affine, rigid = (fitted_model(expected, found, model) for model in ("AFFINE", "RIGID"))
    except EstimationError:
        # a single line of blocks has no width that could be stretched
        return 0.0
    stretched = transformed(affine, expected) - transformed(rigid, expected)
    return float(np.linalg.norm(stretched) / np.linalg.norm(expected - expected.mean(axis=0)))


def _is_turned(one: ConsensusSet, expected: NDArray[np.float64] | None) -> bool:
    """Return whether the model turns or stretches by much more than the expected one."""
    if one.matrix is None or expected is None:
        return False
    return bool(np.linalg.norm(one.matrix[:, :2] - expected[:, :2], 2) > _LARGEST_TURN)


def _why_none(filtered: FilteredCandidates, turned: int, count: int, enough: int) -> str:
    by_chance = filtered.dropped.get("agreeing by chance", 0)
    if turned:
        return f"candidates agree on a place turned against the expected one ({turned} of {count})"
    if by_chance:
        return f"candidates agree as by chance ({by_chance} of {count})"
    return f"too few candidates agree (fewer than {enough} of {count})"


def _has_rival(
    best: ConsensusSet, p: NDArray[np.float64], q: NDArray[np.float64], parameters: FeatureParameters, seed: int
) -> bool:
    """Return whether the candidates that the best set left agree nearly as often on quite another place."""
    left = np.setdiff1d(np.arange(len(p)), best.indices)
    if best.matrix is None or len(left) < _RIVAL_PART * len(best.indices):
        return False
    rivals = filtered_candidates(p[left], q[left], parameters.consensus, seed).sets
    if not rivals or len(rivals[0].indices) < _RIVAL_PART * len(best.indices):
        return False
    agreeing = left[rivals[0].indices]
    # what is bent or torn gives further sets too, but beside the first
    off = np.linalg.norm(transformed(best.matrix, p[agreeing]) - q[agreeing], axis=1)
    return bool(np.median(off) > _RIVAL_DISTANCE * parameters.consensus.max_epsilon)
