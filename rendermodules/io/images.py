"""Images: read from any place, measured without being read, written whole or not at all.

Arrays are ``(rows, columns)`` of uint8, uint16 or float32, or ``(rows, columns, 3)`` of uint8 in the order red, green,
blue. Sizes are width and height, in pixels.
"""

import os
from pathlib import Path

from rendermodules.io.files import write_bytes_whole
from rendermodules.io.image_formats import FormatError, Image, ImageHeader, jpeg_bytes, png_bytes, tiff_bytes
from rendermodules.io.image_loaders import (
    ImageError,
    ImageSource,
    RefusedImageError,
    check_allowed,
    checked_path,
    loader_of,
)
from rendermodules.io.paths import ReadPolicy, is_local

__all__ = [
    "Image",
    "ImageError",
    "ImageSource",
    "RefusedImageError",
    "check_readable",
    "copy_image",
    "file_stamp",
    "image_header",
    "image_bytes",
    "image_size",
    "is_finished",
    "read_image",
    "write_image",
]


def _source(place: str | os.PathLike[str] | ImageSource) -> ImageSource:
    return place if isinstance(place, ImageSource) else ImageSource(os.fspath(place))


def read_image(place: str | os.PathLike[str] | ImageSource, allowed: ReadPolicy | None = None) -> Image:
    """Return an image.

    Parameters
    ----------
    place : str, path or ImageSource
        URL (``file:``, ``http:``, ``s3:`` ...), path, or either with a loader type and a slice number.
    allowed : callable, optional
        Tells which places may be read, see ``rendermodules.io.paths.allowed_below``; all if absent.

    Returns
    -------
    array
        As the docstring of the module says; converted as ImageJ does, see ``as_render_image``.

    Raises
    ------
    ImageError
        The image is missing, empty, damaged, or of a kind that is not known; the message begins with its URL.
    RefusedImageError
        The place may not be read.
    """
    source = _source(place)
    return loader_of(source).image(source, allowed)


def image_size(place: str | os.PathLike[str] | ImageSource, allowed: ReadPolicy | None = None) -> tuple[int, int]:
    """Return width and height of an image; only its header is read where that is possible.

    Parameters and errors are those of ``read_image``.
    """
    header = image_header(place, allowed)
    return header.width, header.height


def image_header(place: str | os.PathLike[str] | ImageSource, allowed: ReadPolicy | None = None) -> ImageHeader:
    """Return size and type of an image as it will be read; only its header is read where that is possible.

    Parameters and errors are those of ``read_image``.
    """
    source = _source(place)
    return loader_of(source).header(source, allowed)


def check_readable(source: ImageSource, allowed: ReadPolicy | None = None) -> None:
    """Raise ``ImageError`` if a local file is missing, empty, not readable or refused; others are not looked at."""
    loader_of(source)
    if not is_local(source.url):
        if not source.url.startswith("mask:"):
            check_allowed(source.url, source.url, allowed)
        return
    path = checked_path(source.url, allowed)
    try:
        status = Path(path).stat()
    except OSError as error:
        raise ImageError(f"{source.url}: {error.strerror}") from None
    if not status.st_size:
        raise ImageError(f"{source.url}: is empty")
    if not os.access(path, os.R_OK):
        raise ImageError(f"{source.url}: may not be read by this user")


def file_stamp(source: ImageSource) -> tuple[int, int] | None:
    """Return when a local file was changed and its length, which differ after most changes; None for remote ones."""
    if not is_local(source.url):
        return None
    try:
        status = os.stat(checked_path(source.url, None))  # noqa: PTH116 - asked for every tile of every request
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def image_bytes(
    name: str | os.PathLike[str], image: Image, quality: float = 0.85, compression: str | None = None
) -> bytes:
    """Return the content of an image file in the format that its name asks for.

    Parameters and errors are those of ``write_image``.
    """
    suffix = Path(name).suffix.lower()
    try:
        if suffix == ".png":
            return png_bytes(image)
        if suffix in (".jpg", ".jpeg"):
            return jpeg_bytes(image, quality)
    except FormatError as error:
        raise ImageError(f"{name}: {error}") from None
    if suffix in (".tif", ".tiff"):
        return tiff_bytes(image, compression)
    raise ImageError(f"{name}: images are written as .png, .jpg or .tif, not {suffix or 'without ending'}")


def write_image(
    path: str | os.PathLike[str], image: Image, quality: float = 0.85, compression: str | None = None
) -> None:
    """Write an image in the format that the name asks for, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.png``, ``.jpg``, ``.jpeg``, ``.tif`` or ``.tiff``; missing folders are made.
    image : array
        Gray or red-green-blue; PNG also red-green-blue-alpha.
    quality : float, default: 0.85
        Of JPEG, 0 to 1.
    compression : str, optional
        Of TIFF: ``deflate``, ``lzw`` or ``zstd``; none if absent.

    Raises
    ------
    ImageError
        The name asks for another format, or for one that cannot hold the image.
    """
    write_bytes_whole(path, image_bytes(path, image, quality, compression))


def is_finished(url: str, size: tuple[int, int], source: ImageSource) -> bool:
    """Return whether an image that is made of another is there, can be decoded, has its size and is not the older one.

    Parameters
    ----------
    url : str
        What was made.
    size : (int, int)
        Width and height that it must have.
    source : ImageSource
        What it was made of; of a remote one the age is not asked.
    """
    made, origin = file_stamp(ImageSource(url)), file_stamp(source)
    if is_local(url) and (made is None or (origin is not None and made[0] < origin[0])):
        return False
    try:
        rows, columns = read_image(url).shape[:2]
    except ImageError:
        return False
    return (columns, rows) == size


def copy_image(source: ImageSource, path: str | os.PathLike[str]) -> bool:
    """Write an image to a file of its own, unless that is finished; return whether it was written.

    Parameters
    ----------
    source : ImageSource
        An image in any container.
    path : path
        As of `write_image`.
    """
    if is_finished(os.fspath(path), image_size(source), source):
        return False
    write_image(path, read_image(source))
    return True
