"""Matches of tile pairs as arrays, checked and put in order for a solve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class PairMatches:
    """Matched points of tile pairs, concatenated.

    Attributes
    ----------
    pairs : (m, 2) int array
        Indices of the tiles p and q of each pair; -1 for a tile that is not known.
    offsets : (m + 1,) int array
        Points of pair k are those from ``offsets[k]`` to before ``offsets[k + 1]``.
    points_p, points_q : (n, 2) float arrays
        x, y in the pixels of tile p and of tile q, after the transforms that the matches already contain.
    weights : (n,) float array
        Weight of each point; 0 takes no part.
    """

    pairs: IntArray
    offsets: IntArray
    points_p: FloatArray
    points_q: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        points = len(self.points_p)
        if self.pairs.ndim != 2 or self.pairs.shape[1] != 2:
            raise ValueError(f"pairs have shape {self.pairs.shape}, not (m, 2)")
        shapes = (self.points_p.shape, self.points_q.shape, self.weights.shape)
        if shapes != ((points, 2), (points, 2), (points,)):
            raise ValueError(f"points p, q and weights have shapes {shapes}, not (n, 2), (n, 2) and (n,)")
        if len(self.offsets) != len(self.pairs) + 1 or self.offsets[0] != 0 or self.offsets[-1] != points:
            raise ValueError(f"offsets do not divide {points} points among {len(self.pairs)} pairs")
        if np.any(np.diff(self.offsets) < 0):
            raise ValueError("offsets decrease")

    @property
    def counts(self) -> IntArray:
        """The number of points (m,) of each pair."""
        return np.diff(self.offsets)

    @property
    def pair_of_point(self) -> IntArray:
        """The pair index (n,) of each point."""
        return np.repeat(np.arange(len(self.pairs)), self.counts)

    def subset(self, keep: BoolArray) -> PairMatches:
        """Return the matches of the pairs that a mask (m,) keeps."""
        points = np.repeat(keep, self.counts)
        offsets = np.concatenate([[0], np.cumsum(self.counts[keep])])
        return PairMatches(
            self.pairs[keep], offsets, self.points_p[points], self.points_q[points], self.weights[points]
        )


def concatenated(parts: Sequence[PairMatches]) -> PairMatches:
    """Return the matches of several collections in one; the same pair may occur in many."""
    counts = np.concatenate([np.empty(0, dtype=np.int64), *(part.counts for part in parts)])
    return PairMatches(
        np.concatenate([np.empty((0, 2), dtype=np.int64), *(part.pairs for part in parts)]),
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([np.empty((0, 2)), *(part.points_p for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.points_q for part in parts)]),
        np.concatenate([np.empty(0), *(part.weights for part in parts)]),
    )


@dataclass(frozen=True)
class CheckedMatches:
    """Matches fit for a solve, and what became of those that are not.

    Attributes
    ----------
    matches : PairMatches
        Every pair of tiles once, p < q, in ascending order; finite points of positive weight only.
    source : (k,) int array
        For each pair given, its place in ``matches``, or -1 where it was dropped.
    dropped : dict of str to (r,) int array
        Indices of the given pairs that were dropped, by reason.
    points_dropped : dict of str to int
        Number of points that were dropped from pairs of known tiles, by reason.
    """

    matches: PairMatches
    source: IntArray
    dropped: dict[str, IntArray]
    points_dropped: dict[str, int]


def checked_matches(
    matches: PairMatches, tile_count: int, minimum_points: int = 1, maximum_points: int | None = None, seed: int = 0
) -> CheckedMatches:
    """Return the matches with pairs merged and ordered, without those that cannot be used.

    Parameters
    ----------
    matches : PairMatches
        As they were read: pairs in any order and orientation, repeated or not.
    tile_count : int
        Number of tiles; other indices are unknown tiles.
    minimum_points : int
        Pairs with fewer usable points are dropped.
    maximum_points : int, optional
        Of pairs with more usable points, this many are taken by chance.
    seed : int
        Of that chance; each pair's choice depends on nothing else but its points.

    Returns
    -------
    CheckedMatches
        A new object; the input stays as it is.
    """
    pairs = matches.pairs
    known = ((pairs >= 0) & (pairs < tile_count)).all(axis=1)
    proper = pairs[:, 0] != pairs[:, 1]
    usable, points_dropped = _usable_points(matches, known & proper)
    key = np.where(
        known & proper, pairs.min(axis=1, initial=tile_count) * tile_count + pairs.max(axis=1, initial=-1), -1
    )
    merged_keys, merged = np.unique(key[known & proper], return_inverse=True)
    place = np.full(len(pairs), -1)
    place[known & proper] = merged

    point_place = place[matches.pair_of_point]
    chosen = np.flatnonzero(usable)
    chosen = chosen[np.argsort(point_place[chosen], kind="stable")]
    counts = np.bincount(point_place[chosen], minlength=len(merged_keys))
    enough = counts >= max(minimum_points, 1)
    chosen = chosen[enough[point_place[chosen]]]
    if maximum_points is not None:
        chosen = chosen[_sampled(point_place[chosen], maximum_points, seed)]

    source = np.where(place >= 0, (np.cumsum(enough) - 1)[place] if len(enough) else -1, -1)
    source[(place >= 0) & ~(enough[place] if len(enough) else np.zeros(len(place), dtype=bool))] = -1
    has_points = np.zeros(len(pairs), dtype=bool)
    has_points[matches.pair_of_point[usable]] = True
    reasons = {
        "unknown tile": ~known,
        "a tile with itself": known & ~proper,
        "no usable points": (place >= 0) & (source < 0) & ~has_points,
        "too few points": (place >= 0) & (source < 0) & has_points,
    }
    return CheckedMatches(
        _oriented(matches, chosen, source, merged_keys[enough], tile_count),
        source,
        {reason: np.flatnonzero(mask) for reason, mask in reasons.items() if mask.any()},
        points_dropped,
    )


def _usable_points(matches: PairMatches, pair_is_good: BoolArray) -> tuple[BoolArray, dict[str, int]]:
    of_good_pair = pair_is_good[matches.pair_of_point] if len(pair_is_good) else np.zeros(0, dtype=bool)
    finite = np.isfinite(matches.points_p).all(axis=1) & np.isfinite(matches.points_q).all(axis=1)
    positive = matches.weights > 0
    # an infinite weight would swallow the system, and NaN is not > 0
    weighted = positive & np.isfinite(matches.weights)
    invalid = ~np.isfinite(matches.weights) | (matches.weights < 0)
    reasons = {
        "coordinates not finite": of_good_pair & ~finite,
        "weight not finite or negative": of_good_pair & finite & invalid,
        "weight zero": of_good_pair & finite & ~invalid & ~positive,
    }
    return of_good_pair & finite & weighted, {reason: int(mask.sum()) for reason, mask in reasons.items() if mask.any()}


def _sampled(group: IntArray, most: int, seed: int) -> IntArray:
    """Return the positions, ascending, of at most ``most`` members of each group of a sorted array."""
    chance = np.random.default_rng(seed).random(len(group))
    order = np.lexsort((chance, group))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1]) if len(group) else np.empty(0, dtype=np.int64)
    rank = np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))
    return np.sort(order[rank < most])


def _oriented(matches: PairMatches, chosen: IntArray, source: IntArray, keys: IntArray, tile_count: int) -> PairMatches:
    """Return the chosen points, sorted by pair, with p the tile of the lower index."""
    pair = matches.pair_of_point[chosen]
    swapped = (matches.pairs[pair, 0] > matches.pairs[pair, 1])[:, None]
    points_p, points_q = matches.points_p[chosen], matches.points_q[chosen]
    counts = np.bincount(source[pair], minlength=len(keys)) if len(keys) else np.empty(0, dtype=np.int64)
    return PairMatches(
        np.stack([keys // max(tile_count, 1), keys % max(tile_count, 1)], axis=1),
        np.concatenate([[0], np.cumsum(counts)]),
        np.where(swapped, points_q, points_p),
        np.where(swapped, points_p, points_q),
        matches.weights[chosen].astype(np.float64),
    )


def depth_factors(
    section_distances: FloatArray,
    montage_weight: float,
    cross_weight: float,
    inverse_distance: bool,
    by_depth: Sequence[float] | None = None,
) -> FloatArray:
    """Return the factor (m,) of the weights of pairs by how many sections apart their tiles are.

    Parameters
    ----------
    section_distances : (m,) float array
        Absolute difference of z of the two tiles of each pair.
    montage_weight : float
        For pairs within a section.
    cross_weight : float
        For pairs across sections.
    inverse_distance : bool
        Divide the weight across sections by their distance plus 1.
    by_depth : sequence of float, optional
        Explicit factors for distances 0, 1, 2, ...; they replace the others. Distances beyond get 0.
    """
    distances = np.abs(np.asarray(section_distances, dtype=np.float64))
    if by_depth is not None:
        table = np.append(np.asarray(by_depth, dtype=np.float64), 0.0)
        factors: FloatArray = table[np.minimum(np.rint(distances).astype(np.int64), len(by_depth))]
        return factors
    across = cross_weight / (distances + 1.0) if inverse_distance else np.full(len(distances), cross_weight)
    return np.where(distances == 0, montage_weight, across)
