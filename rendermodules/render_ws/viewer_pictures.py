"""Pictures for the pages: a tile whose image is gone leaves a gap and does not spoil the rest."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from rendermodules.io.image_cache import ImageCache
from rendermodules.io.image_formats import jpeg_bytes
from rendermodules.io.images import ImageError, ImageSource, RefusedImageError, check_readable
from rendermodules.io.paths import ReadPolicy, allowed_below
from rendermodules.render_ws.errors import TooLarge, Unprocessable
from rendermodules.render_ws.models import StackBounds, TileBounds
from rendermodules.render_ws.rendering.output import encoded
from rendermodules.render_ws.rendering.parameters import RenderingError
from rendermodules.render_ws.rendering.renderer import Renderer
from rendermodules.render_ws.settings import Settings

MOST_SPOILT_TILES = 10
"""Tiles of one picture with images that are there but cannot be decoded; with more of them the picture is refused."""

SILHOUETTE_GRAY = 110

logger = logging.getLogger(__name__)


def picture_bytes(parameters: Mapping[str, Any], settings: Settings) -> bytes:
    """Return what render parameters describe as JPEG, without the tiles whose images cannot be read.

    Raises
    ------
    TooLarge
        More pixels or tiles than the service draws at once.
    Unprocessable
        Something else cannot be drawn; the message names the tile.
    """
    plain = orjson.loads(orjson.dumps(parameters, default=_plain))
    tiles = plain["tileSpecs"]
    if len(tiles) > settings.limits.rendered_tiles:
        raise TooLarge(f"{len(tiles)} tiles are to be drawn; the limit is {settings.limits.rendered_tiles}")
    renderer = _renderer(settings)
    for _ in range(MOST_SPOILT_TILES + 2):
        try:
            return encoded(renderer.render(plain), "jpeg", convert_to_gray=False)
        except ImageError as error:
            plain["tileSpecs"] = kept = _without_unreadable(plain["tileSpecs"], str(error), settings)
            if not kept:
                return encoded(renderer.render(plain), "jpeg")
        except RenderingError as error:
            raise Unprocessable(str(error)) from error
    raise Unprocessable(f"more than {MOST_SPOILT_TILES} images cannot be decoded")


def unreadable_tiles(specs: Sequence[Mapping[str, Any]], settings: Settings) -> list[int]:
    """Return the places of the tile specs with an image or a mask that is missing, empty, or may not be read."""
    allowed = _policy(settings)
    readable: dict[ImageSource, bool] = {}

    def is_readable(source: ImageSource) -> bool:
        if source not in readable:
            try:
                check_readable(source, allowed)
                readable[source] = True
            except (ImageError, RefusedImageError):
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


@lru_cache(maxsize=8)
def _renderer(settings: Settings) -> Renderer:
    return Renderer(ImageCache(allowed=_policy(settings)), max_pixels=settings.limits.image_pixels)


def _policy(settings: Settings) -> ReadPolicy | None:
    return None if settings.image_roots is None else allowed_below(settings.image_roots)


def _plain(value: Any) -> Any:
    if isinstance(value, orjson.Fragment):
        return value
    return {name: getattr(value, name) for name in value.__struct_fields__}
