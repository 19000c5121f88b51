"""Tiles without matches, and small groups of tiles, removed from layers."""

import logging
from typing import Any

from rendermodules.render_ws.clients.arguments import Client, Rest, a_number, flag, text
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, RemoteStack, stack_of
from rendermodules.render_ws.clients.tile_clusters import CLUSTER_OPTIONS, clusters_of_layer, is_small

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    stack = stack_of(options)
    kept_in = stack.sibling(options.removedTilesStackName) if options.removedTilesStackName else None
    removed = 0
    for z in stack.z_values(options):
        clusters = clusters_of_layer(stack, z, options)
        if len(clusters[0]) == 1:
            logger.warning("z %s: no tiles hang together; all stay", z)
            continue
        small = [cluster for cluster in clusters if is_small(cluster, clusters[0], options)]
        lost = {tile_id for cluster in small for tile_id in cluster}
        if lost and not options.reportRemovedTiles:
            _remove(stack, z, lost, kept_in)
        for tile_id in sorted(lost):
            logger.info("z %s: %s", z, tile_id)
        logger.info("z %s: %d tiles hang together with no others, or with few", z, len(lost))
        removed += len(lost)
    logger.info("%d tiles of %s %s", removed, stack, "found" if options.reportRemovedTiles else "removed")


def _remove(stack: RemoteStack, z: float, tile_ids: set[str], kept_in: RemoteStack | None) -> None:
    if kept_in is not None:
        section = stack.section(z)
        kept_in.open(stack)
        kept_in.put([tile for tile in section.tiles if tile["tileId"] in tile_ids], section.transforms)
    stack.open()
    stack.delete_tiles(sorted(tile_ids))


CLIENT = Client(
    "Removes tiles without matches, and small groups of tiles, from layers; the stack is left LOADING.",
    _run,
    (
        *STACK_OPTIONS,
        *Z_OPTIONS,
        *CLUSTER_OPTIONS,
        text("removedTilesStackName", "stack that gets the tiles that are removed"),
        flag("reportRemovedTiles", "only tell which tiles would be removed"),
    ),
    Rest("z", "z of the layers, as --z", a_number, required=False),
)
