"""Tiles on their way to the canvas: which file, where, and its pixels."""

import json
import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.depths import luminance
from rendermodules.core.meshes import MeshError
from rendermodules.core.placement import Placement
from rendermodules.core.sections import TileSpec
from rendermodules.io.image_cache import ImageCache
from rendermodules.io.images import ImageError, RefusedImageError
from rendermodules.render_ws.rendering.filters import FilterError, filtered
from rendermodules.render_ws.rendering.geometry import KnownGeometry, TileGeometry
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.sources import ChannelSource, LevelSource

Array = NDArray[Any]

logger = logging.getLogger(__name__)


@contextmanager
def tile_named(tile_id: str) -> Iterator[None]:
    """Put the id of a tile before the messages of errors about its images, mesh and filters."""
    try:
        yield
    except RefusedImageError as error:
        raise RefusedImageError(f"tile {tile_id}: {error}") from None
    except ImageError as error:
        raise ImageError(f"tile {tile_id}: {error}") from None
    except (FilterError, MeshError) as error:
        raise RenderingError(f"tile {tile_id}: {error}") from None


@dataclass(frozen=True)
class PlacedTile:
    """A channel of a tile with its place on the canvas; its pixels are not loaded yet.

    Attributes
    ----------
    source : ChannelSource
    file : LevelSource
        The mipmap that is drawn.
    size : (int, int)
        Width and height of the mipmap.
    placement : Placement
        Where it lies on the canvas.
    """

    source: ChannelSource
    file: LevelSource
    size: tuple[int, int]
    placement: Placement

    @property
    def level(self) -> int:
        """The mipmap level that is drawn."""
        return self.file.level + self.file.halvings

    @property
    def pixels(self) -> int:
        """How many pixels the mipmap has."""
        return self.size[0] * self.size[1]

    def image(self, images: ImageCache, filters: tuple[Mapping[str, Any], ...]) -> Array:
        """Return the pixels of the mipmap, filtered.

        8-bit images of tiles that state a range beyond 255 become 16-bit ones with 256 times the value, for they are
        taken to be reduced copies of 16-bit images.
        """
        widened = self.source.own_high > 255
        with tile_named(self.source.tile_id):
            if not widened and not filters:
                return images.image(self.file.image, self.file.halvings)
            recipe = (widened, json.dumps(filters, sort_keys=True), self.source.low, self.source.high)
            return images.derived(
                self.file.image, self.file.halvings, recipe, lambda image: self._prepared(image, widened, filters)
            )

    def _prepared(self, image: Array, widened: bool, filters: tuple[Mapping[str, Any], ...]) -> Array:
        if widened and image.dtype == np.uint8 and image.ndim == 2:
            image = image.astype(np.uint16) << 8
        seed = zlib.crc32(f"{self.file.image.url} {self.file.image.slice_number}".encode())
        return filtered(image, filters, self.level, self.source.low, self.source.high, seed)

    def mask(self, images: ImageCache) -> Array | None:
        """Return the mask of the mipmap, 8 bit; None if the tile has none, or one of another size."""
        if self.file.mask is None:
            return None
        with tile_named(self.source.tile_id):
            mask = luminance(images.image(self.file.mask, self.file.halvings))
        if mask.shape != self.size[::-1]:
            rows, columns = mask.shape
            logger.warning(
                "tile %s: its mask of %d x %d pixels does not fit its image of %d x %d and is left out",
                self.source.tile_id, columns, rows, *self.size,
            )  # fmt: skip
            return None
        if mask.dtype == np.uint16:
            return (mask >> 8).astype(np.uint8)
        return mask if mask.dtype == np.uint8 else np.clip(mask, 0, 255).astype(np.uint8)


def placed_tile(
    tile: TileSpec,
    source: ChannelSource,
    parameters: RenderParameters,
    images: ImageCache,
    known_geometry: KnownGeometry,
    strict: bool,
) -> PlacedTile | None:
    """Return a channel of a tile with its place; None if nothing is left of it at the level that is wanted.

    Raises
    ------
    RenderingError
        A transform cannot be understood, or no mipmap is fine enough.
    ImageError
        The size of an image cannot be read.
    """
    with tile_named(source.tile_id):
        geometry = TileGeometry(tile, _full_size(tile, source, images), parameters, known_geometry, strict)
        file = source.level(geometry.level(), images)
        width, height = (side >> file.halvings for side in images.size(file.image))
        if not width or not height:
            return None
        placement = geometry.placement(width, height, file.level + file.halvings)
    return PlacedTile(source, file, (width, height), placement)


def _full_size(tile: TileSpec, source: ChannelSource, images: ImageCache) -> tuple[float, float]:
    """Return width and height of the full-scale image as the tile states them, or else as the image has them."""
    sides = tile.get("width"), tile.get("height")
    try:
        stated = [0.0 if side is None else float(side) for side in sides]
    except (TypeError, ValueError):
        raise RenderingError(f"tile {source.tile_id}: width and height must be numbers, not {sides}") from None
    if min(stated) > 0 and np.isfinite(stated).all():
        return stated[0], stated[1]
    width, height = images.size(source.finest_image())
    factor = 1 << min(source.levels)
    return float(width * factor), float(height * factor)
