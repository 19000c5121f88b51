"""Where the images and masks of tiles are."""

from collections.abc import Callable, Iterator
from typing import Any

from rendermodules.core.image_owners import ImageOwner, with_image_owners, with_levels
from rendermodules.core.sections import Section, TileSpec, image_levels

_URLS = ("imageUrl", "maskUrl")


def with_urls(section: Section, change: Callable[[str], str]) -> Section:
    """Return the section with the URL of every image and mask, of all levels and channels, as ``change`` makes it."""

    def changed_level(_: int, level: dict[str, Any]) -> dict[str, Any]:
        return {key: change(value) if key in _URLS and value else value for key, value in level.items()}

    def changed_owner(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        return with_levels(owner, changed_level)

    return with_image_owners(section, changed_owner, None)


def urls_of_tile(tile: TileSpec) -> Iterator[str]:
    """Yield the URLs of all images and masks of a tile, of all levels and channels."""
    for owner in (tile, *(tile.get("channels") or ())):
        for _, level in image_levels(owner):
            yield from (level[key] for key in _URLS if level.get(key))
