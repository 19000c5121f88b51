"""Where matched points lie in the world by the transforms of their tiles, and so how far they are apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.match_frames import transforms_for_matching
from rendermodules.core.sections import TileSpec
from rendermodules.core.transforms import CoordinateTransform, SharedTransforms, flattened, parsed_transform

Floats = NDArray[np.float64]


class TilePairMatches(NamedTuple):
    """The matches of two tiles.

    Attributes
    ----------
    p_id, q_id : str
        Tile ids.
    p, q : (n, 2) float arrays
        Corresponding points x, y, in the pixels that were matched.
    weights : (n,) float array
    """

    p_id: str
    q_id: str
    p: Floats
    q: Floats
    weights: Floats


@dataclass(frozen=True)
class PlacedMatches:
    """The matches of pairs of tiles, in the world of a stack.

    Attributes
    ----------
    pairs : list of (str, str)
        Ids of the tiles p and q of each pair.
    pair_of_match : (n,) int array
        Which pair each match belongs to, ascending.
    p, q : (n, 2) float arrays
        The two points of each match, in the pixels that were matched.
    p_world, q_world : (n, 2) float arrays
        Where the tiles' transforms take them, in world pixels.
    weights : (n,) float array
    """

    pairs: list[tuple[str, str]]
    pair_of_match: NDArray[np.intp]
    p: Floats
    q: Floats
    p_world: Floats
    q_world: Floats
    weights: Floats

    @property
    def residuals(self) -> Floats:
        """Distance (n,) of the two points of each match, in world pixels."""
        distances: Floats = np.linalg.norm(self.p_world - self.q_world, axis=1)
        return distances

    @property
    def places(self) -> Floats:
        """The middle (n, 2) between the two points of each match, in world pixels."""
        middle: Floats = (self.p_world + self.q_world) / 2
        return middle


def placed_matches(
    matches: Iterable[TilePairMatches],
    tiles: Mapping[str, TileSpec],
    shared: SharedTransforms,
    num_local_transforms: int | None = None,
) -> PlacedMatches:
    """Return matches in the world.

    Parameters
    ----------
    matches : iterable of TilePairMatches
        Those of which a tile is not in ``tiles`` are left out.
    tiles : mapping of str to dict
        Tile specs by id.
    shared : mapping of str to dict
        The shared transforms that they refer to.
    num_local_transforms : int, optional
        How many of a tile's transforms are in the matched pixels already; by default those of
        `match_frames.transforms_for_matching`.

    Raises
    ------
    TransformError
        A transform cannot be understood.
    """
    kept = [one for one in matches if one.p_id in tiles and one.q_id in tiles]
    transforms = {
        tile_id: _to_world(tiles[tile_id], shared, num_local_transforms)
        for tile_id in {tile_id for one in kept for tile_id in (one.p_id, one.q_id)}
    }
    counts = np.array([len(one.weights) for one in kept], dtype=np.intp)
    pair_of_match = np.repeat(np.arange(len(kept)), counts)
    none = np.empty((0, 2))
    p, q = (
        np.ascontiguousarray(np.concatenate([none, *points]))
        for points in ([one.p for one in kept], [one.q for one in kept])
    )
    return PlacedMatches(
        [(one.p_id, one.q_id) for one in kept],
        pair_of_match,
        p,
        q,
        _applied(transforms, [one.p_id for one in kept], p, pair_of_match),
        _applied(transforms, [one.q_id for one in kept], q, pair_of_match),
        np.concatenate([np.empty(0), *(one.weights for one in kept)]),
    )


def _to_world(tile: TileSpec, shared: SharedTransforms, num_local_transforms: int | None) -> CoordinateTransform:
    specs = flattened((tile.get("transforms") or {}).get("specList") or [], shared)
    local = len(transforms_for_matching(specs)) if num_local_transforms is None else num_local_transforms
    return parsed_transform({"type": "list", "specList": specs[local:]})


def _applied(
    transforms: Mapping[str, CoordinateTransform],
    tile_ids: list[str],
    points: Floats,
    pair_of_match: NDArray[np.intp],
) -> Floats:
    """Return points, each through the transforms of the tile ``tile_ids[pair]``; all points of a tile at once."""
    names = sorted(set(tile_ids))
    number = {name: index for index, name in enumerate(names)}
    tile_of_point = np.array([number[tile_id] for tile_id in tile_ids], dtype=np.intp)[pair_of_match]
    order = np.argsort(tile_of_point, kind="stable")
    ends = np.cumsum(np.bincount(tile_of_point, minlength=len(names)))
    result = np.empty_like(points)
    for name, rows in zip(names, np.split(order, ends[:-1]), strict=True) if names else ():
        result[rows] = transforms[name].apply(points[rows])
    return result


def matches_of_documents(documents: Iterable[Mapping[str, Any]]) -> list[TilePairMatches]:
    """Return the matches of Render's JSON; pairs without points, or whose points do not pair up, are left out."""
    found = []
    for document in documents:
        arrays = document.get("matches") or {}
        p, q = (np.array(arrays.get(side) or [[], []], dtype=float) for side in ("p", "q"))
        weights = np.array(arrays.get("w") or [], dtype=float)
        if p.shape == q.shape == (2, len(weights)):
            found.append(TilePairMatches(str(document["pId"]), str(document["qId"]), p.T, q.T, weights))
    return found
