"""Point matches in few large arrays: half a million pairs take little more than their points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from rendermodules.core.pointmatches import CanvasMatches, PointMatches, parsed_matches
from rendermodules.core.solve.arrays import FloatArray, IntArray

Canvas = tuple[str, str]
"""Group (section) id and tile id."""


@dataclass(frozen=True)
class MatchTable:
    """Matches of pairs, concatenated.

    Attributes
    ----------
    p_canvases, q_canvases : lists of (str, str) (m)
        Group id and tile id of the tiles of each pair.
    counts : (m,) int array
        Number of points of each pair.
    points_p, points_q : (n, 2) float arrays
        x, y in the frames in which the matches were found.
    weights : (n,) float array
    """

    p_canvases: list[Canvas]
    q_canvases: list[Canvas]
    counts: IntArray
    points_p: FloatArray
    points_q: FloatArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.counts)


def match_table(found: Sequence[PointMatches]) -> MatchTable:
    """Return the matches of some pairs as a table."""
    return MatchTable(
        [(one.p_group_id, one.p_id) for one in found],
        [(one.q_group_id, one.q_id) for one in found],
        np.array([len(one) for one in found], dtype=np.int64),
        np.concatenate([np.empty((0, 2)), *(one.p for one in found)]),
        np.concatenate([np.empty((0, 2)), *(one.q for one in found)]),
        np.concatenate([np.empty(0), *(one.weights for one in found)]),
    )


def match_table_of_documents(documents: Sequence[CanvasMatches]) -> MatchTable:
    """Return matches as Render's JSON as a table, several times as quick as pair by pair.

    Raises
    ------
    InputError
        One of the documents is no point match; the message shows it.
    """
    try:
        table = _table_of_documents(documents)
    except (KeyError, IndexError, TypeError, ValueError):
        # pair by pair it is told which one it is
        return match_table([parsed_matches(document) for document in documents])
    return table


def _table_of_documents(documents: Sequence[CanvasMatches]) -> MatchTable:
    arrays = [document["matches"] for document in documents]
    counts = np.array([len(one["w"]) for one in arrays], dtype=np.int64)
    weights = np.fromiter(chain.from_iterable(one["w"] for one in arrays), np.float64)
    points = np.empty((2, 2, len(weights)))
    for side, axis in np.ndindex(2, 2):
        rows = [one["pq"[side]][axis] for one in arrays]
        if not np.array_equal(counts, [len(row) for row in rows]):
            raise ValueError("rows differ in length")
        points[side, axis] = np.fromiter(chain.from_iterable(rows), np.float64)
    if not (np.isfinite(points).all() and np.isfinite(weights).all()):
        raise ValueError("numbers are not finite")
    return MatchTable(
        [(str(one["pGroupId"]), str(one["pId"])) for one in documents],
        [(str(one["qGroupId"]), str(one["qId"])) for one in documents],
        counts,
        points[0].T.copy(),
        points[1].T.copy(),
        weights,
    )


def joined_matches(parts: Sequence[MatchTable]) -> MatchTable:
    """Return several tables in one; a pair may occur in many."""
    return MatchTable(
        [canvas for part in parts for canvas in part.p_canvases],
        [canvas for part in parts for canvas in part.q_canvases],
        np.concatenate([np.empty(0, dtype=np.int64), *(part.counts for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.points_p for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.points_q for part in parts)]),
        np.concatenate([np.empty(0), *(part.weights for part in parts)]),
    )
