"""Tile specs as a solve sees them: sizes, priors, and the way from the frame of the matches to that of the solve.

Matches are in pixels of a tile after its local transforms (`core.match_frames`). A solve finds the transform that comes
behind those that are kept, which may be more: points then go through the others first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rendermodules.core.estimation import composed, fitted_model, inverted
from rendermodules.core.match_frames import LENS_LABEL, transform_labels, transforms_for_matching
from rendermodules.core.sections import Section, TileSpec, transform_list
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.options import Anchors, SolveError, TileSet
from rendermodules.core.transforms import (
    CoordinateTransform,
    SharedTransforms,
    TransformError,
    TransformList,
    flattened,
    parsed_transform,
)

Placing = Literal["replace_last", "replace", "append"]
"""Where a solved transform goes: in place of a tile's last one, of all behind the local ones, or behind the last."""

_SAMPLES = 5


@dataclass(frozen=True)
class FrameRule:
    """Which transforms of tiles are kept, and which of these the matches have passed through.

    Attributes
    ----------
    num_local_transforms : int or None
        How many leading transforms, lists and references taken apart, the matches have passed through; None goes by
        Render's rule, see `transforms_for_matching`.
    placing : str
        Where the solved transform goes.
    """

    num_local_transforms: int | None = None
    placing: Placing = "replace_last"

    def counts(self, specs: Sequence[dict[str, object]]) -> tuple[int, int]:
        """Return how many of a flat list of transforms are local, and how many are kept.

        Raises
        ------
        TransformError
            There are fewer than are local.
        """
        local = self.num_local_transforms
        if local is None:
            local = len(transforms_for_matching(specs))
        if local > len(specs):
            raise TransformError(f"has {len(specs)} transforms, of which {local} cannot be local")
        kept = {"replace": local, "replace_last": max(len(specs) - 1, local), "append": len(specs)}
        return local, kept[self.placing]


@dataclass(frozen=True)
class TileTable:
    """Tiles without their specs: what a solve and a report need of them.

    The frame of the solve of a tile has its origin at the low corner of the tile's box behind the kept transforms.

    Attributes
    ----------
    ids, groups : lists of str (t)
        Tile ids, and ids of their sections.
    z : (t,) float array
    sizes : (t, 2) float array
        Width and height of the boxes.
    origins : (t, 2) float array
        Low corners of the boxes, behind the kept transforms.
    priors : (t, 2, 3) float array
        Affine from the frame of the solve to the world, as the tiles are now; of curved transforms the nearest.
    to_solve : (t, 2, 3) float array
        Affine from the frame of the matches to that of the solve.
    curved : dict of int to CoordinateTransform
        The way from the frame of the matches to that behind the kept transforms, of tiles where it is not affine.
    cameras : list of hashable (t)
        Tiles with equal ones were taken in the same way, so that they may share a lens.
    corrected : (t,) bool array
        Tiles that have a transform with the label of lens corrections.
    same_frame : (t,) bool array
        Tiles of which only the local transforms are kept.
    """

    ids: list[str]
    groups: list[str]
    z: FloatArray
    sizes: FloatArray
    origins: FloatArray
    priors: FloatArray
    to_solve: FloatArray
    curved: dict[int, CoordinateTransform]
    cameras: list[Hashable]
    corrected: BoolArray
    same_frame: BoolArray

    def __len__(self) -> int:
        return len(self.ids)

    def ids_of(self, z: float) -> list[str]:
        """Return the ids of the tiles of a section."""
        return [self.ids[place] for place in np.flatnonzero(self.z == z).tolist()]

    def index(self) -> dict[str, int]:
        """Return the position of each tile id.

        Raises
        ------
        SolveError
            An id occurs twice.
        """
        places = {tile_id: place for place, tile_id in enumerate(self.ids)}
        if len(places) < len(self.ids):
            twice = next(tile_id for place, tile_id in enumerate(self.ids) if places[tile_id] != place)
            raise SolveError(f"the tile {twice} occurs more than once")
        return places

    def solve_points(self, points: FloatArray, tiles: IntArray) -> FloatArray:
        """Return points (n, 2) in the frames of the matches of tiles (n,) in the frames of the solve.

        Points of one tile follow one another.
        """
        if not self.curved and np.array_equal(self.to_solve, np.broadcast_to(np.eye(2, 3), self.to_solve.shape)):
            return points
        matrices = self.to_solve[tiles]
        result: FloatArray = np.einsum("nij,nj->ni", matrices[:, :, :2], points) + matrices[:, :, 2]
        if self.curved:
            starts = np.flatnonzero(np.diff(tiles, prepend=-1))
            for start, stop in zip(starts, [*starts[1:], len(tiles)], strict=True):
                way = self.curved.get(int(tiles[start]))
                if way is not None:
                    result[start:stop] = way.apply(points[start:stop]) - self.origins[tiles[start]]
        return result


def tile_table(section: Section, rule: FrameRule) -> TileTable:
    """Return the table of the tiles of a section.

    Raises
    ------
    TransformError
        A transform cannot be understood, flattens its tile, or a tile has too few; the message names the tile.
    """
    reader = _Reader(section.transforms, rule)
    rows = [reader.row(tile) for tile in section.tiles]
    return TileTable(
        [tile["tileId"] for tile in section.tiles],
        [section_id(tile, section.z) for tile in section.tiles],
        np.full(len(rows), float(section.z)),
        np.array([row.size for row in rows]).reshape(-1, 2),
        np.array([row.origin for row in rows]).reshape(-1, 2),
        np.array([row.prior for row in rows]).reshape(-1, 2, 3),
        np.array([row.to_solve for row in rows]).reshape(-1, 2, 3),
        {place: row.curved for place, row in enumerate(rows) if row.curved is not None},
        [row.camera for row in rows],
        np.array([row.corrected for row in rows], dtype=bool),
        np.array([row.same_frame for row in rows], dtype=bool),
    )


def section_id(tile: TileSpec, z: float) -> str:
    """Return the id of a tile's section, which is the group of its matches; by z where it has none."""
    return str((tile.get("layout") or {}).get("sectionId", z))


def joined_tables(tables: Sequence[TileTable]) -> TileTable:
    """Return the tiles of several tables in one, in their order."""
    starts = np.cumsum([0, *map(len, tables)])
    return TileTable(
        [tile_id for table in tables for tile_id in table.ids],
        [group for table in tables for group in table.groups],
        np.concatenate([np.empty(0), *(table.z for table in tables)]),
        np.concatenate([np.empty((0, 2)), *(table.sizes for table in tables)]),
        np.concatenate([np.empty((0, 2)), *(table.origins for table in tables)]),
        np.concatenate([np.empty((0, 2, 3)), *(table.priors for table in tables)]),
        np.concatenate([np.empty((0, 2, 3)), *(table.to_solve for table in tables)]),
        {
            int(start) + place: way
            for start, table in zip(starts, tables, strict=False)
            for place, way in table.curved.items()
        },
        [camera for table in tables for camera in table.cameras],
        np.concatenate([np.empty(0, dtype=bool), *(table.corrected for table in tables)]),
        np.concatenate([np.empty(0, dtype=bool), *(table.same_frame for table in tables)]),
    )


def tile_set_of(table: TileTable, lens: str, fixed_zs: Iterable[float], fixed_ids: Iterable[str]) -> TileSet:
    """Return the tiles for a solve.

    Parameters
    ----------
    table : TileTable
        The tiles.
    lens : str
        See `SolveOptions`. For ``"auto"`` tiles that have a correction already, or whose matches are not in the frame
        that the lens would act on, get none. Tiles that stay where they are never get one.
    fixed_zs : iterable of float
        Sections whose tiles stay where they are.
    fixed_ids : iterable of str
        Tiles that stay where they are.

    Raises
    ------
    SolveError
        A lens is asked for by its kind where none can be estimated.
    """
    fixed_ids = frozenset(fixed_ids)
    fixed = np.isin(table.z, list(fixed_zs)) | np.array([name in fixed_ids for name in table.ids], dtype=bool)
    numbers: dict[Hashable, int] = {}
    groups = np.array([numbers.setdefault(camera, len(numbers)) for camera in table.cameras], dtype=np.int64)
    # a lens would bend what stays as it is
    groups[fixed] = -1
    if lens == "auto":
        groups[table.corrected | ~table.same_frame] = -1
    elif lens != "none" and not table.same_frame.all():
        tile_id = table.ids[int(np.flatnonzero(~table.same_frame)[0])]
        raise SolveError(
            f"tile {tile_id} keeps transforms that its matches have not passed through; a lens comes before these"
        )
    return TileSet(table.priors, table.sizes, table.z, fixed, groups)


def anchors_of(table: TileTable, places: TileTable, weight: float) -> Anchors:
    """Return the wish that tiles lie where other specs of the same ids put them.

    Parameters
    ----------
    table : TileTable
        The tiles of the solve.
    places : TileTable
        Tiles of another stack, whose solved transform would replace all that places them (``"replace"``).
    weight : float
        In matched points of weight 1: how many each wish counts for.
    """
    index = table.index()
    known = [(index[tile_id], place) for place, tile_id in enumerate(places.ids) if tile_id in index]
    targets = []
    for tile, place in known:
        if tile in table.curved:
            raise SolveError(f"tile {table.ids[tile]} keeps transforms that are not affine and cannot be anchored")
        world = composed(places.to_solve[place], places.priors[place])
        targets.append(composed(inverted(table.to_solve[tile]), world))
    return Anchors(
        np.array([tile for tile, _ in known], dtype=np.int64),
        np.array(targets).reshape(-1, 2, 3),
        np.full(len(known), float(weight)),
    )


@dataclass(frozen=True)
class _Row:
    size: FloatArray
    origin: FloatArray
    prior: FloatArray
    to_solve: FloatArray
    curved: CoordinateTransform | None
    camera: Hashable
    corrected: bool
    same_frame: bool


@dataclass(frozen=True)
class _Ahead:
    """What the kept transforms of a tile do, which are often the same for many tiles."""

    size: FloatArray
    origin: FloatArray
    to_solve: FloatArray
    curved: CoordinateTransform | None


class _Reader:
    """Reads tiles of one section; what they share is computed once."""

    def __init__(self, shared: SharedTransforms, rule: FrameRule) -> None:
        self._shared = shared
        self._rule = rule
        self._ahead: dict[Hashable, _Ahead] = {}

    def row(self, tile: TileSpec) -> _Row:
        try:
            return self._row(tile)
        except TransformError as error:
            raise TransformError(f"tile {tile.get('tileId')}: {error}") from None

    def _row(self, tile: TileSpec) -> _Row:
        specs = flattened(transform_list(tile), self._shared)
        local, kept = self._rule.counts(specs)
        size = float(tile["width"]), float(tile["height"])
        key = tuple(
            (spec["className"], spec["dataString"]) if "className" in spec else str(spec) for spec in specs[:kept]
        )
        ahead = self._ahead.get((size, local, key))
        if ahead is None:
            ahead = self._ahead[size, local, key] = _ahead(specs, local, kept, *size)
        prior = _affine(TransformList(map(parsed_transform, specs[kept:])), ahead.origin, ahead.size)
        if not np.isfinite(prior).all() or abs(np.linalg.det(prior[:, :2])) < 1e-12:
            raise TransformError("its transforms map everything to a line or a point")
        return _Row(
            ahead.size,
            ahead.origin,
            prior,
            ahead.to_solve,
            ahead.curved,
            (size, (tile.get("layout") or {}).get("camera"), key[:local]),
            any(LENS_LABEL in transform_labels(spec) for spec in specs),
            local == kept,
        )


def _ahead(specs: Sequence[dict[str, object]], local: int, kept: int, width: float, height: float) -> _Ahead:
    before, between = (TransformList(map(parsed_transform, part)) for part in (specs[:local], specs[local:kept]))
    local_points = before.apply(_grid(np.zeros(2), np.array([width, height])))
    points = between.apply(local_points)
    origin = points.min(axis=0)
    moved = between.affine
    curved = between if moved is None else None
    if moved is None:
        moved = fitted_model(local_points, points, "AFFINE")
    to_solve = np.column_stack([moved[:, :2], moved[:, 2] - origin])
    return _Ahead(points.max(axis=0) - origin, origin, to_solve, curved)


def _affine(transform: CoordinateTransform, origin: FloatArray, size: FloatArray) -> FloatArray:
    """Return the affine (2, 3) nearest to a transform over a box, from coordinates that begin at the box's corner."""
    matrix = transform.affine
    if matrix is None:
        points = _grid(origin, size)
        matrix = fitted_model(points, transform.apply(points), "AFFINE")
    return np.column_stack([matrix[:, :2], matrix[:, :2] @ origin + matrix[:, 2]])


def _grid(origin: FloatArray, size: FloatArray) -> FloatArray:
    x, y = np.meshgrid(*(np.linspace(0, 1, _SAMPLES),) * 2)
    return origin + np.stack([x.ravel(), y.ravel()], axis=1) * size
