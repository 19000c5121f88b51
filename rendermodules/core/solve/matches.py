"""Matches of tile pairs as arrays, checked and put in order for a solve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


Z_DIGITS = 6
"""Decimals of z that tell sections apart."""


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
        Of that chance; equal input gives an equal choice.

    Returns
    -------
    CheckedMatches
        A new object; the input stays as it is.
    """
    low, high = matches.pairs.min(axis=1, initial=tile_count), matches.pairs.max(axis=1, initial=-1)
    known = (low >= 0) & (high < tile_count)
    good = known & (low != high)
    usable, points_dropped = _usable_points(matches, good)
    keys, merged = np.unique((low * tile_count + high)[good], return_inverse=True)
    place = np.full(len(good), -1)
    place[good] = merged

    chosen = np.flatnonzero(usable)
    place_of_point = place[matches.pair_of_point[chosen]]
    order = np.argsort(place_of_point, kind="stable")
    chosen, place_of_point = chosen[order], place_of_point[order]
    enough = np.bincount(place_of_point, minlength=len(keys)) >= max(minimum_points, 1)
    in_use = enough[place_of_point]
    if maximum_points is not None:
        in_use &= _sampled(place_of_point, maximum_points, seed)
    chosen = chosen[in_use]

    # the last entry is for pairs without a place, whose index is -1
    source = np.append(np.where(enough, np.cumsum(enough) - 1, -1), -1)[place]
    with_points = np.zeros(len(good), dtype=bool)
    with_points[matches.pair_of_point[usable]] = True
    lost = good & (source < 0)
    reasons = {
        "unknown tile": ~known,
        "a tile with itself": known & ~good,
        "no usable points": lost & ~with_points,
        "too few points": lost & with_points,
    }
    return CheckedMatches(
        _oriented(matches, chosen, source, keys[enough], tile_count), source, _named(reasons), points_dropped
    )


def _named(reasons: dict[str, BoolArray]) -> dict[str, IntArray]:
    return {reason: np.flatnonzero(mask) for reason, mask in reasons.items() if mask.any()}


def _usable_points(matches: PairMatches, good: BoolArray) -> tuple[BoolArray, dict[str, int]]:
    """Return which points (n,) of good pairs (k,) can be used, and how many cannot, by reason."""
    of_good = np.repeat(good, matches.counts)
    finite = np.isfinite(matches.points_p).all(axis=1) & np.isfinite(matches.points_q).all(axis=1)
    valid = np.isfinite(matches.weights) & (matches.weights >= 0)
    positive = matches.weights > 0
    reasons = {
        "coordinates not finite": of_good & ~finite,
        "weight not finite or negative": of_good & finite & ~valid,
        "weight zero": of_good & finite & valid & ~positive,
    }
    counts = {reason: len(indices) for reason, indices in _named(reasons).items()}
    return of_good & finite & valid & positive, counts


def _sampled(group: IntArray, most: int, seed: int) -> BoolArray:
    """Return which entries of a sorted array are among at most ``most`` of their value, taken by chance."""
    chance = np.random.default_rng(seed).random(len(group))
    order = np.lexsort((chance, group))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(group, group)
    return rank < most


def _oriented(matches: PairMatches, chosen: IntArray, source: IntArray, keys: IntArray, tile_count: int) -> PairMatches:
    """Return the chosen points, sorted by pair, with p the tile of the lower index."""
    pair = matches.pair_of_point[chosen]
    swapped = (matches.pairs[pair, 0] > matches.pairs[pair, 1])[:, None]
    points_p, points_q = matches.points_p[chosen], matches.points_q[chosen]
    return PairMatches(
        np.stack(np.divmod(keys, max(tile_count, 1)), axis=1),
        np.concatenate([[0], np.cumsum(np.bincount(source[pair], minlength=len(keys)))]),
        np.where(swapped, points_q, points_p),
        np.where(swapped, points_p, points_q),
        matches.weights[chosen].astype(np.float64),
    )


def z_distances(z: FloatArray, pairs: IntArray) -> FloatArray:
    """Return how far apart in z (m,) the tiles of pairs (m, 2) are, to a millionth.

    Differences of z that are no whole numbers, such as 0.3 - 0.2 and 0.2 - 0.1, are not equal in their last digits.
    """
    distances: FloatArray = np.abs(z[pairs[:, 0]] - z[pairs[:, 1]]).round(Z_DIGITS)
    return distances


def z_pairs(zs: Iterable[float], depths: Iterable[float]) -> list[tuple[float, float]]:
    """Return the pairs of z that are as far apart as any of some distances, the lower first; to a millionth."""
    by_place = {round(z, Z_DIGITS): z for z in zs}
    beside = [(z, by_place.get(round(z + depth, Z_DIGITS))) for z in by_place.values() for depth in depths]
    return [(low, high) for low, high in beside if high is not None]


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
