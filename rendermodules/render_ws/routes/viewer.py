"""The pages that a person opens, and the data that only they ask for; no part of Java Render."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from rendermodules.render_ws.answers import HTML, Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, NotFound, Unprocessable
from rendermodules.render_ws.image_answers import caching_headers, is_known
from rendermodules.render_ws.routes.render_data import selected_tiles, shared_transforms
from rendermodules.render_ws.routes.tile_data import parameters_of_layer
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store import matches, stacks
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.matches import Canvas, PairSelection
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection, count_tiles, get_tile_bounds
from rendermodules.render_ws.viewer_files import ViewerFile, neuroglancer_file, page_file
from rendermodules.render_ws.viewer_session import VIEWER, cookie_header

if TYPE_CHECKING:
    from rendermodules.core.match_placement import PlacedMatches, TilePairMatches

routes = Routes()

SECTION = f"{VIEWER}/data{S}/z/{{z}}"
"""Data of a section of a stack."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and no script or style within the page itself."""

NEUROGLANCER_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' "
    "'unsafe-inline'; img-src 'self' blob: data:; font-src 'self' data:; connect-src 'self' blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

JPEG = "image/jpeg"
THUMBNAIL_PIXELS = 256
MOST_THUMBNAIL_PIXELS = 1024
MOST_THUMBNAIL_TILES = 3000
"""Tiles that are drawn into a thumbnail; with more of them only their shape is shown."""

_OUTLINE_DECIMALS = 1
_RESIDUAL_DECIMALS = 3


@routes.get("/", produces=HTML)
def root(call: Call) -> Answer:
    """Answer the way to the first page."""
    return Answer(status=302, headers={"Location": f"{VIEWER}/index.html"})


@routes.get(VIEWER, produces=HTML)
def first_page(call: Call) -> Answer:
    """Answer the way to the first page."""
    return root(call)


@routes.get("/favicon.ico", produces=HTML)
def icon(call: Call) -> Answer:
    """Answer the picture that browsers show beside a title."""
    return _file_answer(call, page_file("icon.svg"), PAGE_POLICY)


@routes.post(f"{VIEWER}/session", consumes=None)
def begin_session(call: Call) -> Answer:
    """Make the browser known that has just given the token."""
    token = call.settings.token
    return Answer(status=204, headers={} if token is None else {"Set-Cookie": cookie_header(token)})


@routes.get(f"{VIEWER}/{{file}}", produces=HTML)
def page(call: Call) -> Answer:
    """Answer a page, or a script or style of one."""
    return _file_answer(call, page_file(call.path["file"]), PAGE_POLICY)


@routes.get(f"{VIEWER}/neuroglancer/v/render/{{file}}", produces=HTML)
def neuroglancer(call: Call) -> Answer:
    """Answer a file of the Neuroglancer client, which expects itself below ``/v/`` and a name."""
    return _file_answer(call, neuroglancer_file(call.path["file"]), NEUROGLANCER_POLICY)


@routes.get(f"{SECTION}/outlines")
def outlines(call: Call) -> Answer:
    """Answer where the corners of all tiles of a section are: ids, and eight numbers for each."""
    import numpy as np

    from rendermodules.core.transforms import TransformError, tiles_outlines

    with call.reading_stack() as (database, stack):
        stack.require_online()
        specs, shared = _specs(call, database, stack, call.number("z"))
    try:
        corners = tiles_outlines(specs, shared)
    except TransformError as error:
        raise Unprocessable(str(error)) from error
    return json_answer(
        {
            "tileIds": [spec["tileId"] for spec in specs],
            "corners": np.round(corners, _OUTLINE_DECIMALS).ravel(),
            "sectionIds": _groups(specs),
        }
    )


@routes.get(f"{SECTION}/missing-images")
def missing_images(call: Call) -> Answer:
    """Answer which tiles of a section have an image or a mask that cannot be read: their places among the outlines."""
    from rendermodules.render_ws.lenient_images import unreadable_tiles

    with call.reading_stack() as (database, stack):
        stack.require_online()
        specs, _ = _specs(call, database, stack, call.number("z"))
    return json_answer({"missing": unreadable_tiles(specs, call.settings), "lookedAt": len(specs)})


@routes.get(f"{SECTION}/thumbnail", produces=JPEG)
def thumbnail(call: Call) -> Answer:
    """Answer a small JPEG of a section, at most ``size`` pixels wide and high; its tiles in gray if they are many."""
    size = call.query_integer("size") or THUMBNAIL_PIXELS
    if not 0 < size <= MOST_THUMBNAIL_PIXELS:
        raise InvalidRequest(f"size must be from 1 to {MOST_THUMBNAIL_PIXELS}")
    with call.reading_stack() as (_, stack):
        headers = caching_headers(call, stack)
    if is_known(call, headers):
        return Answer(status=304, headers=headers)
    answer = _thumbnail(call, size)
    return Answer(answer.body, answer.content_type, headers=answer.headers or headers)


def _thumbnail(call: Call, size: int) -> Answer:
    from rendermodules.render_ws.lenient_images import lenient_image_answer, silhouette_bytes

    selection = Selection(z=call.number("z"))
    with call.reading_stack() as (database, stack):
        stack.require_online()
        bounds = stacks.get_layer_bounds(database.connection, stack, call.number("z"))
        scale = min(1.0, size / max(bounds.maxX - bounds.minX, bounds.maxY - bounds.minY, 1.0))
        if count_tiles(database.connection, stack, selection) > MOST_THUMBNAIL_TILES:
            boxes = get_tile_bounds(database.connection, stack, selection)
            return Answer(silhouette_bytes(boxes, bounds, scale), JPEG)
    return lenient_image_answer(call, parameters_of_layer(call, scale), "jpeg")


@routes.get(f"{SECTION}/matches/{{matchCollection}}")
def section_matches(call: Call) -> Answer:
    """Answer the pairs of tiles of a section, or between it and ``otherZ``, as columns.

    Number of matches, mean and greatest residual in world pixels, and the middle of the matches in the world.
    """
    import numpy as np

    from rendermodules.core.residual_statistics import group_statistics

    placed, unplaced = _placed(call, None)
    pairs = len(placed.pairs)
    residuals = group_statistics(placed.residuals, placed.pair_of_match, pairs)
    x, y = (group_statistics(axis, placed.pair_of_match, pairs).mean for axis in placed.places.T)
    tile_ids = sorted({tile_id for pair in placed.pairs for tile_id in pair})
    number = {tile_id: index for index, tile_id in enumerate(tile_ids)}
    return json_answer(
        {
            "tileIds": tile_ids,
            "p": [number[p] for p, _ in placed.pairs],
            "q": [number[q] for _, q in placed.pairs],
            "count": residuals.count,
            "mean": np.round(residuals.mean, _RESIDUAL_DECIMALS),
            "greatest": np.round(residuals.greatest, _RESIDUAL_DECIMALS),
            "x": np.round(x, 1),
            "y": np.round(y, 1),
            "unplaced": unplaced,
        }
    )


@routes.get(f"{SECTION}/matches/{{matchCollection}}/pair")
def pair_matches(call: Call) -> Answer:
    """Answer the matches of the tiles ``p`` and ``q``, in the coordinates of the matches and in the world."""
    import numpy as np

    first, second = call.text("p"), call.text("q")
    if not first or not second:
        raise InvalidRequest("name the tiles: p=...&q=...")
    placed, _ = _placed(call, (first, second))
    if not placed.pairs:
        raise NotFound(f"the tiles {first} and {second} have no matches in {call.collection_id}")
    p, q = placed.pairs[0]
    return json_answer(
        {
            "p": {"tileId": p, "points": placed.p, "world": placed.p_world},
            "q": {"tileId": q, "points": placed.q, "world": placed.q_world},
            "weights": placed.weights,
            "residuals": np.round(placed.residuals, _RESIDUAL_DECIMALS),
        }
    )


def _placed(call: Call, pair: tuple[str, str] | None) -> "tuple[PlacedMatches, int]":
    """Return the matches of a section or of a pair, in the world, and how many pairs have a tile that is not there."""
    from rendermodules.core.match_placement import placed_matches
    from rendermodules.core.transforms import TransformError

    z, other_z = call.number("z"), call.query_number("otherZ")
    local = call.query_integer("localTransforms")
    if local is not None and local < 0:
        raise InvalidRequest("localTransforms must not be negative")
    with call.reading_stack() as (database, stack):
        stack.require_online()
        specs, shared = _specs(call, database, stack, z)
        others, more_shared = ([], {}) if other_z is None else _specs(call, database, stack, other_z)
        tiles = {spec["tileId"]: spec for spec in (*specs, *others)}
        connection = database.connection
        key = matches.get_collection_key(connection, call.collection_id)
        selections = _pair_selection(tiles, pair) if pair else _section_selections(_groups(specs), _groups(others))
        found = [one for selection in selections for one in _pairs(connection, key, selection)]
    try:
        placed = placed_matches(found, tiles, {**shared, **more_shared}, local)
    except TransformError as error:
        raise Unprocessable(str(error)) from error
    return placed, len(found) - len(placed.pairs)


def _pairs(connection: Any, key: int, selection: PairSelection) -> "list[TilePairMatches]":
    """Return the pairs of a selection; those whose points do not pair up are left out."""
    import numpy as np

    from rendermodules.core.match_placement import TilePairMatches

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
    p, q = (Canvas(_group(tiles[tile_id]), tile_id) for tile_id in pair)
    return [matches.between_canvases(p, q)]


def _specs(
    call: Call, database: Database, stack: Stack, z: float
) -> tuple[list[dict[str, Any]], Mapping[str, dict[str, Any]]]:
    """Return the tile specs of a section, sorted by id, and the shared transforms that they refer to."""
    found = selected_tiles(call, database, stack, Selection(z=z))
    if not found:
        raise stacks.no_tiles_at(stack.id, z)
    return [orjson.loads(tile.document) for tile in found], shared_transforms(database, stack, found)


def _groups(specs: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({_group(spec) for spec in specs})


def _group(spec: Mapping[str, Any]) -> str:
    """Return the group of matches to which a tile belongs: its section id."""
    return str((spec.get("layout") or {}).get("sectionId"))


def _file_answer(call: Call, file: ViewerFile, policy: str) -> Answer:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "ETag": file.tag,
    }
    if call.headers.get("if-none-match") == file.tag:
        return Answer(status=304, headers=headers)
    return Answer(file.content, file.content_type, headers=headers)
