"""Which file of a tile is drawn: its channel, the mipmap level, the mask that goes with it, the range that is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rendermodules.core.depths import DEFAULT_RANGE
from rendermodules.core.sections import TileSpec
from rendermodules.io.image_cache import ImageCache
from rendermodules.io.image_loaders import DEFAULT_LOADER
from rendermodules.io.images import ImageError, ImageSource
from rendermodules.io.paths import mipmap_url
from rendermodules.render_ws.rendering.parameters import PathBuilder, RenderingError, RenderParameters


@dataclass(frozen=True)
class LevelSource:
    """A mipmap of a tile.

    Attributes
    ----------
    level : int
        Which of the files it is.
    halvings : int
        How often the file is reduced by two to become what was asked for.
    image : ImageSource
    mask : ImageSource, optional
    """

    level: int
    halvings: int
    image: ImageSource
    mask: ImageSource | None


@dataclass(frozen=True)
class ChannelSource:
    """One channel of a tile.

    Attributes
    ----------
    tile_id : str
        For messages.
    levels : dict of int to dict
        Image and mask as Render's JSON, by mipmap level, finest first.
    low, high : float
        Range that is shown.
    own_high : float
        Upper end of the range that the tile itself states.
    path_builder : PathBuilder, optional
        Where levels are that ``levels`` does not list.
    """

    tile_id: str
    levels: Mapping[int, Mapping[str, Any]]
    low: float
    high: float
    own_high: float
    path_builder: PathBuilder | None

    @property
    def has_mask(self) -> bool:
        """Whether the finest image has a mask."""
        return bool(self.levels) and bool(self.levels[min(self.levels)].get("maskUrl"))

    def finest_image(self) -> ImageSource:
        """Return the finest image that is listed."""
        if not self.levels:
            raise RenderingError(f"tile {self.tile_id}: has no mipmapLevels")
        return _source(self.levels[min(self.levels)], "image", self.tile_id)

    def level(self, wanted: int, images: ImageCache) -> LevelSource:
        """Return the file for a mipmap level: the coarsest that is not coarser.

        Raises
        ------
        RenderingError
            All files are coarser.
        """
        if not self.levels:
            raise RenderingError(f"tile {self.tile_id}: has no mipmapLevels")
        available = [level for level in self.levels if level <= wanted]
        if not available:
            raise RenderingError(
                f"tile {self.tile_id}: mipmap level {wanted} is wanted, but the finest is {min(self.levels)}; "
                "upscaling is not supported"
            )
        if wanted not in self.levels and self.path_builder is not None:
            derived = self._derived(wanted, images)
            if derived is not None:
                return derived
            available = [min(available)]
        level = max(available)
        spec = self.levels[level]
        return LevelSource(
            level, wanted - level, _source(spec, "image", self.tile_id), ImageSource.of_level(spec, "mask")
        )

    def _derived(self, wanted: int, images: ImageCache) -> LevelSource | None:
        """Return the file that the path builder derives from the finest; None if it cannot be read."""
        builder = self.path_builder
        if builder is None:
            return None
        finest = self.levels[min(self.levels)]
        level = min(wanted, builder.levels)
        image = _derived_source(_source(finest, "image", self.tile_id), level, builder)
        mask = ImageSource.of_level(finest, "mask")
        mask = None if mask is None else _derived_source(mask, level, builder)
        try:
            for source in (image, mask):
                if source is not None:
                    images.check_readable(source)
        except ImageError:
            return None
        return LevelSource(level, wanted - level, image, mask)


def _source(spec: Mapping[str, Any], role: str, tile_id: str) -> ImageSource:
    source = ImageSource.of_level(spec, role)
    if source is None:
        raise RenderingError(f"tile {tile_id}: a mipmap level has no {role}Url")
    return source


def _derived_source(source: ImageSource, level: int, builder: PathBuilder) -> ImageSource:
    if source.url.startswith("mask:"):
        return replace(source, url=f"{source.url}&level={level}")
    url = mipmap_url(source.url, level, builder.root, builder.extension, builder.pattern)
    # a pattern leads to another place in a container, a root to a plain file
    return replace(source, url=url) if builder.pattern else ImageSource(url, DEFAULT_LOADER)


def channel_source(tile: TileSpec, name: str | None, parameters: RenderParameters) -> ChannelSource | None:
    """Return one channel of a tile.

    Parameters
    ----------
    tile : dict
        A tile spec. Without ``channels`` it has a single one, without name.
    name : str, optional
        The first channel if absent.
    parameters : RenderParameters
        Their range and path builder stand over and in for those of the tile.

    Returns
    -------
    ChannelSource or None
        None if the tile has no channel of this name.
    """
    tile_id = str(tile.get("tileId"))
    channels = tile.get("channels") or [tile]
    if not isinstance(channels, list) or not all(isinstance(channel, Mapping) for channel in channels):
        raise RenderingError(f"tile {tile_id}: channels must be a list of objects")
    is_named = channels[0] is not tile
    if name is not None:
        channels = [channel for channel in channels if is_named and channel.get("name") == name]
    if not channels:
        return None
    channel = channels[0]
    own_low, own_high = (
        _or(_number(channel, f"{end}Intensity", tile_id), default)
        for end, default in zip(("min", "max"), DEFAULT_RANGE, strict=True)
    )
    builder = PathBuilder.of(channel.get("mipmapPathBuilder") or tile.get("mipmapPathBuilder"))
    return ChannelSource(
        tile_id,
        _levels(channel, tile_id),
        _or(parameters.min_intensity, own_low),
        _or(parameters.max_intensity, own_high),
        own_high,
        builder or parameters.path_builder,
    )


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _number(channel: Mapping[str, Any], name: str, tile_id: str) -> float | None:
    value = channel.get(name)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        raise RenderingError(f"tile {tile_id}: {name} must be a number, not {value!r}") from None


def _levels(channel: Mapping[str, Any], tile_id: str) -> dict[int, Mapping[str, Any]]:
    levels = channel.get("mipmapLevels") or {}
    if not isinstance(levels, Mapping) or not all(isinstance(level, Mapping) for level in levels.values()):
        raise RenderingError(f"tile {tile_id}: mipmapLevels must be objects by number")
    if not all(str(key).isdecimal() for key in levels):
        raise RenderingError(f"tile {tile_id}: mipmapLevels must be numbered, not {', '.join(map(str, levels))}")
    return {int(key): level for key, level in levels.items()}
