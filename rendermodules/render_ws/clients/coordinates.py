"""Coordinates of many points between tiles and the world."""

import gzip
import logging
from collections.abc import Sequence
from typing import Any

import orjson

from rendermodules.core.problems import InputError
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.json_files import read_json
from rendermodules.render_ws.clients.arguments import Client, flag, number, text, unused
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of, z_text

logger = logging.getLogger(__name__)

_POINTS_AT_ONCE = 25_000


def _run(options: Any) -> None:
    points = read_json(options.fromJson)
    if not isinstance(points, list):
        raise InputError(f"{options.fromJson}: no list of coordinates")
    route = "world-to-local-coordinates"
    if options.localToWorld:
        points = [_visible(point) for point in points]
        route = "local-to-world-coordinates"
    stack = stack_of(options)
    stack.metadata()
    answers: list[Any] = []
    for begin in range(0, len(points), _POINTS_AT_ONCE):
        part = points[begin : begin + _POINTS_AT_ONCE]
        answers += stack.send("PUT", "z", z_text(options.z), route, body=part)
        logger.info("%d of %d points", len(answers), len(points))
    lost = sum(_has_failed(answer) for answer in answers)
    if lost:
        logger.warning("%d of %d points could not be mapped; their entries say why", lost, len(points))
    content = orjson.dumps(answers)
    write_bytes_whole(options.toJson, gzip.compress(content) if options.toJson.endswith(".gz") else content)


def _visible(point: Any) -> Any:
    """Return one entry for a point of which there is a list: the tile on top, else the first."""
    if not isinstance(point, list):
        return point
    return next((entry for entry in point if entry.get("visible")), point[0] if point else None)


def _has_failed(answer: Any) -> bool:
    entries: Sequence[Any] = answer if isinstance(answer, list) else [answer]
    return any("error" in entry for entry in entries)


CLIENT = Client(
    "Maps points of the world to tiles, or of tiles to the world.",
    _run,
    (
        *STACK_OPTIONS,
        number("z", "z of the layer", required=True),
        text(
            "fromJson",
            'list of {"world": [x, y]}; or of {"tileId": ..., "local": [x, y]}, for a point in several tiles a list',
            required=True,
        ),
        text("toJson", "file for the answers, in the order of the points", required=True),
        flag("localToWorld", "map from tiles to the world"),
        unused("numberOfThreads"),
    ),
)
