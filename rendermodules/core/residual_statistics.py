"""How far matched points lie apart in the world, per pair, tile and section."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve.arrays import FloatArray, IntArray

NORMAL_CONSISTENCY = 1.4826022185056018
"""Standard deviation of a normal distribution over its median absolute deviation."""

HIGH_PERCENTILE = 95.0


@dataclass(frozen=True)
class GroupStatistics:
    """Figures of values in groups; NaN for groups without values.

    Attributes
    ----------
    count : (g,) int array
        Values that took part.
    mean, median, percentile_95, greatest, root_mean_square : (g,) float arrays
        Of the values; mean and root mean square by weight.
    """

    count: IntArray
    mean: FloatArray
    median: FloatArray
    percentile_95: FloatArray
    greatest: FloatArray
    root_mean_square: FloatArray


def robust_scale(values: FloatArray) -> float:
    """Return the standard deviation that the median absolute deviation of values (n,) tells; NaN without values."""
    if not len(values):
        return float("nan")
    return NORMAL_CONSISTENCY * float(np.median(np.abs(values - np.median(values))))


def group_statistics(
    values: FloatArray, groups: IntArray, group_count: int, weights: FloatArray | None = None
) -> GroupStatistics:
    """Return the figures of values in groups.

    Parameters
    ----------
    values : (n,) float array
        Of any order.
    groups : (n,) int array
        Group of each value, 0 to ``group_count`` - 1.
    group_count : int
        Number of groups.
    weights : (n,) float array, optional
        Values of weight 0 take no part at all; without weights all count 1.
    """
    if weights is None:
        weights = np.ones(len(values))
    part = weights > 0
    values, groups, weights = values[part], groups[part], weights[part]
    order = np.lexsort((values, groups))
    ordered = values[order]
    count = np.bincount(groups, minlength=group_count)
    start = np.cumsum(count) - count
    total = np.bincount(groups, weights, minlength=group_count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(groups, weights * values, minlength=group_count) / total
        square = np.bincount(groups, weights * values**2, minlength=group_count) / total
    return GroupStatistics(
        count,
        mean,
        _quantiles(ordered, start, count, 0.5),
        _quantiles(ordered, start, count, HIGH_PERCENTILE / 100.0),
        _quantiles(ordered, start, count, 1.0),
        np.sqrt(square),
    )


def _quantiles(ordered: FloatArray, start: IntArray, count: IntArray, share: float) -> FloatArray:
    """Return a quantile of each run of sorted values, interpolated as numpy does; NaN for empty runs."""
    result = np.full(len(start), np.nan)
    some = count > 0
    place = share * (count[some] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, count[some] - 1)
    low, high = ordered[start[some] + below], ordered[start[some] + above]
    result[some] = low + (place - below) * (high - low)
    return result


@dataclass(frozen=True)
class ResidualStatistics:
    """Figures of the lengths of residuals, in pixels of the world.

    Attributes
    ----------
    pairs : GroupStatistics
        Per pair (m,).
    tiles : GroupStatistics
        Per tile (t,): a residual counts for both its tiles.
    sections : GroupStatistics
        Per pair of sections (s,), in the order of ``section_pairs``.
    section_pairs : (s, 2) float array
        z of the two sections, the lower first; equal for matches within a section.
    everything : GroupStatistics
        Of all residuals, one group.
    """

    pairs: GroupStatistics
    tiles: GroupStatistics
    sections: GroupStatistics
    section_pairs: FloatArray
    everything: GroupStatistics


def residual_statistics(
    residuals: FloatArray,
    pair_of_point: IntArray,
    pairs: IntArray,
    sections: FloatArray,
    weights: FloatArray | None = None,
) -> ResidualStatistics:
    """Return the figures of residuals per pair, tile and pair of sections.

    Parameters
    ----------
    residuals : (n, 2) float array
        Place of each matched point in the world by its tile p, minus that by its tile q.
    pair_of_point : (n,) int array
        Pair of each point.
    pairs : (m, 2) int array
        Tile indices of each pair.
    sections : (t,) float array
        z of each tile.
    weights : (n,) float array, optional
        Of the points.
    """
    lengths = np.linalg.norm(residuals, axis=1)
    if weights is None:
        weights = np.ones(len(lengths))
    both = np.concatenate([pairs[pair_of_point, 0], pairs[pair_of_point, 1]])
    section_pairs, section_pair = np.unique(np.sort(sections[pairs], axis=1), axis=0, return_inverse=True)
    return ResidualStatistics(
        group_statistics(lengths, pair_of_point, len(pairs), weights),
        group_statistics(np.tile(lengths, 2), both, len(sections), np.tile(weights, 2)),
        group_statistics(lengths, section_pair.ravel()[pair_of_point], len(section_pairs), weights),
        section_pairs,
        group_statistics(lengths, np.zeros(len(lengths), dtype=np.int64), 1, weights),
    )
