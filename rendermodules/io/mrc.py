"""MRC files, in which electron microscopes and their programs keep stacks of images."""

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np

from rendermodules.io.image_formats import FormatError, Image, ImageHeader, as_render_image

_HEADER_BYTES = 1024
_TYPES: dict[int, Any] = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16}
# IMOD's mark and the bit with which it says whether bytes are signed
_IMOD_STAMP, _SIGNED_BYTES = 1146047817, 1


@dataclass(frozen=True)
class MrcHeader:
    """What the header of an MRC file says.

    Attributes
    ----------
    width, height, count : int
        Size of the images in pixels, and their number.
    dtype : numpy.dtype
        Type of the values in the file.
    offset : int
        Where the first image begins, in bytes.
    least, greatest : float
        Range of the values, as the program that wrote them says.
    """

    width: int
    height: int
    count: int
    dtype: np.dtype[Any]
    offset: int
    least: float
    greatest: float

    @property
    def image_header(self) -> ImageHeader:
        """Size and type of an image as `mrc_image` returns it."""
        kept = {np.dtype(np.uint8): np.uint8, np.dtype(np.uint16): np.uint16, np.dtype(np.int16): np.uint16}
        return ImageHeader(self.width, self.height, np.dtype(kept.get(self.dtype.newbyteorder("="), np.float32)))

    @property
    def shown_range(self) -> tuple[float, float] | None:
        """Range of the values as `mrc_image` returns them; None for bytes and where the file says none."""
        if self.dtype.itemsize == 1 or not self.least < self.greatest:
            return None
        shift = 32768.0 if self.dtype.kind == "i" else 0.0
        return self.least + shift, self.greatest + shift


def mrc_header(file: BinaryIO) -> MrcHeader:
    """Return the header of an open MRC file.

    Raises
    ------
    FormatError
        The file is no MRC file, or of complex or half-byte values.
    """
    content = file.read(_HEADER_BYTES)
    if len(content) < _HEADER_BYTES:
        raise FormatError("ends within its MRC header")
    # sizes and mode are small numbers, which tells the byte order
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    order = next((order for order in orders if max(struct.unpack_from(order + "4I", content, 0)) < 1 << 24), None)
    if order is None:
        raise FormatError("is no MRC file")
    width, height, count, mode = struct.unpack_from(order + "4i", content, 0)
    least, greatest = struct.unpack_from(order + "2f", content, 76)
    (extended,) = struct.unpack_from(order + "i", content, 92)
    stamp, flags = struct.unpack_from(order + "2i", content, 152)
    if mode not in _TYPES or min(width, height, count) < 1 or extended < 0:
        raise FormatError(f"is no MRC file of whole or floating values (mode {mode}, {width} x {height} x {count})")
    dtype = np.dtype(_TYPES[mode])
    if mode == 0 and not (stamp == _IMOD_STAMP and flags & _SIGNED_BYTES):
        dtype = np.dtype(np.uint8)
    return MrcHeader(width, height, count, dtype.newbyteorder(order), _HEADER_BYTES + extended, least, greatest)


def mrc_image(file: BinaryIO, number: int) -> Image:
    """Return an image of an open MRC file as one of the kinds that Render knows, its upper row first.

    Parameters
    ----------
    file : binary file
        At its beginning.
    number : int
        Which image, counted from 1.

    Raises
    ------
    FormatError
        The file is no MRC file, ends too early, or has no such image.
    """
    header = mrc_header(file)
    if not 1 <= number <= header.count:
        raise FormatError(f"has no image {number}, only {header.count}")
    length = header.width * header.height * header.dtype.itemsize
    file.seek(header.offset + (number - 1) * length)
    content = file.read(length)
    if len(content) < length:
        raise FormatError(f"ends within image {number}")
    values = np.frombuffer(content, header.dtype).reshape(header.height, header.width)
    # y counts upwards in these files
    return as_render_image(values[::-1].astype(header.dtype.newbyteorder("=")))
