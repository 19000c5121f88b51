"""Point matches of a collection into another."""

import logging
from typing import Any

from rendermodules.render_ws.clients.arguments import Client, Rest, text
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.stacks import SERVICE_OPTIONS
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    service = RemoteService(options.baseDataUrl)
    source = RemoteCollection(service, options.owner, options.fromCollection)
    target = RemoteCollection(service, options.toOwner or options.owner, options.toCollection)
    if source.path == target.path:
        raise ServiceError(f"{source} cannot be copied onto itself")
    groups = options.pGroupIds or source.p_group_ids()
    total = 0
    for index, group in enumerate(groups, start=1):
        count = target.put(source.p_group(group))
        total += count
        logger.info("%d of %d: group %s: %d pairs", index, len(groups), group, count)
    logger.info("%d pairs from %s to %s", total, source, target)


CLIENT = Client(
    "Copies point matches from one collection to another; pairs that are there already are replaced.",
    _run,
    (
        *SERVICE_OPTIONS,
        text("fromCollection", "match collection that is read", required=True),
        text("toOwner", "owner of the collection that is written; by default the same"),
        text("toCollection", "match collection that is written", required=True),
    ),
    Rest("pGroupIds", "groups of p to copy; all by default", required=False),
)
