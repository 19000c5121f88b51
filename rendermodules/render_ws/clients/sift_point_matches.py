"""Matches of the pairs of tiles in pair files."""

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from rendermodules.io.pair_files import PairFile, read_pair_files
from rendermodules.render_ws.clients.arguments import Client, many, switch, text, unused, whole
from rendermodules.render_ws.clients.canvas_matching import MATCH_OPTIONS, Canvas, CanvasMatcher
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.stacks import SERVICE_OPTIONS
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    files = [read_pair_files(file) for file in options.pairJson]
    service = RemoteService(options.baseDataUrl)
    pairs = [pair for file in files for pair in _canvas_pairs(file, service.base_data_url, options)]
    collection = RemoteCollection(service, options.owner, options.collection)
    count = collection.put(CanvasMatcher(options).matches(pairs))
    logger.info("%d of %d pairs have matches, in %s", count, len(pairs), collection)


def _canvas_pairs(file: PairFile, base_data_url: str, options: Any) -> Iterator[tuple[Canvas, Canvas]]:
    if file.url_template is None:
        raise ServiceError("a pair file has no renderParametersUrlTemplate")
    clipped = options.clipWidth is not None or options.clipHeight is not None
    template = file.url_template.replace("{baseDataUrl}", base_data_url)
    for pair in file.pairs:
        p, q = (_canvas(template, pair[side], options, clipped) for side in "pq")
        yield p, q


def _canvas(template: str, tile: dict[str, Any], options: Any, clipped: bool) -> Canvas:
    url = template.replace("{id}", quote(tile["id"], safe="")).replace("{groupId}", quote(tile["groupId"], safe=""))
    query = {
        "normalizeForMatching": "true",
        "filter": str(options.renderWithFilter).lower(),
        "filterListName": options.renderFilterListName,
        "excludeMask": str(options.renderWithoutMask).lower(),
        "width": options.renderFullScaleWidth,
        "height": options.renderFullScaleHeight,
    }
    terms = urlencode({name: value for name, value in query.items() if value is not None})
    url += ("&" if "?" in url else "?") + terms
    return Canvas(url, tile["groupId"], tile["id"], tile.get("relativePosition") if clipped else None)


CLIENT = Client(
    "Matches the pairs of tiles in pair files by their features.",
    _run,
    (
        *SERVICE_OPTIONS,
        text("collection", "match collection for the matches", required=True),
        many("pairJson", "files of pairs", required=True),
        *MATCH_OPTIONS,
        switch("renderWithFilter", "filter the tiles", True),
        text("renderFilterListName", "filters of the service by name, instead of its default ones"),
        switch("renderWithoutMask", "ignore masks", True),
        whole("renderFullScaleWidth", "width of the canvases in full-scale pixels, instead of their own"),
        whole("renderFullScaleHeight", "height of the canvases in full-scale pixels, instead of their own"),
        unused("maxPeakCacheGb"),
        unused("expectedParallelism"),
    ),
)
