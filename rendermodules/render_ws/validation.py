"""Whether tiles and transforms can be rendered: classes known, numbers right, images there."""

from collections.abc import Mapping
from typing import Any

from rendermodules.core.sections import channels, image_levels
from rendermodules.core.transforms import SharedTransforms, TransformError, parsed_transform, tile_transform
from rendermodules.io.images import ImageError, ImageSource, check_readable
from rendermodules.io.paths import ReadPolicy
from rendermodules.render_ws.errors import InvalidRequest


def require_valid_tile(
    tile: dict[str, Any], allowed: ReadPolicy | None, shared: SharedTransforms | None = None
) -> None:
    """Raise `InvalidRequest` with the reason when a tile cannot be rendered.

    Parameters
    ----------
    tile : dict
        A tile spec.
    allowed : callable or None
        Which images may be read; see `rendermodules.io.paths.allowed_below`.
    shared : mapping of str to dict, optional
        The shared transforms that it may refer to.
    """
    try:
        tile_transform(tile, shared)
        for part in channels(tile):
            levels = list(image_levels(part))
            if not levels:
                raise InvalidRequest(f"tile '{tile.get('tileId')}' does not contain any mipmapLevel elements")
            for _, level in levels:
                _require_images(level, allowed)
    except (TransformError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise InvalidRequest(str(error)) from error


def require_valid_transform(spec: dict[str, Any]) -> None:
    """Raise `InvalidRequest` with the reason when a transform cannot be understood."""
    try:
        parsed_transform(spec)
    except (TransformError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise InvalidRequest(str(error)) from error


def _require_images(level: Mapping[str, Any], allowed: ReadPolicy | None) -> None:
    image, mask = ImageSource.of_level(level), ImageSource.of_level(level, "mask")
    if image is None:
        raise InvalidRequest("no imageUrl specified")
    for source in (image, mask):
        if source is not None:
            try:
                check_readable(source, allowed)
            except ImageError as error:
                raise InvalidRequest(str(error)) from error
