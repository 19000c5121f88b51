"""Solved transforms as Render's JSON, and tile specs with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rendermodules.core.match_frames import LENS_LABEL
from rendermodules.core.sections import Section, TileSpec, TransformSpec, transform_list, with_transform_list
from rendermodules.core.solve.arrays import BoolArray, FloatArray
from rendermodules.core.solve.lens import Lens, monomial_expansion
from rendermodules.core.solve.solution import Solution
from rendermodules.core.solve.tile_table import FrameRule, TileTable
from rendermodules.core.transforms import (
    Affine,
    Polynomial,
    SharedTransforms,
    ThinPlateSpline,
    TransformError,
    flattened,
)


@dataclass(frozen=True)
class SolvedTransforms:
    """What becomes of the transforms of tiles; plain values, which can be sent to workers.

    Attributes
    ----------
    rule : FrameRule
        Which of their transforms tiles keep.
    tiles : dict of str to list of dict
        By tile id, the transforms that come behind those that are kept. Other tiles stay as they are.
    shared : dict of str to dict
        Shared transforms that the new ones refer to.
    dropped : frozenset of str
        Ids of tiles that are left out.
    """

    rule: FrameRule
    tiles: dict[str, list[TransformSpec]] = field(default_factory=dict)
    shared: dict[str, TransformSpec] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def of_tiles(self, ids: Sequence[str]) -> SolvedTransforms:
        """Return the part that concerns some tiles."""
        chosen = {tile_id: self.tiles[tile_id] for tile_id in ids if tile_id in self.tiles}
        return replace(self, tiles=chosen, dropped=self.dropped.intersection(ids))


def solved_transforms(
    solution: Solution, table: TileTable, rule: FrameRule, unchanged: BoolArray, dropped: BoolArray
) -> SolvedTransforms:
    """Return the transforms of a solution as specs.

    Parameters
    ----------
    solution : Solution
        Of the tiles of the table.
    table : TileTable
    rule : FrameRule
        By which the table was made.
    unchanged : (t,) bool array
        Tiles that lie where they lay. Unless they share a lens, they keep their specs.
    dropped : (t,) bool array
        Tiles to leave out.

    Notes
    -----
    A lens is one shared transform with the label ``lens``, behind the local transforms; its id is made of its numbers,
    so that different lenses never have one id.
    """
    lenses = {group: lens_spec(lens) for group, lens in solution.lenses.items()}
    specs = placing_specs(solution, table.origins)
    tiles = {}
    for place in np.flatnonzero(~dropped):
        lens = lenses.get(int(solution.lens_groups[place]))
        if lens is not None:
            tiles[table.ids[place]] = [{"type": "ref", "refId": lens["id"]}, specs[place]]
        elif not unchanged[place]:
            tiles[table.ids[place]] = [specs[place]]
    gone = frozenset(table.ids[place] for place in np.flatnonzero(dropped))
    return SolvedTransforms(rule, tiles, {lens["id"]: lens for lens in lenses.values()}, gone)


def placing_specs(solution: Solution, origins: FloatArray) -> list[TransformSpec]:
    """Return for each tile the spec that takes it from ``origins`` (t, 2) plus the frame of the solve to the world."""
    if solution.basis.splines is not None:
        splines = solution.splines()
        affines = _from_origins(splines.affines, origins)
        return [
            ThinPlateSpline(controls + origin, weights, affine - np.eye(2, 3)).spec()
            for affine, controls, weights, origin in zip(
                affines, splines.controls, splines.weights, origins, strict=True
            )
        ]
    if solution.basis.order == 1:
        return [Affine(matrix).spec() for matrix in _from_origins(solution.matrices, origins)]
    order = solution.basis.order or 1
    corners, of_tile = np.unique(origins, axis=0, return_inverse=True)
    moved = np.stack([monomial_expansion(corner, 1.0, order) for corner in corners])
    return [Polynomial(one).spec() for one in solution.polynomials() @ moved[of_tile.ravel()]]


def lens_spec(lens: Lens) -> TransformSpec:
    """Return a lens as a shared transform of tile pixels."""
    spec = Polynomial(lens.polynomial()).spec(labels=[LENS_LABEL])
    digest = hashlib.sha256(spec["dataString"].encode()).hexdigest()[:16]
    return {**spec, "id": f"lens_{digest}"}


def with_solved_transforms(section: Section, solved: SolvedTransforms) -> Section:
    """Return the section with solved transforms behind those that its tiles keep.

    Raises
    ------
    TransformError
        A tile has fewer transforms than it shall keep; the message names it.
    """
    tiles = []
    for tile in section.tiles:
        name = tile["tileId"]
        if name in solved.dropped:
            continue
        new = solved.tiles.get(name)
        tiles.append(tile if new is None else _with_new_transforms(tile, section.transforms, solved.rule, new))
    return Section(section.z, tiles, {**section.transforms, **solved.shared})


def _with_new_transforms(
    tile: TileSpec, shared: SharedTransforms, rule: FrameRule, new: list[TransformSpec]
) -> TileSpec:
    specs = transform_list(tile)
    try:
        _, kept = rule.counts(flattened(specs, shared))
    except TransformError as error:
        raise TransformError(f"tile {tile['tileId']}: {error}") from None
    return with_transform_list(tile, [*leading_transforms(specs, kept, shared), *new])


def leading_transforms(
    specs: Sequence[TransformSpec], count: int, shared: Mapping[str, TransformSpec]
) -> list[TransformSpec]:
    """Return the first transforms of a list, lists and references taken apart only where the count ends in them."""
    leading: list[TransformSpec] = []
    for spec in specs:
        if count == 0:
            break
        leaves = flattened([spec], shared)
        leading += [spec] if len(leaves) <= count else leaves[:count]
        count -= min(len(leaves), count)
    return leading


def _from_origins(affines: FloatArray, origins: FloatArray) -> FloatArray:
    """Return affines (t, 2, 3) of coordinates that begin at an origin as affines of those that it is part of."""
    shifts = affines[:, :, 2:] - affines[:, :, :2] @ origins[:, :, None]
    return np.concatenate([affines[:, :, :2], shifts], axis=2)
