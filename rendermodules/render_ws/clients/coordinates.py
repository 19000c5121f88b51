"""Coordinates of many points between tiles and the world."""

import logging
from collections.abc import Sequence
from typing import Any

from rendermodules.core.problems import InputError
from rendermodules.io.json_files import read_json, write_json
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
        points = [_visible(point, f"{options.fromJson}: entry {index}") for index, point in enumerate(points)]
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
    write_json(options.toJson, answers)


def _visible(point: Any, place: str) -> Any:
    """Return one entry for a point of which there is a list: the tile on top, else the first."""
    entries = point if isinstance(point, list) else [point]
    if not all(entry is None or isinstance(entry, dict) for entry in entries):
        raise InputError(f"{place}: neither coordinates nor a list of them")
    on_top = [entry for entry in entries if entry and entry.get("visible")]
    return (on_top or entries or [None])[0]


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
        text(
            "toJson",
            "file for the answers, in the order of the points; may end in .gz or .zip",
            required=True,
        ),
        flag("localToWorld", "map from tiles to the world"),
        unused("numberOfThreads"),
    ),
)
