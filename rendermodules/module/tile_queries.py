"""Reading less than whole sections of a stack: boxes of tiles, single tiles, ids of sections."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from renderapi.render import Render

from rendermodules.core.sections import TileSpec
from rendermodules.module.stacks import json_answer, selected_z_values, stack_url

_TILES_PER_REQUEST = 1000


def tile_bounds(render: Render, stack: str, z: float) -> list[dict[str, Any]]:
    """Return where the tiles of a section are, a tenth of reading their specs.

    Returns
    -------
    list of dict
        ``tileId``, ``sectionId``, ``z``, ``minX``, ``minY``, ``maxX``, ``maxY`` in world pixels, by tile id.
    """
    bounds = _json(render, stack, f"/z/{float(z)!r}/tileBounds", f"tile bounds of stack {stack} at z={z}")
    return sorted(bounds, key=lambda one: one["tileId"])


def tiles_with_ids(render: Render, stack: str, tile_ids: Iterable[str]) -> dict[str, TileSpec]:
    """Return tile specs by id, their shared transforms written out; ids that the stack does not have are left out."""
    wanted = sorted(set(tile_ids))
    found: dict[str, TileSpec] = {}
    for start in range(0, len(wanted), _TILES_PER_REQUEST):
        response = render.session.put(
            stack_url(render, stack, "/tile-specs-with-ids"),
            data=orjson.dumps(wanted[start : start + _TILES_PER_REQUEST]),
            headers={"Content-Type": "application/json"},
        )
        found.update((tile["tileId"], tile) for tile in json_answer(response, f"tiles of stack {stack}"))
    return found


def section_ids(render: Render, stack: str) -> dict[float, list[str]]:
    """Return the ids of the sections of each z; several where a section was imaged in parts or again."""
    ids: dict[float, list[str]] = {}
    for one in _json(render, stack, "/sectionData", f"sections of stack {stack}"):
        ids.setdefault(float(one["z"]), []).append(one["sectionId"])
    return {z: sorted(ids[z]) for z in sorted(ids)}


def z_of_sections(render: Render, stack: str, selection: Mapping[str, Any]) -> dict[str, float]:
    """Return the z of the sections that a selection chooses, by their ids; see `selected_z_values`."""
    zs = selected_z_values(render, stack, selection)
    ids = section_ids(render, stack)
    return {name: z for z in zs for name in ids.get(z, [])}


def _json(render: Render, stack: str, path: str, what: str) -> Any:
    return json_answer(render.session.get(stack_url(render, stack, path)), what)
