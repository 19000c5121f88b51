"""Which tiles are neighbours: the pairs whose images are worth matching.

The rules and their names are those of Render's TilePairClient; pairs by the overlap of outlines, within a stack,
across a break in z or between two stacks, come on top. All searches go through trees: nothing is quadratic in the
number of tiles.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.geometry import boxes_near, circles_meet_boxes
from rendermodules.core.layout import (
    PlacedTiles,
    layer_members,
    order_ranks,
    relative_positions,
)
from rendermodules.core.pointmatches import RelativePosition

NeighborPair = dict[str, Any]
"""A pair as Render's JSON: ``p`` and ``q`` with ``groupId``, ``id`` and perhaps ``relativePosition``."""


@dataclass(frozen=True)
class TilePairs:
    """Pairs of tiles, and what was left out.

    Attributes
    ----------
    p, q : (n,) int arrays
        Positions among the tiles (of the second stack for q, when there are two).
    overlaps : (n,) float array, optional
        Shared area as part of the smaller tile's; absent for pairs that were not found by their overlap.
    dropped : dict of str to int
        How many tiles and pairs were left out, by reason.
    """

    p: NDArray[np.intp]
    q: NDArray[np.intp]
    overlaps: NDArray[np.float64] | None
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.p)


@dataclass(frozen=True)
class NeighborRules:
    """Rules of Render's TilePairClient.

    Attributes
    ----------
    xy_neighbor_factor : float
        Neighbours lie within a circle around the middle of a tile whose radius is this times its longer side.
    explicit_radius : float, optional
        The radius itself, in world pixels.
    z_neighbor_distance : float
        Neighbours lie at most so far above in z; 0 pairs each section with itself only.
    exclude_corner_neighbors : bool
        Leave out those of the same z that lie beyond a corner.
    exclude_same_layer_neighbors, exclude_same_section_neighbors : bool
        Leave out those of the same z, or of the same section.
    """

    xy_neighbor_factor: float
    explicit_radius: float | None
    z_neighbor_distance: float
    exclude_corner_neighbors: bool
    exclude_same_layer_neighbors: bool
    exclude_same_section_neighbors: bool


def neighbor_pairs(tiles: PlacedTiles, rules: NeighborRules, sources: ArrayLike | None = None) -> TilePairs:
    """Return the pairs of neighbouring tiles by the rules of Render's TilePairClient.

    Parameters
    ----------
    tiles : PlacedTiles
        All tiles that may be in a pair.
    rules : NeighborRules
    sources : (n,) bool array, optional
        Around which tiles neighbours are looked for; all if absent.

    Returns
    -------
    TilePairs
        Each pair once, in Render's order of section and tile ids.

    Notes
    -----
    Java: a neighbour's bounding box meets the circle around a tile's middle. The circle and the corner rule are the
    source's own, and a pair needs only one of its tiles to see the other.
    """
    chosen = np.ones(len(tiles), dtype=bool) if sources is None else np.asarray(sources, dtype=bool)
    layers = layer_members(tiles.z)
    values = np.array(list(layers))
    found = []
    dropped = {"corner neighbors": 0, "same section": 0}
    for index, (z, members) in enumerate(layers.items()):
        members = members[chosen[members]]
        if not rules.exclude_same_layer_neighbors:
            pairs = _circle_pairs(tiles, members, layers[z], rules)
            pairs = pairs[pairs[:, 0] != pairs[:, 1]]
            if rules.exclude_corner_neighbors:
                beside = _beside(tiles.boxes[pairs[:, 0]], tiles.boxes[pairs[:, 1]])
                seen = _distinct(pairs)
                pairs = pairs[beside]
                dropped["corner neighbors"] += len(seen) - len(_distinct(pairs))
            found.append(_distinct(pairs))
        end = np.searchsorted(values, z + rules.z_neighbor_distance, side="right")
        for other in values[index + 1 : end].tolist():
            found.append(_circle_pairs(tiles, members, layers[other], rules))
    pairs = np.concatenate([np.empty((0, 2), dtype=np.intp), *found])
    if rules.exclude_same_section_neighbors:
        _, sections = np.unique(tiles.groups, return_inverse=True)
        other_section = sections[pairs[:, 0]] != sections[pairs[:, 1]]
        dropped["same section"] = int((~other_section).sum())
        pairs = pairs[other_section]
    return _in_order(tiles, TilePairs(pairs[:, 0], pairs[:, 1], None, dropped))


def layers_within(z: ArrayLike, distance: float, *, same: bool = True) -> list[tuple[float, float]]:
    """Return the pairs of z that lie no farther apart than ``distance``, lower one first, each z with itself or not."""
    values = np.unique(np.asarray(z, dtype=float))
    ends = np.searchsorted(values, values + distance, side="right")
    first = [range(index if same else index + 1, end) for index, end in enumerate(ends)]
    return [(float(values[index]), float(values[other])) for index, others in enumerate(first) for other in others]


def layers_across(z: ArrayLike, after: float, distance: float) -> list[tuple[float, float]]:
    """Return the pairs of z on either side of a break behind ``after`` that lie no farther apart than ``distance``."""
    pairs = layers_within(z, distance, same=False)
    return [(low, high) for low, high in pairs if low <= after < high]


def overlapping_pairs(
    tiles: PlacedTiles,
    tile_outlines: NDArray[np.object_],
    layer_pairs: Iterable[tuple[float, float]],
    min_overlap: float,
    min_area: float = 0.0,
) -> TilePairs:
    """Return the pairs whose outlines share enough, each once, in Render's order.

    Parameters
    ----------
    tiles : PlacedTiles
    tile_outlines : (n,) array of polygons
        As by `outlines`.
    layer_pairs : iterable of (z, z)
        Which sections are compared, as by `layers_within` or `layers_across`.
    min_overlap : float
        Pairs share more than this part of the smaller tile, 0 to 1.
    min_area : float, default: 0
        And more than this, in square world pixels.
    """
    layers = layer_members(tiles.z)
    found = [TilePairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0), {"too little overlap": 0})]
    for low, high in layer_pairs:
        if low not in layers or high not in layers:
            continue
        pairs = _overlaps(tile_outlines, layers[low], tile_outlines, layers[high], min_overlap, min_area)
        if low == high:
            once = pairs.p < pairs.q
            pairs = replace(_taken(pairs, once), dropped=pairs.dropped)
        found.append(pairs)
    return _in_order(tiles, _joined(found))


def cross_stack_pairs(
    tiles: PlacedTiles,
    tile_outlines: NDArray[np.object_],
    others: PlacedTiles,
    other_outlines: NDArray[np.object_],
    min_overlap: float,
    *,
    principal_only: bool,
) -> TilePairs:
    """Return the pairs of tiles of one stack with those of another at the same z.

    Parameters
    ----------
    tiles, tile_outlines
        The stack of p.
    others, other_outlines
        The stack of q.
    min_overlap : float
        Pairs share more than this part of the smaller tile, 0 to 1.
    principal_only : bool
        For each tile keep the one of the other stack with which it shares most.

    Returns
    -------
    TilePairs
        By p, then by falling overlap; p stays with the first stack whatever the ids.
    """
    layers, other_layers = layer_members(tiles.z), layer_members(others.z)
    found = [TilePairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0), {"too little overlap": 0})]
    for z in sorted(layers.keys() & other_layers.keys()):
        found.append(_overlaps(tile_outlines, layers[z], other_outlines, other_layers[z], min_overlap, 0.0))
    pairs = _joined(found)
    overlaps = pairs.overlaps if pairs.overlaps is not None else np.empty(0)
    pairs = _taken(pairs, np.lexsort((pairs.q, -overlaps, pairs.p)))
    dropped = {**pairs.dropped, "no partner": len(tiles) - len(np.unique(pairs.p))}
    if principal_only:
        _, first = np.unique(pairs.p, return_index=True)
        dropped["not the principal partner"] = len(pairs) - len(first)
        pairs = _taken(pairs, first)
    return replace(pairs, dropped=dropped)


def without_positions(tiles: PlacedTiles, pairs: TilePairs, position: RelativePosition) -> TilePairs:
    """Return the pairs without those of one z of which a tile has this relative position."""
    named = relative_positions(tiles.boxes[pairs.p], tiles.boxes[pairs.q])
    same_layer = tiles.z[pairs.p] == tiles.z[pairs.q]
    kept = ~(same_layer & np.array([position in names for names in named], dtype=bool).reshape(-1))
    return replace(_taken(pairs, kept), dropped={**pairs.dropped, f"position {position}": int((~kept).sum())})


def without_matched(
    tiles: PlacedTiles,
    pairs: TilePairs,
    match_counts: Mapping[frozenset[str], int],
    min_count: int,
    others: PlacedTiles | None = None,
) -> TilePairs:
    """Return the pairs without those that have matches already.

    Parameters
    ----------
    tiles : PlacedTiles
    pairs : TilePairs
    match_counts : mapping of two tile ids to int
        How many matches each pair has.
    min_count : int
        Pairs need more matches than this to be left out; for 0 it is enough to be in ``match_counts``.
    others : PlacedTiles, optional
        The stack of q, if that is another one.

    Notes
    -----
    Java: TilePairClient's ``excludePairsInMatchCollection`` and ``minExistingMatchCount``.
    """
    q_ids = tiles.ids if others is None else others.ids
    names = [frozenset((tiles.ids[p], q_ids[q])) for p, q in zip(pairs.p, pairs.q, strict=True)]
    counts = np.array([match_counts.get(name, -1) for name in names], dtype=int)
    kept = counts <= min_count if min_count else counts < 0
    return replace(_taken(pairs, kept), dropped={**pairs.dropped, "matched already": int((~kept).sum())})


def pairs_with(pairs: TilePairs, chosen: ArrayLike, reason: str) -> TilePairs:
    """Return the pairs of which at least one tile is among those that a mask chooses; others count as ``reason``."""
    chosen = np.asarray(chosen, dtype=bool)
    kept = chosen[pairs.p] | chosen[pairs.q]
    return replace(_taken(pairs, kept), dropped={**pairs.dropped, reason: int((~kept).sum())})


def sampled_pairs(pairs: TilePairs, count: int, seed: int) -> TilePairs:
    """Return at most ``count`` pairs, chosen at random but the same for the same seed, in their order."""
    if len(pairs) <= count:
        return pairs
    chosen = np.sort(np.random.default_rng(seed).choice(len(pairs), count, replace=False))
    return replace(_taken(pairs, chosen), dropped={**pairs.dropped, "not sampled": len(pairs) - count})


def neighbor_records(tiles: PlacedTiles, pairs: TilePairs, others: PlacedTiles | None = None) -> list[NeighborPair]:
    """Return the pairs as Render's JSON.

    Parameters
    ----------
    tiles : PlacedTiles
        The stack of p, and of q unless there is another.
    pairs : TilePairs
    others : PlacedTiles, optional
        The stack of q.

    Returns
    -------
    list of dict
        Pairs of one z tell how they lie to each other, those of two how far these are apart.
    """
    q_tiles = tiles if others is None else others
    named = relative_positions(tiles.boxes[pairs.p], q_tiles.boxes[pairs.q])
    apart = np.abs(tiles.z[pairs.p] - q_tiles.z[pairs.q]).tolist()
    records: list[NeighborPair] = []
    for p, q, distance, (p_position, q_position) in zip(pairs.p.tolist(), pairs.q.tolist(), apart, named, strict=True):
        record: NeighborPair = {
            "p": {"groupId": tiles.groups[p], "id": tiles.ids[p]},
            "q": {"groupId": q_tiles.groups[q], "id": q_tiles.ids[q]},
        }
        if distance:
            record["absoluteDeltaZ"] = distance
        else:
            record["p"]["relativePosition"] = p_position
            record["q"]["relativePosition"] = q_position
        records.append(record)
    return records


def _circle_pairs(
    tiles: PlacedTiles, sources: NDArray[np.intp], others: NDArray[np.intp], rules: NeighborRules
) -> NDArray[np.intp]:
    """Return (k, 2) source and other tiles whose boxes the sources' circles meet."""
    boxes = tiles.boxes[sources]
    sizes = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    radii = sizes.max(axis=1, initial=0.0) * rules.xy_neighbor_factor
    if rules.explicit_radius is not None:
        radii = np.full(len(sources), rules.explicit_radius)
    near = boxes_near(np.tile(centres, 2), tiles.boxes[others], radii)
    meets = circles_meet_boxes(centres[near[:, 0]], radii[near[:, 0]], tiles.boxes[others[near[:, 1]]])
    near = near[meets]
    return np.column_stack([sources[near[:, 0]], others[near[:, 1]]])


def _beside(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether the middle of the other lies within the extent of the box in x or in y."""
    middles = (others[:, :2] + others[:, 2:]) / 2
    return np.asarray(((boxes[:, :2] <= middles) & (middles <= boxes[:, 2:])).any(axis=1))


def _distinct(pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return each pair once, whichever way round."""
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _overlaps(
    outlines_p: NDArray[np.object_],
    members_p: NDArray[np.intp],
    outlines_q: NDArray[np.object_],
    members_q: NDArray[np.intp],
    min_overlap: float,
    min_area: float,
) -> TilePairs:
    """Return which of some outlines share enough with which of some others."""
    tree = shapely.STRtree(outlines_q[members_q])
    near_p, near_q = tree.query(outlines_p[members_p], predicate="intersects")
    p, q = members_p[near_p], members_q[near_q]
    shared = shapely.area(shapely.intersection(outlines_p[p], outlines_q[q]))
    smaller = np.minimum(shapely.area(outlines_p[p]), shapely.area(outlines_q[q]))
    part = shared / np.maximum(smaller, np.finfo(float).tiny)
    enough = (part > min_overlap) & (shared > min_area)
    itself = (p == q) if outlines_p is outlines_q else np.zeros(len(p), dtype=bool)
    kept = enough & ~itself
    # within a layer every pair is met from both sides
    sides = 2 if members_p is members_q else 1
    return TilePairs(p[kept], q[kept], part[kept], {"too little overlap": int((~enough & ~itself).sum()) // sides})


def _taken(pairs: TilePairs, chosen: NDArray[Any]) -> TilePairs:
    overlaps = None if pairs.overlaps is None else pairs.overlaps[chosen]
    return TilePairs(pairs.p[chosen], pairs.q[chosen], overlaps, pairs.dropped)


def _joined(parts: Sequence[TilePairs]) -> TilePairs:
    dropped: dict[str, int] = {}
    for part in parts:
        for reason, count in part.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    overlaps = [part.overlaps for part in parts if part.overlaps is not None]
    return TilePairs(
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.q for part in parts]),
        np.concatenate(overlaps) if overlaps else None,
        dropped,
    )


def _in_order(tiles: PlacedTiles, pairs: TilePairs) -> TilePairs:
    """Return the pairs with p before q in Render's order of section and tile ids, and sorted by p, then q."""
    rank = np.empty(len(tiles), dtype=np.intp)
    rank[np.lexsort((order_ranks(tiles.ids), order_ranks(tiles.groups)))] = np.arange(len(tiles))
    turned = rank[pairs.p] > rank[pairs.q]
    p, q = np.where(turned, pairs.q, pairs.p), np.where(turned, pairs.p, pairs.q)
    order = np.lexsort((rank[q], rank[p]))
    return _taken(replace(pairs, p=p, q=q), order)
