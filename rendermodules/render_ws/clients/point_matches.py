"""Matches of canvases whose URLs are given in pairs."""

import logging
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from rendermodules.core.pointmatches import parsed_matches
from rendermodules.io.match_files import write_match_file
from rendermodules.io.paths import java_number
from rendermodules.render_ws.clients.arguments import Client, Rest, UsageError, choice, text, unused
from rendermodules.render_ws.clients.canvas_matching import MATCH_OPTIONS, Canvas, CanvasMatcher, facing_pair
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.stacks import SERVICE_OPTIONS
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    urls = options.canvasUrls
    if len(urls) % 2:
        raise UsageError(f"URLs of canvases come in pairs, but there are {len(urls)}")
    pairs = [(Canvas(p), Canvas(q)) for p, q in zip(urls[::2], urls[1::2], strict=True)]
    if options.firstCanvasPosition is not None:
        pairs = [facing_pair(p, q, options.firstCanvasPosition) for p, q in pairs]
    matcher = CanvasMatcher(options, lambda url, parameters: _name(url, parameters, options))
    found = matcher.matches(pairs)
    if options.matchStorageFile is not None:
        documents = list(found)
        write_match_file(options.matchStorageFile, map(parsed_matches, documents))
        logger.info("%d of %d pairs have matches, in %s", len(documents), len(pairs), options.matchStorageFile)
    else:
        collection = RemoteCollection(RemoteService(options.baseDataUrl), options.owner, options.collection)
        count = collection.put(found)
        logger.info("%d of %d pairs have matches, in %s", count, len(pairs), collection)


def _name(url: str, parameters: Mapping[str, Any], options: Any) -> tuple[str, str]:
    """Return group and id of a canvas by the algorithms that the options name."""
    tiles = parameters["tileSpecs"]
    if not tiles:
        raise ServiceError(f"{url}: shows no tile")
    first, collection = tiles[0], options.collection
    z = java_number(first["z"]) if first.get("z") is not None else ""
    groups = {
        "FIRST_TILE_SECTION_ID": (first.get("layout") or {}).get("sectionId"),
        "FIRST_TILE_Z": z,
        "COLLECTION": collection,
    }
    ids = {"FIRST_TILE_ID": first.get("tileId"), "FIRST_TILE_Z": z, "CANVAS_NAME": _canvas_name(url)}
    group, canvas_id = groups[options.canvasGroupIdAlgorithm], ids[options.canvasIdAlgorithm]
    if not group or not canvas_id:
        raise ServiceError(
            f"{url}: has no {options.canvasGroupIdAlgorithm} or no {options.canvasIdAlgorithm} to store matches under"
        )
    return str(group), str(canvas_id)


def _canvas_name(url: str) -> str:
    """Return the name of a file of render parameters, of a route of a tile its id."""
    path = PurePosixPath(unquote(urlsplit(url).path))
    return path.parent.name if path.name == "render-parameters" else path.stem


CLIENT = Client(
    "Matches pairs of canvases by their features.",
    _run,
    (
        *SERVICE_OPTIONS,
        text("collection", "match collection for the matches", required=True),
        *MATCH_OPTIONS,
        choice("firstCanvasPosition", "how the first canvas of all pairs lies", ("LEFT", "RIGHT", "TOP", "BOTTOM")),
        choice(
            "canvasGroupIdAlgorithm",
            "what is the group of a canvas",
            ("FIRST_TILE_SECTION_ID", "FIRST_TILE_Z", "COLLECTION"),
            "FIRST_TILE_SECTION_ID",
        ),
        choice(
            "canvasIdAlgorithm",
            "what is the id of a canvas",
            ("FIRST_TILE_ID", "FIRST_TILE_Z", "CANVAS_NAME"),
            "FIRST_TILE_ID",
        ),
        text("matchStorageFile", "write matches to this file instead of the collection"),
        unused("debugDirectory"),
        unused("renderFileFormat"),
    ),
    Rest("canvasUrls", "URLs of render parameters, two for each pair"),
)
