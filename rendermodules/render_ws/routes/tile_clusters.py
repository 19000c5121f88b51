"""What matches say about a stack: which tiles hang together, how far pairs are apart (Java: ClusterService)."""

from typing import Any

import msgspec
import orjson

from rendermodules.core.match_frames import transforms_for_matching
from rendermodules.render_ws.answers import Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, NotFound, Unprocessable
from rendermodules.render_ws.models import CollectionId, StackId, decoded
from rendermodules.render_ws.routes.render_data import shared_transforms
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store import matches, stacks, tiles
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.matches import Canvas
from rendermodules.render_ws.store.tiles import Selection
from rendermodules.render_ws.tile_specs import flattened_tile

routes = Routes()


class _PairResidual(msgspec.Struct, omit_defaults=True):
    """Which pair to look at, and where its matches are."""

    pTileId: str
    qTileId: str
    matchRenderStackId: dict[str, str]
    matchCollectionId: dict[str, str]
    includeDetails: bool | None = None


@routes.get(f"{S}/z/{{z}}/clusteredTileBoundsForCollection/{{matchCollection}}")
def clustered_tile_bounds(call: Call) -> Answer:
    """Answer the boxes of the tiles of a layer in groups that matches hold together, largest first.

    Tiles without matches are left out.
    """
    import networkx

    z = call.number("z")
    collection = call.valid_collection_id(call.text("matchOwner") or call.path["owner"], call.path["matchCollection"])
    with call.reading_stack() as (database, stack):
        bounds = {box.tileId: box for box in tiles.get_tile_bounds(database.connection, stack, Selection(z=z))}
        groups = sorted({box.sectionId for box in bounds.values() if box.sectionId is not None})
        key = matches.get_collection_key(database.connection, collection)
        graph = networkx.Graph()
        for position, first in enumerate(groups):
            for second in groups[position:]:
                selection = matches.between_groups(first, second)
                pairs = matches.get_pairs(database.connection, key, selection, with_points=False)
                graph.add_edges_from(
                    (pair.p.id, pair.q.id) for pair in pairs if pair.p.id in bounds and pair.q.id in bounds
                )
    clusters = sorted(networkx.connected_components(graph), key=lambda ids: (-len(ids), min(ids)))
    return json_answer([[bounds[id] for id in sorted(ids)] for ids in clusters])


@routes.post(f"{S}/pairResidualCalculation")
def pair_residual(call: Call) -> Answer:
    """Answer how far the matching points of two tiles are apart in this stack, in world pixels."""
    import numpy as np

    asked: _PairResidual = decoded(call.body, _PairResidual)
    match_stack = call.valid_stack_id(*(asked.matchRenderStackId.get(n) for n in ("owner", "project", "stack")))
    collection = call.valid_collection_id(*(asked.matchCollectionId.get(name) for name in ("owner", "name")))
    database = call.database
    with database.reading():
        p, q = (_section_and_tile(database, match_stack, id) for id in (asked.pTileId, asked.qTileId))
        points_p, points_q = _points(database, collection, p, q)
        worlds = [
            _aligned(database, call.stack_id, match_stack, canvas.id, points)
            for canvas, points in ((p, points_p), (q, points_q))
        ]
    distances = np.hypot(*(worlds[0] - worlds[1]).T)
    answer: dict[str, Any] = {
        "alignedStackId": call.stack_id._asdict(),
        "inputData": asked,
        "medianDistance": float(np.median(distances)),
        "meanDistance": float(distances.mean()),
        "maxDistance": float(distances.max()),
        "rootMeanSquareError": float(np.sqrt((distances**2).mean())),
    }
    if asked.includeDetails:
        answer["distanceList"] = distances
    return json_answer(answer)


def _section_and_tile(database: Database, stack_id: StackId, tile_id: str) -> Canvas:
    stack = stacks.get_stack(database.connection, stack_id)
    rows = tiles.get_rows_with_ids(database, stack, [tile_id])
    if not rows:
        raise tiles.no_tile(stack_id, tile_id)
    return Canvas(rows[0].section_id or "", tile_id)


def _points(database: Database, collection: CollectionId, p: Canvas, q: Canvas) -> tuple[Any, Any]:
    """Return the points of a pair, each (n, 2), in the order that was asked for."""
    import numpy as np

    key = matches.get_collection_key(database.connection, collection)
    found = matches.get_point_arrays(database.connection, key, matches.between_canvases(p, q))
    if not found:
        raise NotFound(f"{collection} has no matches between tiles {p.id} and {q.id}")
    stored_p, _, points = found[0]
    lengths = {len(row) for row in (*points.p, *points.q)}
    if len(lengths) != 1 or 0 in lengths:
        raise InvalidRequest(f"the matches between tiles {p.id} and {q.id} are no pairs of points")
    both = np.array(points.p).T, np.array(points.q).T
    return both if stored_p == p else both[::-1]


def _aligned(database: Database, stack_id: StackId, match_stack: StackId, tile_id: str, points: Any) -> Any:
    """Return points of a tile as it was matched in the world of another stack, (n, 2)."""
    from rendermodules.core.transforms import NotInvertibleError, TransformError, TransformList, parsed_transform

    matched = _flat_spec(database, match_stack, tile_id)["transforms"]["specList"]
    aligned = _flat_spec(database, stack_id, tile_id)["transforms"]["specList"]
    try:
        before = TransformList(map(parsed_transform, transforms_for_matching(matched)))
        return TransformList(map(parsed_transform, aligned)).apply(before.inverse(points))
    except (TransformError, NotInvertibleError) as error:
        raise Unprocessable(f"tile {tile_id}: {error}") from error


def _flat_spec(database: Database, stack_id: StackId, tile_id: str) -> dict[str, Any]:
    stack = stacks.get_stack(database.connection, stack_id)
    found = tiles.get_tile(database, stack, tile_id)
    return flattened_tile(orjson.loads(found.document), shared_transforms(database, stack, [found]))
