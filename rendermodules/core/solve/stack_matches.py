"""Point matches of tiles by id as a solve takes them: indices, frames, weights by depth, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.solve.arrays import IntArray
from rendermodules.core.solve.match_table import MatchTable
from rendermodules.core.solve.matches import Z_DIGITS, PairMatches, depth_factors, z_distances
from rendermodules.core.solve.tile_table import TileTable

UNKNOWN_TILE = "the stack has no such tile"
OTHER_SECTION = "a section that is not solved"
TOO_FAR = "sections too far apart"


@dataclass(frozen=True)
class DepthRule:
    """How matches of sections near and far count.

    Attributes
    ----------
    depths : tuple of float or None
        Distances in z whose matches are used, 0 for those within a section; None uses all.
    montage_weight, cross_weight : float
        Factor of the weights of matches within a section, and across sections.
    inverse_distance : bool
        Divide the weights across sections by their distance plus 1.
    weights_by_depth : tuple of float or None
        Factors for the distances 0, 1, 2, ..., instead of the other three.
    """

    depths: tuple[float, ...] | None = None
    montage_weight: float = 1.0
    cross_weight: float = 1.0
    inverse_distance: bool = True
    weights_by_depth: tuple[float, ...] | None = None


@dataclass(frozen=True)
class StackMatches:
    """Matches between the tiles of a table, in the frames of the solve.

    Attributes
    ----------
    matches : PairMatches
        Only pairs of which both tiles are known and near enough.
    read : int
        How many pairs there were; one that comes up in several collections is counted in each.
    left_out : dict of str to list of (str, str)
        Tile ids of the pairs that are not in ``matches``, by reason.
    """

    matches: PairMatches
    read: int
    left_out: dict[str, list[tuple[str, str]]]


def stack_matches(found: MatchTable, table: TileTable, rule: DepthRule) -> StackMatches:
    """Return matches as they were read, in either orientation, for a solve of the tiles of a table."""
    index = table.index()
    pairs = np.array(
        [
            (index.get(p_id, -1), index.get(q_id, -1))
            for (_, p_id), (_, q_id) in zip(found.p_canvases, found.q_canvases, strict=True)
        ],
        dtype=np.int64,
    ).reshape(-1, 2)
    reasons = _reasons(found, table, pairs, rule)
    used = reasons == ""
    of_used = np.repeat(used, found.counts)
    counts, pairs = found.counts[used], pairs[used]
    tiles = np.repeat(pairs, counts, axis=0)
    factors = depth_factors(
        z_distances(table.z, pairs),
        rule.montage_weight,
        rule.cross_weight,
        rule.inverse_distance,
        rule.weights_by_depth,
    )
    matches = PairMatches(
        pairs,
        np.concatenate([[0], np.cumsum(counts)]),
        table.solve_points(found.points_p[of_used], tiles[:, 0]),
        table.solve_points(found.points_q[of_used], tiles[:, 1]),
        found.weights[of_used] * np.repeat(factors, counts),
    )
    left_out: dict[str, list[tuple[str, str]]] = {}
    for place in np.flatnonzero(~used):
        left_out.setdefault(str(reasons[place]), []).append((found.p_canvases[place][1], found.q_canvases[place][1]))
    return StackMatches(matches, len(found), left_out)


def _reasons(found: MatchTable, table: TileTable, pairs: IntArray, rule: DepthRule) -> NDArray[np.str_]:
    """Return why each pair (m,) is left out, an empty text for those that are not."""
    reasons = np.full(len(pairs), "", dtype=f"U{max(map(len, (UNKNOWN_TILE, OTHER_SECTION, TOO_FAR)))}")
    groups = set(table.groups)
    for place in np.flatnonzero((pairs < 0).any(axis=1)):
        canvases = found.p_canvases[place], found.q_canvases[place]
        absent = {group for (group, _), tile in zip(canvases, pairs[place], strict=True) if tile < 0}
        # ids of sections tell a tile that was lost from one that is not asked for
        reasons[place] = UNKNOWN_TILE if absent <= groups else OTHER_SECTION
    if rule.depths is not None:
        known = np.flatnonzero((pairs >= 0).all(axis=1))
        near = np.isin(z_distances(table.z, pairs[known]), np.round(rule.depths, Z_DIGITS))
        reasons[known[~near]] = TOO_FAR
    return reasons
