"""The matches of a section as a person wants to see them: where they lie in a stack, and how far they are apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.match_frames import transforms_for_matching
from rendermodules.core.transforms import CoordinateTransform, flattened, parsed_transform
from rendermodules.render_ws.store.match_points import PointArrays
from rendermodules.render_ws.store.matches import Canvas

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PlacedMatches:
    """The matches of pairs of tiles, in the world of a stack.

    Attributes
    ----------
    pairs : list of (Canvas, Canvas)
        The tiles p and q of each pair.
    pair_of_match : (n,) int array
        Which pair each match belongs to, ascending.
    p, q : (n, 2) float arrays
        The two points of each match as the collection has them, columns x, y.
    p_world, q_world : (n, 2) float arrays
        Where the tiles' transforms take them.
    weights : (n,) float array
    """

    pairs: list[tuple[Canvas, Canvas]]
    pair_of_match: NDArray[np.intp]
    p: Floats
    q: Floats
    p_world: Floats
    q_world: Floats
    weights: Floats

    @property
    def residuals(self) -> Floats:
        """Distance of the two points of each match, in world pixels."""
        distances: Floats = np.linalg.norm(self.p_world - self.q_world, axis=1)
        return distances


def placed_matches(
    matches: Iterable[tuple[Canvas, Canvas, PointArrays]],
    tiles: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, dict[str, Any]],
    local_transforms: int | None,
) -> PlacedMatches:
    """Return matches in the world.

    Parameters
    ----------
    matches : iterable of (Canvas, Canvas, PointArrays)
        Those of which a tile is not in ``tiles`` are left out, and so are those whose points do not pair up.
    tiles : mapping of str to dict
        Tile specs by id.
    shared : mapping of str to dict
        The shared transforms that they refer to.
    local_transforms : int, optional
        How many of a tile's transforms are in the coordinates of the matches already; by default by Render's rule,
        see `transforms_for_matching`.

    Raises
    ------
    TransformError
        A transform cannot be understood.
    """
    kept = [
        (p, q, points)
        for p, q, points in matches
        if p.id in tiles and q.id in tiles and isinstance(points.p, np.ndarray) and isinstance(points.q, np.ndarray)
    ]
    counts = np.array([points.w.size for _, _, points in kept], dtype=np.intp)
    transforms: dict[str, CoordinateTransform] = {}
    for tile_id in {canvas.id for p, q, _ in kept for canvas in (p, q)}:
        transforms[tile_id] = _to_world(tiles[tile_id], shared, local_transforms)
    p_points, q_points = (_joined([getattr(points, side) for _, _, points in kept]) for side in ("p", "q"))
    pair_of_match = np.repeat(np.arange(len(kept)), counts)
    return PlacedMatches(
        [(p, q) for p, q, _ in kept],
        pair_of_match,
        p_points,
        q_points,
        _applied(transforms, [p.id for p, _, _ in kept], p_points, pair_of_match),
        _applied(transforms, [q.id for _, q, _ in kept], q_points, pair_of_match),
        np.concatenate([points.w for _, _, points in kept]) if kept else np.empty(0),
    )


def _to_world(
    tile: Mapping[str, Any], shared: Mapping[str, dict[str, Any]], local_transforms: int | None
) -> CoordinateTransform:
    specs = flattened((tile.get("transforms") or {}).get("specList") or [], shared)
    local = len(transforms_for_matching(specs)) if local_transforms is None else local_transforms
    return parsed_transform({"type": "list", "specList": specs[local:]})


def _joined(rows: list[Floats]) -> Floats:
    return np.ascontiguousarray(np.concatenate(rows, axis=1).T) if rows else np.empty((0, 2))


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
