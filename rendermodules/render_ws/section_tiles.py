"""The tiles of a section, as the pages ask for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from rendermodules.render_ws.call import Call
from rendermodules.render_ws.routes.render_data import selected_tiles, shared_transforms
from rendermodules.render_ws.store import stacks
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection


def section_specs(
    call: Call, database: Database, stack: Stack, z: float
) -> tuple[list[dict[str, Any]], Mapping[str, dict[str, Any]]]:
    """Return the tile specs of a section, sorted by id, and the shared transforms that they refer to."""
    found = selected_tiles(call, database, stack, Selection(z=z))
    if not found:
        raise stacks.no_tiles_at(stack.id, z)
    return [orjson.loads(tile.document) for tile in found], shared_transforms(database, stack, found)


def groups_of(specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the groups of matches to which tiles belong, sorted."""
    return sorted({group_of(spec) for spec in specs})


def group_of(spec: Mapping[str, Any]) -> str:
    """Return the group of matches to which a tile belongs: its section id."""
    return str((spec.get("layout") or {}).get("sectionId"))
