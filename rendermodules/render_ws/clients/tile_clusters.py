"""Tiles of layers that hang together by matches."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.connectivity import component_labels
from rendermodules.render_ws.clients.arguments import Option, flag, number, text, whole
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.stacks import RemoteStack

CLUSTER_OPTIONS: tuple[Option, ...] = (
    text("matchOwner", "owner of the match collection; by default that of the stack"),
    text("matchCollection", "match collection that tells which tiles hang together", required=True),
    flag("includeMatchesOutsideGroup", "look at matches between the sections of a layer too"),
    whole("maxSmallClusterSize", "clusters of at most so many tiles are small", 0),
    number("smallClusterFactor", "clusters of at most this part of the largest one are small, instead"),
)


def clusters_of_layer(stack: RemoteStack, z: float, options: Any) -> list[list[str]]:
    """Return the ids of the tiles that hang together, the largest cluster first; tiles without matches are alone.

    Parameters
    ----------
    stack : RemoteStack
    z : float
    options : namespace
        Values of `CLUSTER_OPTIONS`.
    """
    bounds = stack.tile_bounds(z)
    ids = [box["tileId"] for box in bounds]
    index = {tile_id: position for position, tile_id in enumerate(ids)}
    groups = sorted({str(box.get("sectionId", box["z"])) for box in bounds})
    collection = RemoteCollection(stack.service, options.matchOwner or stack.owner, options.matchCollection)
    pairs = [
        (index[p], index[q])
        for p, q in collection.pairs_of_groups(groups, outside=options.includeMatchesOutsideGroup)
        if p in index and q in index
    ]
    labels: NDArray[np.int64] = component_labels(len(ids), np.array(pairs, dtype=np.int64).reshape(-1, 2))
    clusters: list[list[str]] = [[] for _ in range(labels.max(initial=-1) + 1)]
    for tile_id, label in zip(ids, labels.tolist(), strict=True):
        clusters[label].append(tile_id)
    return sorted(clusters, key=len, reverse=True)


def is_small(cluster: list[str], largest: list[str], options: Any) -> bool:
    """Return whether a cluster of a layer counts as small; tiles that are alone always do."""
    limit = options.maxSmallClusterSize
    if options.smallClusterFactor is not None:
        limit = math.ceil(options.smallClusterFactor * len(largest))
    return len(cluster) == 1 or (cluster is not largest and len(cluster) <= limit)
