"""The matches of a section as its page shows them: where they lie in a stack, and how far they are apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from rendermodules.core.lineage import matched_stack, run_record
from rendermodules.core.match_frames import LENS_LABEL, transform_labels, transforms_for_matching
from rendermodules.core.match_placement import PlacedMatches, TilePairMatches, placed_matches
from rendermodules.core.residual_statistics import group_statistics
from rendermodules.core.sections import TransformSpec, transform_list
from rendermodules.core.transforms import TransformError, flattened
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, NotFound, Unprocessable
from rendermodules.render_ws.routes.render_data import shared_transforms
from rendermodules.render_ws.section_tiles import group_of, groups_of, section_specs
from rendermodules.render_ws.store import matches, stacks, tiles
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.matches import Canvas, PairSelection
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection

_RESIDUAL_DECIMALS = 3


def section_columns(call: Call) -> dict[str, Any]:
    """Return the pairs of tiles of a section, or between it and ``otherZ``, as columns.

    Number of matches, mean and greatest residual in world pixels, and the middle of the matches in the world.
    """
    placed, unplaced, local = _placed(call, None)
    pairs = len(placed.pairs)
    residuals = group_statistics(placed.residuals, placed.pair_of_match, pairs)
    x, y = (group_statistics(axis, placed.pair_of_match, pairs).mean for axis in placed.places.T)
    tile_ids = sorted({tile_id for pair in placed.pairs for tile_id in pair})
    number = {tile_id: index for index, tile_id in enumerate(tile_ids)}
    return {
        "tileIds": tile_ids,
        "p": [number[p] for p, _ in placed.pairs],
        "q": [number[q] for _, q in placed.pairs],
        "count": residuals.count,
        "mean": np.round(residuals.mean, _RESIDUAL_DECIMALS),
        "greatest": np.round(residuals.greatest, _RESIDUAL_DECIMALS),
        "x": np.round(x, 1),
        "y": np.round(y, 1),
        "unplaced": unplaced,
        "numLocalTransforms": local,
    }


def pair_matches(call: Call) -> dict[str, Any]:
    """Return the matches of the tiles ``p`` and ``q``, in the coordinates of the matches and in the world."""
    first, second = call.text("p"), call.text("q")
    if not first or not second:
        raise InvalidRequest("name the tiles: p=...&q=...")
    placed, _, local = _placed(call, (first, second))
    if not placed.pairs:
        raise NotFound(f"the tiles {first} and {second} have no matches in {call.collection_id}")
    p, q = placed.pairs[0]
    return {
        "p": {"tileId": p, "points": placed.p, "world": placed.p_world},
        "q": {"tileId": q, "points": placed.q, "world": placed.q_world},
        "weights": placed.weights,
        "residuals": np.round(placed.residuals, _RESIDUAL_DECIMALS),
        "numLocalTransforms": local,
    }


def _placed(call: Call, pair: tuple[str, str] | None) -> tuple[PlacedMatches, int, int | None]:
    """Return the matches of a section or of a pair, in the world.

    And how many pairs have a tile that is not there, and how many transforms of a tile the matches contain already:
    as the query says, or else as the stacks tell; None is Render's rule.
    """
    z, other_z = call.number("z"), call.query_number("otherZ")
    local = call.query_integer("numLocalTransforms")
    if local is not None and local < 0:
        raise InvalidRequest("numLocalTransforms must not be negative")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        specs, shared = section_specs(call, database, stack, z)
        others, more_shared = ([], {}) if other_z is None else section_specs(call, database, stack, other_z)
        by_id = {spec["tileId"]: spec for spec in (*specs, *others)}
        connection = database.connection
        key = matches.get_collection_key(connection, call.collection_id)
        selections = _pair_selection(by_id, pair) if pair else _section_selections(groups_of(specs), groups_of(others))
        found = [one for selection in selections for one in _pairs(connection, key, selection)]
        if local is None:
            local = _num_local_transforms(call, database, stack, flattened(transform_list(specs[0]), shared))
    try:
        placed = placed_matches(found, by_id, {**shared, **more_shared}, local)
    except TransformError as error:
        raise Unprocessable(str(error)) from error
    return placed, len(found) - len(placed.pairs), local


def _num_local_transforms(call: Call, database: Database, stack: Stack, specs: Sequence[TransformSpec]) -> int | None:
    """Return how many transforms of a tile are in the pixels that were matched; None is Render's rule.

    ``specs`` are those of a tile of the stack. A lens under its label is always the last of them; of other tiles the
    stack tells that was matched, as far as is known.
    """
    if any(LENS_LABEL in transform_labels(spec) for spec in specs):
        return None
    owner, project, name = stack.id
    found = {one.id.stack: one for one in stacks.get_stacks(database.connection, owner, project)}
    records = {name: run_record(one.version.versionNotes) for name, one in found.items()}
    matched = matched_stack(name, records, [call.collection_id.name])
    if matched.num_local_transforms is not None:
        return matched.num_local_transforms
    source = found[matched.stack]
    z_values = stacks.get_z_values(database.connection, source)
    if not z_values:
        return None
    (tile_id, *_) = tiles.get_tile_ids(database.connection, source, Selection(z=z_values[0]))
    tile = tiles.get_tile(database, source, tile_id)
    shared = shared_transforms(database, source, [tile])
    return len(transforms_for_matching(flattened(transform_list(orjson.loads(tile.document)), shared)))


def _pairs(connection: Any, key: int, selection: PairSelection) -> list[TilePairMatches]:
    """Return the pairs of a selection; those whose points do not pair up are left out."""
    return [
        TilePairMatches(p.id, q.id, points.p.T, points.q.T, points.w)
        for p, q, points in matches.get_point_arrays(connection, key, selection)
        if isinstance(points.p, np.ndarray) and isinstance(points.q, np.ndarray)
    ]


def _section_selections(groups: Sequence[str], others: Sequence[str]) -> list[PairSelection]:
    """Select the pairs between two sections, or within one where there are no ``others``."""
    if others:
        return [matches.between_groups(first, second) for first in groups for second in others]
    return [
        matches.within_group(first) if first == second else matches.between_groups(first, second)
        for index, first in enumerate(groups)
        for second in groups[index:]
    ]


def _pair_selection(tiles: Mapping[str, Mapping[str, Any]], pair: tuple[str, str]) -> list[PairSelection]:
    for tile_id in pair:
        if tile_id not in tiles:
            raise NotFound(f"there is no tile {tile_id!r} in the section")
    p, q = (Canvas(group_of(tiles[tile_id]), tile_id) for tile_id in pair)
    return [matches.between_canvases(p, q)]
