"""Point matches of tile pairs: as Render stores them, and as arrays that one can compute with.

Which frame the points are in (raw tile pixels, pixels after the lens correction, world pixels) the matches do not
tell; whoever maps them has to know.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rendermodules.core.problems import InputError

CanvasMatches = dict[str, Any]
"""The matches of one pair as Render's JSON: ``pGroupId``, ``pId``, ``qGroupId``, ``qId``, ``matches`` {p, q, w} ..."""

RelativePosition = Literal["LEFT", "RIGHT", "TOP", "BOTTOM"]
"""Where a tile lies in its pair, by Render's names."""

Mapping = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Takes points (n, 2) from one frame to another."""


@dataclass(frozen=True)
class PointMatches:
    """Points of two tiles that show the same thing.

    Attributes
    ----------
    p_group_id, p_id : str
        Section id and tile id (or any group and canvas) of the first tile.
    q_group_id, q_id : str
        The same of the second.
    p, q : (n, 2) float arrays
        Corresponding points, columns x, y, in pixels.
    weights : (n,) float array
        One weight per pair of points.
    consensus_set : dict, optional
        Render's ``consensusSetData``: which of several consensus sets of a pair this is.
    """

    p_group_id: str
    p_id: str
    q_group_id: str
    q_id: str
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    weights: NDArray[np.float64]
    consensus_set: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.p.shape != self.q.shape or self.p.shape != (len(self.weights), 2):
            raise InputError(
                f"matches of {self.p_id} and {self.q_id}: {self.p.shape}, {self.q.shape} points and "
                f"{self.weights.shape} weights do not pair up"
            )

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def pair(self) -> tuple[str, str, str, str]:
        """Group and id of p, group and id of q: what identifies the matches in a collection."""
        return (self.p_group_id, self.p_id, self.q_group_id, self.q_id)

    @property
    def p_tile_id(self) -> str:
        """Id of the first tile, also where several consensus sets have ids of their own."""
        return str((self.consensus_set or {}).get("originalPId", self.p_id))

    @property
    def q_tile_id(self) -> str:
        """Id of the second tile, also where several consensus sets have ids of their own."""
        return str((self.consensus_set or {}).get("originalQId", self.q_id))


def point_matches(
    p_canvas: tuple[str, str],
    q_canvas: tuple[str, str],
    p: ArrayLike,
    q: ArrayLike,
    weights: ArrayLike | None = None,
) -> PointMatches:
    """Return the matches of two canvases, each given as (group id, id), in Render's order.

    Parameters
    ----------
    p_canvas, q_canvas : (str, str)
        Section id and tile id.
    p, q : (n, 2) arrays
        Corresponding points, columns x, y, in pixels.
    weights : (n,) array, optional
        All 1 if absent.
    """
    p = np.asarray(p, dtype=float).reshape(-1, 2)
    q = np.asarray(q, dtype=float).reshape(-1, 2)
    weights = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=float)
    return canonical(PointMatches(*p_canvas, *q_canvas, p, q, weights))


def parsed_matches(document: CanvasMatches) -> PointMatches:
    """Return the arrays of Render's JSON.

    Raises
    ------
    InputError
        An id or the points are missing, rows differ in length, or a number is not finite.
    """
    try:
        names = [str(document[name]) for name in ("pGroupId", "pId", "qGroupId", "qId")]
        arrays = document["matches"]
        p, q = (np.array(arrays[side], dtype=float).reshape(2, -1).T for side in ("p", "q"))
        weights = np.array(arrays["w"], dtype=float).reshape(-1)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"no point matches: {str(document)[:200]} ({error!r})") from error
    if not (np.isfinite(p).all() and np.isfinite(q).all() and np.isfinite(weights).all()):
        raise InputError(f"matches of {names[1]} and {names[3]} hold numbers that are not finite")
    return PointMatches(names[0], names[1], names[2], names[3], p, q, weights, document.get("consensusSetData"))


def canvas_matches(matches: PointMatches) -> CanvasMatches:
    """Return the matches as Render's JSON, doubles in full."""
    document: CanvasMatches = {
        "pGroupId": matches.p_group_id,
        "pId": matches.p_id,
        "qGroupId": matches.q_group_id,
        "qId": matches.q_id,
        "matches": {"p": matches.p.T.tolist(), "q": matches.q.T.tolist(), "w": matches.weights.tolist()},
        "matchCount": len(matches),
    }
    if matches.consensus_set is not None:
        document["consensusSetData"] = matches.consensus_set
    return document


def render_order(text: str) -> bytes:
    """Return a key that sorts ids as Render does: by UTF-16 code units, so that "10.0" comes before "2.0".

    Notes
    -----
    Java: String.compareTo.
    """
    return text.encode("utf-16-be", "surrogatepass")


def is_canonical(p_canvas: tuple[str, str], q_canvas: tuple[str, str]) -> bool:
    """Return whether two (group id, id) stand in Render's order: by group, then by id, as strings."""
    return [render_order(text) for text in p_canvas] <= [render_order(text) for text in q_canvas]


def swapped(matches: PointMatches) -> PointMatches:
    """Return the matches with p and q exchanged."""
    consensus_set = matches.consensus_set
    if consensus_set is not None:
        exchanged = {"originalPId": "originalQId", "originalQId": "originalPId"}
        consensus_set = {exchanged.get(name, name): value for name, value in consensus_set.items()}
    return PointMatches(
        matches.q_group_id,
        matches.q_id,
        matches.p_group_id,
        matches.p_id,
        matches.q,
        matches.p,
        matches.weights,
        consensus_set,
    )


def canonical(matches: PointMatches) -> PointMatches:
    """Return the matches with p and q in the order in which Render stores them."""
    in_order = is_canonical((matches.p_group_id, matches.p_id), (matches.q_group_id, matches.q_id))
    return matches if in_order else swapped(matches)


def oriented(matches: PointMatches, p_id: str) -> PointMatches:
    """Return the matches with tile ``p_id`` as p; ValueError when it is neither of the two."""
    if matches.p_id == p_id:
        return matches
    if matches.q_id == p_id:
        return swapped(matches)
    raise ValueError(f"the matches of {matches.p_id} and {matches.q_id} are none of {p_id}")


def selected(matches: PointMatches, chosen: ArrayLike) -> PointMatches:
    """Return only the points that a mask or positions choose."""
    chosen = np.asarray(chosen)
    return replace(matches, p=matches.p[chosen], q=matches.q[chosen], weights=matches.weights[chosen])


def with_weights(matches: PointMatches, weights: ArrayLike) -> PointMatches:
    """Return the matches with other weights: one number for all points, or one each."""
    return replace(matches, weights=np.broadcast_to(np.asarray(weights, dtype=float), (len(matches),)).copy())


def renamed(matches: PointMatches, p_canvas: tuple[str, str], q_canvas: tuple[str, str]) -> PointMatches:
    """Return the matches between two other (group id, id), in Render's order."""
    (p_group_id, p_id), (q_group_id, q_id) = p_canvas, q_canvas
    return canonical(replace(matches, p_group_id=p_group_id, p_id=p_id, q_group_id=q_group_id, q_id=q_id))


def mapped(matches: PointMatches, p_mapping: Mapping, q_mapping: Mapping) -> PointMatches:
    """Return the matches with each side taken to another frame, for instance through a tile's transforms."""
    return replace(matches, p=p_mapping(matches.p), q=q_mapping(matches.q))


def capped(matches: PointMatches, limit: int, seed: int) -> PointMatches:
    """Return at most ``limit`` points, chosen at random but the same for the same seed, in their order."""
    if len(matches) <= limit:
        return matches
    chosen = np.random.default_rng(seed).choice(len(matches), limit, replace=False)
    return selected(matches, np.sort(chosen))


def without_repetitions(matches: PointMatches) -> PointMatches:
    """Return the matches with each pair of points once, the one with the largest weight."""
    by_weight = np.argsort(-matches.weights, kind="stable")
    points = np.column_stack([matches.p, matches.q])[by_weight]
    _, first = np.unique(points, axis=0, return_index=True)
    return selected(matches, np.sort(by_weight[first]))


def merged(collections: Iterable[Iterable[PointMatches]]) -> list[PointMatches]:
    """Return the matches of several collections as one, with the points of a pair one behind the other.

    Parameters
    ----------
    collections : iterable of iterables of PointMatches
        A pair may come up any number of times, in either order of p and q.

    Returns
    -------
    list of PointMatches
        One for each pair, in Render's order of pGroupId, qGroupId, pId, qId.
    """
    found: dict[tuple[str, str, str, str], list[PointMatches]] = {}
    for collection in collections:
        for matches in collection:
            matches = canonical(matches)
            found.setdefault(matches.pair, []).append(matches)
    joined = [parts[0] if len(parts) == 1 else _concatenated(parts) for parts in found.values()]
    return sorted(joined, key=collection_order)


def collection_order(matches: PointMatches) -> list[bytes]:
    """Return a key that sorts matches as Render lists them: by pGroupId, qGroupId, pId, qId."""
    names = (matches.p_group_id, matches.q_group_id, matches.p_id, matches.q_id)
    return [render_order(name) for name in names]


def residuals(matches: PointMatches, p_mapping: Mapping, q_mapping: Mapping) -> NDArray[np.float64]:
    """Return (n, 2) by how much p lands beside q when both are mapped to one frame, in pixels of that frame."""
    return p_mapping(matches.p) - q_mapping(matches.q)


def _concatenated(parts: list[PointMatches]) -> PointMatches:
    return replace(
        parts[0],
        p=np.concatenate([part.p for part in parts]),
        q=np.concatenate([part.q for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )
