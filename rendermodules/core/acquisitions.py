"""Acquired images as tiles: what every importer has in common, whatever file its positions come from."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rendermodules.core.problems import InputError, Problems, listed
from rendermodules.core.sections import Section, TileSpec

AFFINE_CLASS = "mpicbg.trakem2.transform.AffineModel2D"
IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


_UNFIT_FOR_AN_ID = re.compile(r"[/\\?#%;\s]+")


@dataclass(slots=True)
class AcquiredImage:
    """One image of one channel, with where it was taken.

    Attributes
    ----------
    place : str
        Where the input names it (``row 7``), for messages.
    url : str
        The image.
    z : float
        Its section's place in the stack.
    tile_id : str
        Images of several channels with one id make one tile.
    section_id : str
        Render's name of the section; several may lie at one z.
    affine : tuple of 6 floats
        From tile pixels to world pixels, in the order of Render's data string: M00, M10, M01, M11, B0, B1.
    width, height : int
        Size in pixels; 0 as long as it is not known.
    min_intensity, max_intensity : float, optional
        Values shown as black and as white; Render takes 0 and 255 where there is none.
    channel : str, optional
        Its channel; None where there is only one without a name.
    mask_url : str, optional
        Image of the same size whose zeros are no part of the tile.
    loader_type : str, optional
        How Render reads the file where it is not an image of its own, such as ``IMAGEJ_TIFF_STACK``.
    slice_number : int, optional
        Which image of the file, from 1.
    layout : dict
        Further fields of Render's layout: ``temca``, ``camera``, ``imageRow``, ``imageCol``, ``stageX`` ...
    """

    place: str
    url: str
    z: float
    tile_id: str
    section_id: str
    affine: tuple[float, ...] = IDENTITY
    width: int = 0
    height: int = 0
    min_intensity: float | None = None
    max_intensity: float | None = None
    channel: str | None = None
    mask_url: str | None = None
    loader_type: str | None = None
    slice_number: int | None = None
    layout: dict[str, Any] = field(default_factory=dict)


def id_text(text: str) -> str:
    """Return a text as part of a tile's id: what has a meaning in URLs, and blanks, become ``_``."""
    return _UNFIT_FOR_AN_ID.sub("_", text)


def affine_spec(affine: Sequence[float]) -> dict[str, Any]:
    """Return Render's JSON of an affine transform given as M00, M10, M01, M11, B0, B1."""
    return {"type": "leaf", "className": AFFINE_CLASS, "dataString": " ".join(repr(float(value)) for value in affine)}


def translation(x: float, y: float) -> tuple[float, ...]:
    """Return the affine that moves a tile's corner to (x, y), in world pixels."""
    return (1.0, 0.0, 0.0, 1.0, float(x), float(y))


def move_to_origin(images: Iterable[AcquiredImage]) -> None:
    """Move the images of each z so that their least x and y are 0."""
    for _, group in images_by_z(images):
        left, top = (min(image.affine[axis] for image in group) for axis in (4, 5))
        for image in group:
            *linear, x, y = image.affine
            image.affine = (*linear, x - left, y - top)


def images_by_z(images: Iterable[AcquiredImage]) -> list[tuple[float, list[AcquiredImage]]]:
    """Return the images of each z, ascending; those of one z are in the order of the input."""
    groups: dict[float, list[AcquiredImage]] = {}
    for image in images:
        groups.setdefault(image.z, []).append(image)
    return sorted(groups.items(), key=lambda group: group[0])


def section_of_images(images: Sequence[AcquiredImage], first_channel: str | None = None) -> Section:
    """Return the section that the images of one z make: one tile for each id, with its channels.

    Parameters
    ----------
    images : list of AcquiredImage
        Images of one z.
    first_channel : str, optional
        Channel that is put first in tiles of several channels, which Render takes where none is
        asked for; by default that whose image comes first.
    """
    tiles: dict[str, list[AcquiredImage]] = {}
    for image in images:
        tiles.setdefault(image.tile_id, []).append(image)
    return Section(images[0].z, [tile_of_images(group, first_channel) for group in tiles.values()])


def tile_of_images(images: Sequence[AcquiredImage], first_channel: str | None = None) -> TileSpec:
    """Return the tile of one image, or of one image for each channel.

    Geometry and layout are those of the first channel; its image is also the tile's own, for
    programs that know no channels.
    """
    ordered = sorted(images, key=lambda image: image.channel != first_channel)
    first = ordered[0]
    tile: TileSpec = {
        "tileId": first.tile_id,
        "z": first.z,
        "width": first.width,
        "height": first.height,
        "minIntensity": first.min_intensity,
        "maxIntensity": first.max_intensity,
        "layout": {"sectionId": first.section_id, **first.layout},
        "mipmapLevels": {"0": _level(first)},
        "transforms": {"type": "list", "specList": [affine_spec(first.affine)]},
    }
    if first.channel is not None:
        tile["channels"] = [
            {
                "name": image.channel,
                "minIntensity": image.min_intensity,
                "maxIntensity": image.max_intensity,
                "mipmapLevels": {"0": _level(image)},
            }
            for image in ordered
        ]
    return tile


def _level(image: AcquiredImage) -> dict[str, Any]:
    level: dict[str, Any] = {"imageUrl": image.url}
    if image.loader_type is not None:
        level["imageLoaderType"] = image.loader_type
    if image.slice_number is not None:
        level["imageSliceNumber"] = image.slice_number
    if image.mask_url:
        level["maskUrl"] = image.mask_url
    return level


def check_images(images: Sequence[AcquiredImage], problems: Problems) -> None:
    """Note images that cannot become tiles together: repeated ones, ids at two z, differing sizes, no finite place.

    Images of no width are those that could not be read, which is noted elsewhere.
    """
    firsts: dict[str, AcquiredImage] = {}
    seen: dict[tuple[str, str | None], AcquiredImage] = {}
    for image in images:
        if not all(map(math.isfinite, (image.z, *image.affine))):
            problems.add("z, position or transform is not finite", image.place)
        first = firsts.setdefault(image.tile_id, image)
        same = seen.setdefault((image.tile_id, image.channel), image)
        pair = f"{image.place} and {first.place} ({image.tile_id})"
        if image.z != first.z:
            problems.add("one tile id at two z", pair)
        elif same is not image:
            channel = f", channel {image.channel}" if image.channel else ""
            problems.add("two images of one tile", f"{image.place} and {same.place} ({image.tile_id}{channel})")
        elif image.width and first.width and (image.width, image.height) != (first.width, first.height):
            problems.add("channels of one tile differ in size", pair)
        elif (image.channel is None) != (first.channel is None):
            problems.add("a tile has images with and without a channel", pair)


def tiles_lacking_channels(images: Iterable[AcquiredImage]) -> tuple[int, int]:
    """Return the number of tiles that lack a channel which others have, and that of all tiles."""
    channels: dict[str, set[str | None]] = {}
    for image in images:
        channels.setdefault(image.tile_id, set()).add(image.channel)
    everything = set().union(*channels.values())
    return sum(own < everything for own in channels.values()), len(channels)


def chosen_channel(images: Iterable[AcquiredImage], part: str) -> str:
    """Return the first channel whose name contains ``part``, case ignored.

    Raises
    ------
    InputError
        There is none; the message says which there are.
    """
    names = list(dict.fromkeys(image.channel for image in images if image.channel is not None))
    for name in names:
        if part.casefold() in name.casefold():
            return name
    raise InputError(f"no channel's name contains {part!r}; there are {', '.join(names) or 'none'}")


def selected_channels(images: Sequence[AcquiredImage], names: Sequence[str] | None) -> list[AcquiredImage]:
    """Return the images of certain channels; None takes all.

    Raises
    ------
    InputError
        There is no image of a channel that is named.
    """
    if names is None:
        return list(images)
    present = dict.fromkeys(image.channel for image in images)
    missing = [name for name in names if name not in present]
    if missing:
        raise InputError(f"no image has the channel {listed(missing)}; there are {listed(list(present))}")
    return [image for image in images if image.channel in names]
