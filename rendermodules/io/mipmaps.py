"""Image pyramids as files: how they are called, and how they are made.

A file that is there, whole, of the right size and not older than its source is kept, so that a run that was stopped is
simply started again.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import quote

import numpy as np

from rendermodules.core.pyramids import level_size, pyramid
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.image_loaders import DEFAULT_LOADER
from rendermodules.io.images import (
    Image,
    ImageSource,
    image_bytes,
    image_size,
    is_finished,
    read_image,
)
from rendermodules.io.paths import ReadPolicy, file_name, is_local, joined_url, local_path, mipmap_url, remote_place

EXTENSIONS = {"tif": "tif", "tiff": "tif", "png": "png", "jpg": "jpg", "jpeg": "jpg"}
"""Every way to ask for a format, and the one ending that its files get."""


def extension_of(image_format: str) -> str:
    """Return the ending, without point, of files of a format: ``tif``, ``png`` or ``jpg``.

    Raises
    ------
    ValueError
        There is no such format.
    """
    try:
        return EXTENSIONS[image_format.lower().removeprefix(".")]
    except KeyError:
        raise ValueError(f"no image format {image_format}: there are {', '.join(EXTENSIONS)}") from None


def lossless_extension(image_format: str) -> str:
    """Return the ending for masks beside images of a format: its own, but ``png`` where pixels would change."""
    extension = extension_of(image_format)
    return "png" if extension == "jpg" else extension


class MipmapNaming(Protocol):
    """Where the levels of an image are."""

    def url(self, source: ImageSource, level: int) -> str:
        """Return the URL or path of a level of an image; level 1 is half of its size."""


@dataclass(frozen=True)
class RenderLayout:
    """Names as Render's path builder has them: ``root/level/path/of/the/image.tif.png``.

    Attributes
    ----------
    root : str
        Folder or URL.
    image_format : str, default: "tif"
        One of ``EXTENSIONS``.
    """

    root: str
    image_format: str = "tif"

    def url(self, source: ImageSource, level: int) -> str:
        """Return ``root/level/path-of-the-image.extension``; the slice or plane of a stack is part of the name."""
        place = source.url.partition("?")[0] + plane_suffix(source)
        return mipmap_url(place, level, self.root, extension_of(self.image_format))


@dataclass(frozen=True)
class LevelSuffix:
    """Names beside the image or all in one folder: ``name_mip01.jpg``.

    Attributes
    ----------
    folder : str, optional
        Folder or URL; that of the image if absent.
    image_format : str, default: "jpg"
        One of ``EXTENSIONS``.
    """

    folder: str | None = None
    image_format: str = "jpg"

    def url(self, source: ImageSource, level: int) -> str:
        """Return the name of the image without its ending, with ``_mip`` and the level in two digits."""
        stem = PurePosixPath(file_name(source.url)).stem
        name = f"{stem}{plane_suffix(source)}_mip{level:02d}.{extension_of(self.image_format)}"
        if self.folder is not None:
            return joined_url(self.folder, name)
        base = source.url.partition("?")[0] if ":" in source.url else source.url
        return joined_url(base.rpartition("/")[0] or ".", name)


@dataclass(frozen=True)
class ReplacedPath:
    """Names like :class:`LevelSuffix` in folders like those of the images, with a part of the path replaced.

    Attributes
    ----------
    find, replace : str
        ``raw/data`` and ``processed/downsampled_images``, for instance, percent-encoded or not. What is found first is
        replaced.
    image_format : str, default: "jpg"
        One of ``EXTENSIONS``.
    """

    find: str
    replace: str
    image_format: str = "jpg"

    def url(self, source: ImageSource, level: int) -> str:
        """Return the replaced path of the image, without its ending, with ``_mip`` and the level in two digits.

        Raises
        ------
        ValueError
            The path has no such part: the mipmap would be beside the image.
        """
        find, replace = self.find, self.replace
        if find not in source.url:
            find, replace = quote(find), quote(replace)
        if find not in source.url:
            raise ValueError(f"{source.url} has no {self.find} that could be replaced")
        moved = ImageSource(source.url.replace(find, replace, 1), source.loader_type, source.slice_number)
        return LevelSuffix(image_format=self.image_format).url(moved, level)


@dataclass(frozen=True)
class Mipmaps:
    """The levels of one image.

    Attributes
    ----------
    urls : dict of int to str
        By level; levels that an image is too small for are absent.
    written : tuple of int
        Which of them were made now; the others were there.
    """

    urls: dict[int, str] = field(default_factory=dict)
    written: tuple[int, ...] = ()


@dataclass(frozen=True)
class MipmapWriting:
    """How mipmaps are made.

    Attributes
    ----------
    naming : MipmapNaming
        Where they go and in which format.
    levels : sequence of int, default: (1, 2, 3)
        From 1.
    method : str, default: "mean"
        See ``rendermodules.core.pyramids.reduced``; ``minimum`` for masks.
    quality : float, default: 0.85
        Of JPEG, 0 to 1.
    compression : str, optional
        Of TIFF: ``deflate``, ``lzw`` or ``zstd``; none if absent.
    to_8_bit : bool, default: False
        Whether levels of 16-bit images have 8 bit, their upper byte; others stay as they are.
    redo : bool, default: False
        Whether files that are there are made again.
    """

    naming: MipmapNaming
    levels: Sequence[int] = (1, 2, 3)
    method: str = "mean"
    quality: float = 0.85
    compression: str | None = None
    to_8_bit: bool = False
    redo: bool = False

    def __post_init__(self) -> None:
        if any(level < 1 for level in self.levels):
            raise ValueError(f"levels must be 1 or more, not {', '.join(map(str, self.levels))}")


def write_mipmaps(
    source: ImageSource | str | os.PathLike[str], writing: MipmapWriting, allowed: ReadPolicy | None = None
) -> Mipmaps:
    """Write the levels of an image that are not there yet, each whole or not at all.

    Parameters
    ----------
    source : ImageSource, str or path
        The image at full size.
    writing : MipmapWriting
        Which levels, where and how.
    allowed : callable, optional
        Tells which places may be read; all if absent.

    Returns
    -------
    Mipmaps
        Peak memory is 1.25 times the image and its encoded first level.

    Raises
    ------
    ImageError
        The image cannot be read, or has a depth that the format does not hold. Levels that were written stay.
    """
    source = source if isinstance(source, ImageSource) else ImageSource(os.fspath(source))
    width, height = image_size(source, allowed)
    sizes = {level: level_size(width, height, level) for level in sorted(set(writing.levels))}
    urls = {level: writing.naming.url(source, level) for level, size in sizes.items() if min(size) > 0}
    missing = [level for level, url in urls.items() if writing.redo or not is_finished(url, sizes[level], source)]
    if missing:
        image = read_image(source, allowed)
        for level, picture in enumerate(pyramid(image, max(missing), writing.method), start=1):
            if level in missing:
                _write(urls[level], picture, writing)
    return Mipmaps(urls, tuple(missing))


def plane_suffix(source: ImageSource) -> str:
    """Return what tells the slices of one file and the planes of one array apart; nothing for files of one image."""
    query = source.url.partition("?")[2]
    plane = f"_{re.sub('[^A-Za-z0-9.-]+', '_', query)}" if query else ""
    if source.loader_type == DEFAULT_LOADER or source.slice_number is None:
        return plane
    return f"{plane}_slice{source.slice_number:04d}"


def _write(url: str, image: Image, writing: MipmapWriting) -> None:
    """Write one level to a local or remote place."""
    if writing.to_8_bit and image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    content = image_bytes(file_name(url), image, writing.quality, writing.compression)
    if is_local(url):
        write_bytes_whole(local_path(url), content)
        return
    import fsspec

    # object stores show an object when it is whole, not before
    files, place = fsspec.core.url_to_fs(remote_place(url))
    files.pipe_file(place, content)
