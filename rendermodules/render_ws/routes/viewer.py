"""The pages that a person opens, and the data that only they ask for; no part of Java Render."""

from rendermodules.render_ws.answers import HTML, Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, Unprocessable
from rendermodules.render_ws.image_answers import caching_headers, is_known
from rendermodules.render_ws.routes.tile_data import parameters_of_layer
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.section_tiles import groups_of, section_specs
from rendermodules.render_ws.store import stacks
from rendermodules.render_ws.store.tiles import Selection, count_tiles, get_tile_bounds
from rendermodules.render_ws.viewer_files import ViewerFile, neuroglancer_file, page_file
from rendermodules.render_ws.viewer_session import VIEWER, cookie_header

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
        specs, shared = section_specs(call, database, stack, call.number("z"))
    try:
        corners = tiles_outlines(specs, shared)
    except TransformError as error:
        raise Unprocessable(str(error)) from error
    return json_answer(
        {
            "tileIds": [spec["tileId"] for spec in specs],
            "corners": np.round(corners, _OUTLINE_DECIMALS).ravel(),
            "sectionIds": groups_of(specs),
        }
    )


@routes.get(f"{SECTION}/missing-images")
def missing_images(call: Call) -> Answer:
    """Answer which tiles of a section have an image or a mask that cannot be read: their places among the outlines."""
    from rendermodules.render_ws.lenient_images import unreadable_tiles

    with call.reading_stack() as (database, stack):
        stack.require_online()
        specs, _ = section_specs(call, database, stack, call.number("z"))
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
    """Answer the pairs of tiles of a section, or between it and ``otherZ``, with residuals and places, as columns."""
    from rendermodules.render_ws.section_matches import section_columns

    return json_answer(section_columns(call))


@routes.get(f"{SECTION}/matches/{{matchCollection}}/pair")
def pair_matches(call: Call) -> Answer:
    """Answer the matches of the tiles ``p`` and ``q``, in the pixels that were matched and in the world."""
    from rendermodules.render_ws import section_matches

    return json_answer(section_matches.pair_matches(call))


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
