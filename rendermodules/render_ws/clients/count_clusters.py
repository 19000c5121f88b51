"""How many groups of tiles layers fall into, by their matches."""

import logging
from typing import Any

from rendermodules.core.problems import listed
from rendermodules.render_ws.clients.arguments import Client, Rest, a_number
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, stack_of
from rendermodules.render_ws.clients.tile_clusters import CLUSTER_OPTIONS, clusters_of_layer, is_small

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    stack = stack_of(options)
    torn = []
    for z in stack.z_values(options):
        clusters = clusters_of_layer(stack, z, options)
        connected = [cluster for cluster in clusters if len(cluster) > 1]
        small = sum(is_small(cluster, clusters[0], options) for cluster in connected)
        alone = len(clusters) - len(connected)
        sizes = listed([len(cluster) for cluster in connected])
        logger.info("z %s: %d clusters (%s), %d of them small; %d tiles alone", z, len(connected), sizes, small, alone)
        if len(connected) - small > 1:
            torn.append(z)
    logger.info("%d layers have more than one large cluster: z %s", len(torn), listed(torn) or "none")


CLIENT = Client(
    "Counts the groups into which the tiles of layers fall by their matches.",
    _run,
    (*STACK_OPTIONS, *Z_OPTIONS, *CLUSTER_OPTIONS),
    Rest("z", "z of the layers, as --z", a_number, required=False),
)
