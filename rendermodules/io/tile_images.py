"""Images of tiles as they are matched: read at about the wanted scale, in the frame of the matches."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray

from rendermodules.core.estimation import composed
from rendermodules.core.match_frames import MatchFrame
from rendermodules.core.placement import wanted_level
from rendermodules.core.resampling import drawn_through, halved
from rendermodules.core.sections import TileSpec
from rendermodules.core.tile_matching import TileImage
from rendermodules.core.transforms import Affine, TransformList
from rendermodules.io.image_cache import BytesBoundedCache
from rendermodules.io.image_loaders import ImageError, ImageSource
from rendermodules.io.images import Image, file_stamp, read_image

_LARGEST_SHEAR = 0.05
_NEARLY_FULL = 0.999
_CELLS = 64
_CELL_SIZES = (8.0, 32.0)
_FILTER_RADIUS = 500
_FILTER_DEVIATIONS = 3.0


@dataclass(frozen=True)
class TileImageOptions:
    """What images of tiles are like.

    Attributes
    ----------
    scale : float
        Pixels of the image per pixel of the frame, about; at most 1.
    channel : str, optional
        Of tiles with several; the first if absent.
    masked : bool
        Whether masks are heeded.
    filtered : bool
        Whether local contrast is evened out, as Render's default filters do.
    """

    scale: float
    channel: str | None
    masked: bool
    filtered: bool


class LocalTileImages:
    """Gives images of tiles from their files, and keeps them as long as they fit.

    Parameters
    ----------
    options : TileImageOptions
    max_bytes : int
        What the kept images may take. Beside, each thread needs about three images while it reads one.
    """

    def __init__(self, options: TileImageOptions, max_bytes: int) -> None:
        self.options = options
        self._kept: BytesBoundedCache[TileImage] = BytesBoundedCache(max_bytes)

    def __call__(self, tile: TileSpec, frame: MatchFrame) -> TileImage:
        """Return the image of a tile.

        Raises
        ------
        ImageError
            It cannot be had; the message names the tile or the file.
        """
        level, image, mask = tile_level(tile, self.options)
        files = [(source, file_stamp(source)) for source in (image, mask) if source is not None]
        key = (tuple(files), level, self.options, orjson.dumps(frame.local_specs))

        def read() -> TileImage:
            pixels, valid, reached = _read(image, mask, level, wanted_level(self.options.scale))
            return tile_image(pixels, valid, reached, frame, self.options, key)

        return self._kept.value(key, read, lambda made: made.nbytes)

    def clear(self) -> None:
        """Forget all images."""
        self._kept.clear()


def tile_level(tile: TileSpec, options: TileImageOptions) -> tuple[int, ImageSource, ImageSource | None]:
    """Return which of a tile's levels to read, its image, and its mask if that is heeded.

    It is the coarsest that is fine enough, or else the finest.

    Raises
    ------
    ImageError
        The tile has no such channel, or no image.
    """
    owner = pyramid_of_channel(tile, options.channel)
    levels = {int(key): level for key, level in (owner.get("mipmapLevels") or {}).items()}
    if not levels:
        raise ImageError(f"tile {tile['tileId']}: has no mipmapLevels")
    wanted = wanted_level(options.scale)
    chosen = max((level for level in levels if level <= wanted), default=min(levels))
    image = ImageSource.of_level(levels[chosen])
    if image is None:
        raise ImageError(f"tile {tile['tileId']}: level {chosen} has no imageUrl")
    return chosen, image, ImageSource.of_level(levels[chosen], "mask") if options.masked else None


def tile_image(
    pixels: Image,
    mask: NDArray[np.uint8] | None,
    level: int,
    frame: MatchFrame,
    options: TileImageOptions,
    key: Hashable,
) -> TileImage:
    """Return an image in the frame of its tile's matches, at the wanted scale.

    It is resampled only where the local transforms bend, turn or shear it; moves and scales go into ``to_frame``.

    Parameters
    ----------
    pixels : (rows, columns) array
        The image at one of its mipmap levels.
    mask : (rows, columns) uint8 array, optional
        0 or 255.
    level : int
        Which level it is.
    frame : MatchFrame
        Of its tile.
    options : TileImageOptions
    key : hashable
        Of the result.
    """
    local = frame.local.affine
    if local is not None and _is_upright(local):
        pixels, mask, to_level = _resized(pixels, mask, options.scale * 2**level)
        to_frame = composed(composed(to_level, _to_full_scale(level)), local)
    else:
        (low_x, low_y), (high_x, high_y) = np.floor(frame.box[0]), np.ceil(frame.box[1])
        box = float(low_x), float(low_y), float(high_x - low_x), float(high_y - low_y)
        transform = TransformList([Affine(_to_full_scale(level)), *frame.local.parts])
        cell_size = fine_mesh_cell_size(frame) / 2**level
        pixels, coverage = drawn_through(pixels, transform, box, options.scale, mask, cell_size)
        mask = _opaque(coverage)
        to_frame = np.array([[1 / options.scale, 0.0, low_x], [0.0, 1 / options.scale, low_y]])
    if options.filtered:
        pixels = _filtered(pixels, options.scale)
    return TileImage(pixels, mask, to_frame, key)


def fine_mesh_cell_size(frame: MatchFrame) -> float:
    """Return the side of triangles so small that a bent image is drawn to a few hundredths of a pixel.

    Render's own 64 pixels are for viewing: where a lens bends small tiles they are off by up to half a pixel.
    """
    return float(np.clip(min(frame.width, frame.height) / _CELLS, *_CELL_SIZES))


def pyramid_of_channel(tile: TileSpec, name: str | None) -> Mapping[str, Any]:
    """Return the part of a tile that holds the images of a channel: the first one, or the tile itself, without a name.

    Raises
    ------
    ImageError
        The tile has no such channel.
    """
    channels = tile.get("channels") or []
    if name is None:
        return channels[0] if channels else tile
    found = [channel for channel in channels if channel.get("name") == name]
    if not found:
        there = ", ".join(str(channel.get("name")) for channel in channels) or "none"
        raise ImageError(f"tile {tile['tileId']}: has no channel {name}; there are {there}")
    return found[0]


def as_gray(image: Image) -> Image:
    """Return an image without its colours."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _read(
    image: ImageSource, mask: ImageSource | None, level: int, wanted: int
) -> tuple[Image, NDArray[np.uint8] | None, int]:
    """Return an image and which of its pixels are visible, reduced from one mipmap level to another, and that level."""
    pixels = as_gray(read_image(image))
    visible = None
    if mask is not None:
        visible = np.where(as_gray(read_image(mask)) > 0, 255, 0).astype(np.uint8)
        if visible.shape != pixels.shape:
            raise ImageError(f"{mask.url}: a mask of {visible.shape} does not fit the image of {pixels.shape}")
    while level < wanted and min(pixels.shape) > 1:
        pixels, visible, level = halved(pixels), None if visible is None else halved(visible), level + 1
    return pixels, visible if visible is None else _opaque(visible), level


def _opaque(coverage: NDArray[Any]) -> NDArray[np.uint8]:
    return np.where(coverage == 255, 255, 0).astype(np.uint8)


def _is_upright(matrix: NDArray[np.float64]) -> bool:
    """Return whether an affine neither turns nor mirrors nor shears by much."""
    (a, b), (c, d) = matrix[:, :2]
    return bool(a > 0 and d > 0 and max(abs(b), abs(c)) <= _LARGEST_SHEAR * min(a, d))


def _to_full_scale(level: int) -> NDArray[np.float64]:
    """Return the way from the pixels of a mipmap level to those of the image: means of 2^level pixels a side."""
    factor = float(2**level)
    shift = (factor - 1) / 2
    return np.array([[factor, 0.0, shift], [0.0, factor, shift]])


def _resized(
    pixels: Image, mask: NDArray[np.uint8] | None, scale: float
) -> tuple[Image, NDArray[np.uint8] | None, NDArray[np.float64]]:
    """Return an image at a scale between 1/2 and 1, its mask, and the way from its pixels to those of the given one."""
    if scale >= _NEARLY_FULL:
        return pixels, mask, np.eye(2, 3)
    rows, columns = pixels.shape
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    step_x, step_y = columns / size[0], rows / size[1]
    to_given = np.array([[step_x, 0.0, (step_x - 1) / 2], [0.0, step_y, (step_y - 1) / 2]])
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if mask is not None:
        mask = _opaque(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    return pixels, mask, to_given


def _filtered(pixels: Image, scale: float) -> Image:
    # skimage and its like are not to be loaded by those who filter nothing
    from rendermodules.core.filters.local_contrast import local_contrast_normalized

    radius = max(round(_FILTER_RADIUS * scale), 1)
    high = float(np.iinfo(pixels.dtype).max) if np.issubdtype(pixels.dtype, np.integer) else 1.0
    return local_contrast_normalized(pixels, radius, radius, _FILTER_DEVIATIONS, True, True, 0.0, high)
