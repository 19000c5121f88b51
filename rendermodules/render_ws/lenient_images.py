"""Images for people: a tile whose file is gone leaves a gap and does not spoil the rest."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rendermodules.io.image_formats import jpeg_bytes
from rendermodules.io.images import ImageError, ImageSource
from rendermodules.render_ws.answers import Answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import ServiceError, Unprocessable
from rendermodules.render_ws.image_answers import image_answer, plain_tile, renderer_of
from rendermodules.render_ws.models import StackBounds, TileBounds
from rendermodules.render_ws.settings import Settings

MOST_SPOILT_TILES = 10
"""Tiles of one image with files that are there but cannot be decoded; with more of them the image is refused."""

SILHOUETTE_GRAY = 110

logger = logging.getLogger(__name__)


def lenient_image_answer(
    call: Call, parameters: Mapping[str, Any], image_format: str, most_tiles: int | None = None
) -> Answer:
    """Return an answer with what render parameters describe, without the tiles whose files cannot be read.

    An image with gaps is not to be kept by clients: the files may come back.

    Parameters and errors are those of `image_answer`, but for files that are missing or may not be read.
    """
    everything = tiles = [plain_tile(tile) for tile in parameters.get("tileSpecs") or ()]
    for _ in range(MOST_SPOILT_TILES + 1):
        try:
            answer = image_answer(call, {**parameters, "tileSpecs": tiles}, image_format, most_tiles)
        except ServiceError as error:
            if not isinstance(error.__cause__, ImageError):
                raise
            tiles = _without_unreadable(tiles, str(error), call.settings)
        else:
            headers = {} if tiles is everything else {"Cache-Control": "no-store"}
            return Answer(answer.body, answer.content_type, answer.status, headers)
    raise Unprocessable(f"more than {MOST_SPOILT_TILES} images cannot be decoded")


def unreadable_tiles(specs: Sequence[Mapping[str, Any]], settings: Settings) -> list[int]:
    """Return the places of the tile specs with an image or a mask that is missing, empty, or may not be read."""
    images = renderer_of(settings).images
    readable: dict[ImageSource, bool] = {}

    def is_readable(source: ImageSource) -> bool:
        if source not in readable:
            try:
                images.check_readable(source)
                readable[source] = True
            except ImageError:
                readable[source] = False
        return readable[source]

    return [index for index, spec in enumerate(specs) if not all(map(is_readable, _sources(spec)))]


def silhouette_bytes(boxes: Iterable[TileBounds], around: StackBounds, scale: float) -> bytes:
    """Return a JPEG of the boxes of tiles, in gray, for sections of too many tiles to draw quickly.

    Parameters
    ----------
    boxes : iterable of TileBounds
    around : StackBounds
        The box that is shown.
    scale : float
        Pixels of the picture per world pixel.
    """
    width, height = (max(1, int(side * scale)) for side in (around.maxX - around.minX, around.maxY - around.minY))
    canvas = np.zeros((height, width), np.uint8)
    for box in boxes:
        left, right = int((box.minX - around.minX) * scale), math.ceil((box.maxX - around.minX) * scale)
        top, bottom = int((box.minY - around.minY) * scale), math.ceil((box.maxY - around.minY) * scale)
        canvas[top:bottom, left:right] = SILHOUETTE_GRAY
    return jpeg_bytes(canvas)


def _without_unreadable(tiles: list[dict[str, Any]], message: str, settings: Settings) -> list[dict[str, Any]]:
    """Return the tiles without those that cannot be read; without the one of the message where all seem readable."""
    unreadable = set(unreadable_tiles(tiles, settings))
    if unreadable:
        return [tile for index, tile in enumerate(tiles) if index not in unreadable]
    logger.warning("%s", message)
    spoilt = message.removeprefix("tile ").partition(":")[0]
    return [tile for tile in tiles if str(tile.get("tileId")) != spoilt]


def _sources(spec: Mapping[str, Any]) -> Iterable[ImageSource]:
    for channel in spec.get("channels") or [spec]:
        for level in (channel.get("mipmapLevels") or {}).values():
            for role in ("image", "mask"):
                source = ImageSource.of_level(level, role)
                if source is not None:
                    yield source
