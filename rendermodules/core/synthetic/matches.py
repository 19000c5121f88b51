"""Point matches with known truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.synthetic.geometry import Points, TileTruth
from rendermodules.core.synthetic.tile_table import TileTable, overlapping_pairs, points_in_boxes, shared_boxes

_PAIRS_AT_ONCE = 8192


@dataclass(frozen=True)
class SyntheticMatches:
    """Point matches of pairs of tiles, one behind the other.

    Attributes
    ----------
    pairs : (pairs, 2) int array
        Indices of the tiles p and q in the sequences that were given.
    starts : (pairs + 1,) int array
        Pair k has the matches ``starts[k]`` up to ``starts[k + 1]``.
    p, q : (n, 2) float arrays
        Pixels x, y of tile p and tile q.
    wrong : (n,) bool array
        Which matches are outliers.
    """

    pairs: NDArray[np.int64]
    starts: NDArray[np.int64]
    p: Points
    q: Points
    wrong: NDArray[np.bool_]

    def to_json(self, p_tiles: Sequence[TileTruth], q_tiles: Sequence[TileTruth] | None = None) -> list[dict[str, Any]]:
        """Return the matches as Render's JSON: one document per pair, group ids as in the tile specs, all weights 1."""
        q_tiles = p_tiles if q_tiles is None else q_tiles
        documents = []
        for (p_index, q_index), start, end in zip(self.pairs.tolist(), self.starts[:-1], self.starts[1:], strict=True):
            p_tile, q_tile = p_tiles[p_index], q_tiles[q_index]
            documents.append(
                {
                    "pGroupId": str(p_tile.z),
                    "pId": p_tile.tile_id,
                    "qGroupId": str(q_tile.z),
                    "qId": q_tile.tile_id,
                    "matches": {
                        "p": self.p[start:end].T.tolist(),
                        "q": self.q[start:end].T.tolist(),
                        "w": [1.0] * int(end - start),
                    },
                }
            )
        return documents


def synthetic_matches(
    p_tiles: Sequence[TileTruth],
    q_tiles: Sequence[TileTruth] | None = None,
    count: int = 20,
    noise: float = 0.0,
    outliers: float = 0.0,
    smallest_overlap: float = 10.0,
    seed: int = 1,
) -> SyntheticMatches:
    """Return matches between tiles that show the same tissue.

    Parameters
    ----------
    p_tiles : sequence of TileTruth
        Tiles of one section.
    q_tiles : sequence of TileTruth, optional
        Tiles of another section; by default the matches are within ``p_tiles``.
    count : int, default: 20
        Matches per pair; fewer where the overlap of the two is not a rectangle.
    noise : float, default: 0.0
        Standard deviation of each coordinate of both points in pixels.
    outliers : float, default: 0.0
        Share of matches whose q is anywhere in the tile.
    smallest_overlap : float, default: 10.0
        Pairs whose overlap is not longer than this along both axes get no matches, pixels.
    seed : int, default: 1
        Of places, noise and outliers.

    Returns
    -------
    SyntheticMatches
        Within a section each pair once, smaller index first. Noise may push a point out of its tile. Peak memory is
        about 3 times the result.

    Raises
    ------
    ValueError
        A side has no tiles, or tiles of several sections.
    """
    p_table = TileTable.of(p_tiles)
    within = q_tiles is None
    q_table = p_table if q_tiles is None else TileTable.of(q_tiles)
    # one section is matched where it is flat; two have only the tissue in common
    p_boxes, q_boxes = (table.boxes if within else table.world_boxes for table in (p_table, q_table))
    pairs = overlapping_pairs(p_boxes, None if within else q_boxes, smallest_overlap)
    random = np.random.default_rng(seed)
    parts = [_matches_of_block(p_table, q_table, p_boxes, q_boxes, pairs[:0], within, count, random)]
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        block = pairs[start : start + _PAIRS_AT_ONCE]
        parts.append(_matches_of_block(p_table, q_table, p_boxes, q_boxes, block, within, count, random))
    counts, p, q = (np.concatenate([part[number] for part in parts]) for number in range(3))
    wrong = random.uniform(0, 1, len(p)) < outliers
    size = (q_table.lens.width - 1, q_table.lens.height - 1)
    q[wrong] = random.uniform(0, 1, (int(wrong.sum()), 2)) * size
    p += random.normal(0, 1, p.shape) * noise
    q += random.normal(0, 1, q.shape) * noise
    return SyntheticMatches(pairs, np.concatenate([[0], np.cumsum(counts)]), p, q, wrong)


def _matches_of_block(
    p_table: TileTable,
    q_table: TileTable,
    p_boxes: NDArray[np.float64],
    q_boxes: NDArray[np.float64],
    pairs: NDArray[np.int64],
    within: bool,
    count: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], Points, Points]:
    """Return the numbers of exact matches of pairs (n,), and their pixels in p and q."""
    boxes = shared_boxes(p_boxes[pairs[:, 0]], q_boxes[pairs[:, 1]])
    places = points_in_boxes(boxes, random.uniform(0, 1, (len(pairs), count, 2)))
    p_places, q_places = (places if within else table.section.from_world(places) for table in (p_table, q_table))
    p, q = p_table.from_section(p_places, pairs[:, 0]), q_table.from_section(q_places, pairs[:, 1])
    shown = p_table.inside(p) & q_table.inside(q)
    return shown.sum(axis=1), p[shown], q[shown]
