"""How images are had from where a tile spec says they are: one loader for each of Render's loader types.

A loader is an object with two methods, ``image`` and ``size``. A new kind of container is one more class and one more
line in ``LOADERS``.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from rendermodules.io.image_formats import (
    FormatError,
    Image,
    ImageHeader,
    as_render_image,
    check_size,
    decoded,
    decoded_tiff,
    header_of,
    is_tiff,
)
from rendermodules.io.mrc import mrc_header, mrc_image
from rendermodules.io.paths import ReadPolicy, is_local, path_of_url, remote_place

DEFAULT_LOADER = "IMAGEJ_DEFAULT"

HEADER_BYTES = 1 << 16
"""How much of a remote file is fetched at a time where only its header is wanted."""


class ImageError(OSError):
    """An image that cannot be had: missing, empty, damaged, of an unknown kind. The message begins with its URL."""


class RefusedImageError(ImageError):
    """An image outside of the places that may be read."""


@dataclass(frozen=True)
class ImageSource:
    """Where an image is and how it is had.

    Attributes
    ----------
    url : str
        URL or plain path.
    loader_type : str, default: ``IMAGEJ_DEFAULT``
        One of ``LOADERS``.
    slice_number : int, optional
        Which image of a stack, counted from 1.
    """

    url: str
    loader_type: str = DEFAULT_LOADER
    slice_number: int | None = None

    @classmethod
    def of_level(cls, level: Mapping[str, Any], role: str = "image") -> "ImageSource | None":
        """Return the ``image`` or ``mask`` of one mipmap level of a tile spec; None if it has none.

        Raises
        ------
        ImageError
            The URL is no text or the slice number is none.
        """
        url, number = level.get(f"{role}Url"), level.get(f"{role}SliceNumber")
        if not url:
            return None
        if not isinstance(url, str) or not (number is None or isinstance(number, int)):
            raise ImageError(f"{url}: {role}Url must be a text, {role}SliceNumber a whole number (it is {number!r})")
        return cls(url, level.get(f"{role}LoaderType") or DEFAULT_LOADER, number)


class ImageLoader(Protocol):
    """What is asked of a loader; both methods raise ``ImageError``."""

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        """Return the image as one of the four kinds that Render knows."""

    def header(self, source: ImageSource, allowed: ReadPolicy | None) -> ImageHeader:
        """Return size and type, without decoding where that is possible."""


@contextmanager
def opened(url: str, allowed: ReadPolicy | None, block_bytes: int | None = None) -> Iterator[BinaryIO]:
    """Open a local or remote file for reading; faults, also those within the block, become ``ImageError``.

    ``block_bytes`` is how much of a remote file is fetched at a time, by default some megabytes.
    """
    try:
        if is_local(url):
            path = checked_path(url, allowed)
            with open(path, "rb") as file:  # noqa: PTH123 - the path is resolved, its own open would resolve it again
                yield file
            return
        check_allowed(url, url, allowed)
        with _opened_remote(url, block_bytes) as file:
            yield file
    except ImageError:
        raise
    except FormatError as error:
        raise ImageError(f"{url}: {error}") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{url}: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def _opened_remote(url: str, block_bytes: int | None) -> Iterator[BinaryIO]:
    try:
        import fsspec

        files, place = fsspec.core.url_to_fs(remote_place(url))
        with files.open(place, "rb", block_size=block_bytes) as file:
            yield file
    except (ImageError, FormatError):
        raise
    except ImportError as error:
        raise ImageError(f"{url}: needs another package to be read: {error}") from None
    except FileNotFoundError:
        raise ImageError(f"{url}: does not exist, or cannot be reached") from None
    # every kind of store has errors of its own, such as that there are no credentials
    except Exception as error:
        raise ImageError(f"{url}: {error}") from error


def checked_path(url: str, allowed: ReadPolicy | None) -> str:
    """Return the path of a local URL with links followed; ``ImageError`` if it is missing or may not be read."""
    path = path_of_url(url)
    if allowed is None:
        return str(path)
    if "\0" in str(path):
        raise ImageError(f"{url!r}: holds a null character")
    # asked before the file is looked for, so that nothing is told about files outside
    resolved = str(path.resolve())
    check_allowed(url, resolved, allowed)
    return resolved


def check_allowed(url: str, place: str, allowed: ReadPolicy | None) -> None:
    """Raise ``RefusedImageError`` if ``place`` may not be read; ``url`` is what the message names."""
    if allowed is not None and not allowed(place):
        raise RefusedImageError(f"{url}: is outside of the places that may be read")


class _FileLoader:
    """Image files as ImageJ opens them: the first image of each."""

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        with opened(source.url, allowed) as file:
            start = file.read(4)
            file.seek(0)
            if not start:
                raise FormatError("is empty")
            return decoded_tiff(file) if is_tiff(start) else decoded(file.read())

    def header(self, source: ImageSource, allowed: ReadPolicy | None) -> ImageHeader:
        with opened(source.url, allowed, HEADER_BYTES) as file:
            return header_of(file)


class _TiffStackLoader(_FileLoader):
    """One slice of a TIFF stack."""

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        number = 1 if source.slice_number is None else source.slice_number
        if number < 1:
            raise ImageError(f"{source.url}: slices are counted from 1, there is no slice {number}")
        with opened(source.url, allowed) as file:
            return decoded_tiff(file, number - 1)


class _CompositeLoader(_FileLoader):
    """The channels of an ImageJ composite, put together as colours."""

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        import tifffile

        with opened(source.url, allowed) as file:
            with tifffile.TiffFile(file) as tiff:
                metadata = tiff.imagej_metadata or {}
            channels = int(metadata.get("channels", 1))
            planes = [decoded_tiff(file, page) for page in range(channels)]
            return composite_image(planes, metadata) if channels > 1 else planes[0]


def composite_image(planes: list[Image], metadata: Mapping[str, Any]) -> Image:
    """Return the sum of gray planes in their colours, as ImageJ shows a composite.

    Parameters
    ----------
    planes : list of (rows, columns) arrays
        One for each channel.
    metadata : mapping
        ImageJ's own: ``LUTs``, one (3, 256) array for each channel, and ``Ranges``, black and white for each. Without
        them colours are red, green, blue, white, cyan, magenta and yellow, and ranges those of the data type or, for
        more than 8 bits, of the values.
    """
    primaries = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    ramp = np.arange(256)
    tables = metadata.get("LUTs") or [np.array(colour)[:, None] * ramp for colour in primaries]
    ranges = metadata.get("Ranges")
    total = np.zeros((*planes[0].shape, 3), dtype=np.int32)
    for channel, plane in enumerate(planes[: len(tables)]):
        if ranges:
            black, white = ranges[2 * channel : 2 * channel + 2]
        elif plane.dtype == np.uint8:
            black, white = 0, 255
        else:
            black, white = float(plane.min()), float(plane.max())
        shown = np.clip((plane - float(black)) * (256.0 / (float(white) - black + 1)), 0, 255).astype(np.uint8)
        total += np.moveaxis(np.asarray(tables[channel])[:, shown], 0, -1)
    return np.minimum(total, 255).astype(np.uint8)


def _check_size(source: ImageSource, width: int, height: int) -> None:
    try:
        check_size(width, height)
    except FormatError as error:
        raise ImageError(f"{source.url}: {error}") from None


class _DynamicMaskLoader:
    """A mask that is computed: 255 inside a box, 0 outside of it.

    ``mask://outside-box?minX=&minY=&maxX=&maxY=&width=&height=[&level=]``; with a level all numbers are of full scale.
    """

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        values = self._values(source)
        width, height, _ = self.header(source, allowed)
        level = 2 ** values.get("level", 0)
        x, y = np.arange(width) * level, np.arange(height) * level
        columns = (x >= values["minX"]) & (x < values["maxX"])
        rows = (y >= values["minY"]) & (y < values["maxY"])
        return np.where(rows[:, None] & columns, np.uint8(255), np.uint8(0))

    def header(self, source: ImageSource, allowed: ReadPolicy | None) -> ImageHeader:
        values = self._values(source)
        level = 2 ** values.get("level", 0)
        return ImageHeader(values["width"] // level, values["height"] // level, np.dtype(np.uint8))

    def _values(self, source: ImageSource) -> dict[str, int]:
        parts = urlsplit(source.url)
        if (parts.scheme, parts.netloc) != ("mask", "outside-box"):
            raise ImageError(f"{source.url}: the only mask that is computed is mask://outside-box")
        try:
            values = {key: int(text) for key, text in parse_qsl(parts.query)}
        except ValueError:
            raise ImageError(f"{source.url}: has a value that is no whole number") from None
        missing = {"minX", "minY", "maxX", "maxY", "width", "height"} - set(values)
        if missing or values["width"] < 1 or values["height"] < 1 or not 0 <= values.get("level", 0) < 31:
            raise ImageError(f"{source.url}: needs {', '.join(sorted(missing)) or 'a positive size'}")
        _check_size(source, values["width"], values["height"])
        return values


def _zarr_store(container: str, allowed: ReadPolicy | None) -> Any:
    """Return what zarr opens to read a container; of a local one no file is read that may not be, links followed."""
    if not is_local(container):
        check_allowed(container, container, allowed)
        return remote_place(container)
    place = checked_path(container, allowed)
    if allowed is None or not Path(place).is_dir():
        return place
    from rendermodules.io.zarr_stores import CheckedStore

    return CheckedStore(place, allowed)


class _ZarrSliceLoader:
    """A plane of a Zarr array: ``URL-of-container?dataSet=PATH&z=Z[&c=&t=][&x=&y=&w=&h=]``.

    The last axes are y and x, those before z, c (channel) and t (time), as far as there are any.
    """

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        array, index = self._plane(source, allowed)
        try:
            return as_render_image(np.asarray(array[index]))
        except ImageError:
            raise
        except (FormatError, ValueError, RuntimeError, OSError) as error:
            raise ImageError(f"{source.url}: {error}") from None

    def header(self, source: ImageSource, allowed: ReadPolicy | None) -> ImageHeader:
        array, (*_, rows, columns) = self._plane(source, allowed)
        dtype = as_render_image(np.empty((1, 1), array.dtype)).dtype
        return ImageHeader(columns.stop - columns.start, rows.stop - rows.start, dtype)

    def _plane(self, source: ImageSource, allowed: ReadPolicy | None) -> tuple[Any, tuple[Any, ...]]:
        """Return the array and the index of the plane within it."""
        import zarr

        container, _, query = source.url.partition("?")
        values = dict(parse_qsl(query))
        try:
            array = zarr.open_array(_zarr_store(container, allowed), path=values.get("dataSet", ""), mode="r")
        except ImageError:
            raise
        # every kind of store has errors of its own, such as that there are no credentials
        except Exception as error:
            raise ImageError(f"{source.url}: cannot be opened as a Zarr array: {error}") from error
        if not 2 <= array.ndim <= 5:
            raise ImageError(f"{source.url}: is no plane of an array of shape {array.shape}")
        *stacked, height, width = array.shape
        stacked_names = "zct"[: len(stacked)][::-1]
        numbers = {"z": 0, "c": 0, "t": 0, "x": 0, "y": 0, "w": width, "h": height}
        try:
            numbers |= {key: int(float(values[key])) for key in numbers if key in values}
        except ValueError:
            raise ImageError(f"{source.url}: has a value that is no number") from None
        x, y, w, h = (numbers[key] for key in "xywh")
        _check_size(source, w, h)
        _check_size(source, math.prod(array.chunks), 1)
        lengths = {**dict.fromkeys("zct", 1), **dict(zip(stacked_names, stacked, strict=True))}
        inside = all(0 <= numbers[name] < length for name, length in lengths.items())
        if not inside or not (0 <= x < x + w <= width and 0 <= y < y + h <= height):
            raise ImageError(f"{source.url}: is no plane of an array of shape {array.shape}")
        return array, (*(numbers[name] for name in stacked_names), slice(y, y + h), slice(x, x + w))


class _MrcSliceLoader:
    """One image of an MRC file; slices are counted from 1, and y downwards, as in all other images."""

    def image(self, source: ImageSource, allowed: ReadPolicy | None) -> Image:
        with opened(source.url, allowed) as file:
            return mrc_image(file, 1 if source.slice_number is None else source.slice_number)

    def header(self, source: ImageSource, allowed: ReadPolicy | None) -> ImageHeader:
        with opened(source.url, allowed, HEADER_BYTES) as file:
            return mrc_header(file).image_header


LOADERS: Mapping[str, ImageLoader] = {
    DEFAULT_LOADER: _FileLoader(),
    "IMAGEJ_TIFF_STACK": _TiffStackLoader(),
    "IMAGEJ_COMPOSITE": _CompositeLoader(),
    "DYNAMIC_MASK": _DynamicMaskLoader(),
    "ZARR_SLICE": _ZarrSliceLoader(),
    "MRC_SLICE": _MrcSliceLoader(),
}
"""Loader of each loader type; ``ZARR_SLICE`` and ``MRC_SLICE`` are ours, the others are Render's."""


def loader_of(source: ImageSource) -> ImageLoader:
    """Return the loader of a source.

    Raises
    ------
    ImageError
        There is none for its loader type.
    """
    # masks are often written without a loader type, and nothing else could be meant
    loader_type = "DYNAMIC_MASK" if source.url.startswith("mask://") else source.loader_type
    if loader_type not in LOADERS:
        raise ImageError(f"{source.url}: there is no loader {loader_type}, only {', '.join(LOADERS)}")
    return LOADERS[loader_type]
