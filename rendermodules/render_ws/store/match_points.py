"""Points of matched pairs as stored: five counts, then float64 numbers.

JSON text of the same points takes four times the space and forty times as long to read.
"""

import struct
from array import array
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import Points

# padded, so that the numbers behind it can be used in place
_COUNTS = struct.Struct("<5I4x")
_ALL_ONE = 0xFFFFFFFF
_FLOAT64 = np.dtype("<f8")

Floats = NDArray[np.float64]


class PointArrays(NamedTuple):
    """Corresponding points of one pair, in pixels of the two canvases.

    Attributes
    ----------
    p, q : (2, n) float array
        Rows x, y; a list of rows when their lengths differ.
    w : (n,) float array
        Weights.
    """

    p: Floats | list[Floats]
    q: Floats | list[Floats]
    w: Floats


def packed_points(points: Points) -> bytes:
    """Return points as bytes; weights that are all 1 take no space.

    Raises
    ------
    InvalidRequest
        p or q do not have a row of x and a row of y, or a number is not finite.
    """
    if len(points.p) != 2 or len(points.q) != 2:
        raise InvalidRequest("matches must have two rows of coordinates, x and y, for p and for q")
    rows = [*points.p, *points.q]
    counts = [len(row) for row in rows]
    all_one = len(points.w) == counts[0] and points.w.count(1.0) == counts[0]
    numbers = array("d", [number for row in (rows if all_one else [*rows, points.w]) for number in row])
    if not np.isfinite(np.frombuffer(numbers, dtype=np.float64)).all():
        raise InvalidRequest("matches must be finite numbers")
    return _COUNTS.pack(*counts, _ALL_ONE if all_one else len(points.w)) + numbers.tobytes()


def unpacked_points(content: bytes) -> PointArrays:
    """Return the points that `packed_points` packed; the arrays are read-only views."""
    a, b, c, d, weights = _COUNTS.unpack_from(content)
    if weights == _ALL_ONE:
        w = _ones(a)
    else:
        w = np.ndarray(weights, _FLOAT64, content, _COUNTS.size + (a + b + c + d) * _FLOAT64.itemsize)
    if a == b == c == d:
        both = np.ndarray((2, 2, a), _FLOAT64, content, _COUNTS.size)
        return PointArrays(both[0], both[1], w)
    numbers = np.ndarray(a + b + c + d, _FLOAT64, content, _COUNTS.size)
    p_x, p_y, q_x, q_y = np.split(numbers, [a, a + b, a + b + c])
    return PointArrays([p_x, p_y], [q_x, q_y], w)


@lru_cache(maxsize=256)
def _ones(count: int) -> Floats:
    ones = np.ones(count)
    ones.flags.writeable = False
    return ones


def merged_points(first: PointArrays, second: PointArrays) -> PointArrays:
    """Return the points of both, one behind the other."""
    return PointArrays(
        [np.concatenate(rows) for rows in zip(first.p, second.p, strict=True)],
        [np.concatenate(rows) for rows in zip(first.q, second.q, strict=True)],
        np.concatenate([first.w, second.w]),
    )


def swapped_points(points: Points) -> Points:
    """Return the points with p and q exchanged."""
    return Points(points.q, points.p, points.w)
