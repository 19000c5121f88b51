"""Files of point matches into a match collection."""

import logging
from typing import Any

from rendermodules.core.pointmatches import canvas_matches
from rendermodules.io.match_files import read_match_file
from rendermodules.render_ws.clients.arguments import Client, Rest, text
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.stacks import SERVICE_OPTIONS
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    collection = RemoteCollection(RemoteService(options.baseDataUrl), options.owner, options.collection)
    for number, file in enumerate(options.matchFiles, start=1):
        count = collection.put(map(canvas_matches, read_match_file(file)))
        logger.info("file %d of %d: %s: %d pairs into %s", number, len(options.matchFiles), file, count, collection)


CLIENT = Client(
    "Writes the point matches of JSON files into a match collection.",
    _run,
    (*SERVICE_OPTIONS, text("collection", "match collection that is written", required=True)),
    Rest("matchFiles", "JSON lists of point matches; may be packed (.gz, .zip)"),
)
