"""Bytes of image files to arrays and back, and the size of an image from its first bytes.

Arrays are ``(rows, columns)`` of uint8, uint16 or float32, or ``(rows, columns, 3)`` of uint8 in the order red, green,
blue: the four kinds of image that Render knows.
"""

import io
import struct
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

LARGEST_IMAGE = 1 << 30
"""Most pixels of an image that is read; a small damaged or malicious file may claim any size."""

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
# start of frame, of all coding processes; the markers between are tables
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


class FormatError(ValueError):
    """Bytes that are no image, are damaged, or an image of a kind that is not known."""


def is_tiff(start: bytes) -> bool:
    """Return whether a file with these first bytes is a TIFF."""
    return start.startswith(_TIFF_MAGIC)


def decoded(content: bytes) -> Image:
    """Return the image that the bytes of a file hold: TIFF (the first page), PNG, JPEG, BMP, PGM or GIF.

    Raises
    ------
    FormatError
        The bytes are no image, or end too early.
    """
    if is_tiff(content):
        return decoded_tiff(io.BytesIO(content))
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise FormatError(f"cannot be decoded: {error.err}") from None
    if image is None:
        raise FormatError("is no image, or is damaged")
    if image.ndim == 3:
        code = {2: None, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[image.shape[2]]
        image = image[:, :, 0] if code is None else cv2.cvtColor(image, code)
    return as_render_image(image)


def decoded_tiff(file: BinaryIO, page: int = 0) -> Image:
    """Return one page of an open TIFF.

    Parameters
    ----------
    file : binary file
    page : int, default: 0
        Counted from 0.

    Raises
    ------
    FormatError
        The file is damaged, ends too early, or has no such page.
    """
    import tifffile

    try:
        file.seek(0)
        with tifffile.TiffFile(file) as tiff:
            return _page_image(tiff, page)
    # a damaged file makes tifffile and its decoders raise all of these
    except (ValueError, RuntimeError, IndexError, struct.error, KeyError, TypeError, MemoryError) as error:
        raise FormatError(f"is a TIFF that cannot be read: {error}") from None


def _page_image(tiff: Any, page: int) -> Image:
    import tifffile

    first = tiff.pages[0]
    series = _series_behind(tiff)
    if not 0 <= page < (len(tiff.pages) if series is None else series.size // first.size):
        raise FormatError(f"has no page {page + 1}")
    tiff_page = tiff.pages[page] if series is None else first
    check_size(tiff_page.imagewidth, tiff_page.imagelength)
    if series is None:
        image = tiff_page.asarray()
    else:
        stored = np.dtype(first.dtype).newbyteorder(tiff.byteorder)
        pixels = tiff.filehandle.read_array(stored, first.size, series.dataoffset + page * first.size * stored.itemsize)
        image = pixels.reshape(first.shape).astype(first.dtype, copy=False)
    if image.ndim == 3 and tiff_page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        image = np.moveaxis(image, 0, -1)
    return as_render_image(_as_meant(image, tiff_page))


def _series_behind(tiff: Any) -> Any:
    """Return the stack that ImageJ has written as one page with all others behind it, as it does with large ones."""
    series = tiff.series[0] if tiff.is_imagej and len(tiff.pages) == 1 else None
    return series if series is not None and series.dataoffset and series.size > tiff.pages[0].size else None


def _as_meant(image: Image, page: Any) -> Image:
    """Return the pixels of a TIFF page as gray values that are 0 where it is black, or as red, green and blue."""
    from tifffile import COMPRESSION, PHOTOMETRIC

    kind = page.photometric
    if kind == PHOTOMETRIC.PALETTE and page.colormap is not None:
        return np.moveaxis(page.colormap[:, image], 0, -1)
    if kind == PHOTOMETRIC.MINISWHITE and image.dtype in (np.bool_, np.uint8, np.uint16):
        return ~image
    if kind == PHOTOMETRIC.SEPARATED and image.ndim == 3 and image.shape[2] == 4 and image.dtype == np.uint8:
        light = 255 - image.astype(np.uint16)
        return (light[:, :, :3] * light[:, :, 3:] // 255).astype(np.uint8)
    from_jpeg = page.compression in (COMPRESSION.JPEG, COMPRESSION.OJPEG)
    if image.ndim == 3 and kind not in (PHOTOMETRIC.RGB, PHOTOMETRIC.MINISBLACK) and not from_jpeg:
        raise FormatError(f"has colours of the kind {getattr(kind, 'name', kind)}, which is not known")
    return image


def check_size(width: int, height: int) -> None:
    """Raise ``FormatError`` if an image has more pixels than are read."""
    if width * height > LARGEST_IMAGE:
        raise FormatError(f"is an image of {width} x {height} pixels, more than the {LARGEST_IMAGE} that are read")


def as_render_image(image: Image) -> Image:
    """Return an image as one of the four kinds that Render knows, converted as ImageJ does.

    Bits become 0 and 255, signed 16 bit is shifted to unsigned, 32 bit and double become float32, 16-bit colour becomes
    8-bit colour, alpha is dropped.

    Raises
    ------
    FormatError
        The array has another number of axes or samples.
    """
    if image.ndim == 3 and image.shape[2] in (1, 2):
        image = image[:, :, 0]
    if image.ndim == 3 and image.shape[2] in (3, 4):
        if image.dtype == np.uint16:
            image = (image >> 8).astype(np.uint8)
        if image.dtype != np.uint8:
            raise FormatError(f"is a colour image of {image.dtype}, which is not known")
        return np.ascontiguousarray(image[:, :, :3])
    if image.ndim != 2:
        raise FormatError(f"is an image of shape {image.shape}, which is not known")
    if image.dtype == np.bool_:
        image = image.astype(np.uint8) * np.uint8(255)
    elif image.dtype == np.int16:
        image = image.view(np.uint16) ^ np.uint16(0x8000)
    elif image.dtype not in (np.uint8, np.uint16):
        image = image.astype(np.float32)
    return np.ascontiguousarray(image.astype(image.dtype.newbyteorder("="), copy=False))


class ImageHeader(NamedTuple):
    """What a file says of its image without being decoded.

    Attributes
    ----------
    width, height : int
        Size in pixels.
    dtype : numpy.dtype
        Type that the image has once it is read, see ``as_render_image``: uint8, uint16 or float32.
    """

    width: int
    height: int
    dtype: np.dtype[Any]


def header_of(file: BinaryIO) -> ImageHeader:
    """Return size and type of the image in an open file; only headers are read where that is possible.

    Raises
    ------
    FormatError
        The file is no image or ends within its header.
    """
    start = file.read(32)
    file.seek(0)
    try:
        if start.startswith(_PNG_MAGIC):
            width, height, bits, colour = struct.unpack(">IIBB", start[16:26])
            return ImageHeader(width, height, _known_type(np.uint16 if bits == 16 else np.uint8, bool(colour & 2)))
        if start.startswith(_JPEG_MAGIC):
            return ImageHeader(*_jpeg_size(file), np.dtype(np.uint8))
    except struct.error:
        raise FormatError("ends within its header") from None
    if is_tiff(start):
        return _tiff_header(file)
    image = decoded(file.read())
    return ImageHeader(image.shape[1], image.shape[0], image.dtype)


def _known_type(dtype: Any, in_colour: bool) -> np.dtype[Any]:
    """Return the type that ``as_render_image`` makes of an image."""
    if in_colour or dtype in (np.bool_, np.uint8):
        return np.dtype(np.uint8)
    return np.dtype(np.uint16) if dtype in (np.uint16, np.int16) else np.dtype(np.float32)


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    file.seek(2)
    while True:
        marker = file.read(1)
        while marker not in (b"\xff", b""):
            marker = file.read(1)
        while marker == b"\xff":
            marker = file.read(1)
        if not marker:
            raise FormatError("ends within its header")
        if marker[0] in _JPEG_FRAMES:
            _, _, height, width = struct.unpack(">HBHH", file.read(7))
            return width, height
        if marker[0] not in _JPEG_WITHOUT_LENGTH:
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(length - 2, io.SEEK_CUR)


_WIDTH, _LENGTH, _BITS, _PHOTOMETRIC, _SAMPLES, _SAMPLE_FORMAT = 256, 257, 258, 262, 277, 339
_TIFF_TYPES = {(1, 1): np.bool_, (8, 1): np.uint8, (16, 1): np.uint16, (16, 2): np.int16, (32, 3): np.float32}


def _tiff_header(file: BinaryIO) -> ImageHeader:
    # the general reader takes ten times as long, which counts when 100,000 tiles are imported
    tags = _first_tiff_tags(file)
    dtype = _TIFF_TYPES.get((tags.get(_BITS, 1), tags.get(_SAMPLE_FORMAT, 1)))
    if _WIDTH in tags and _LENGTH in tags and tags.get(_SAMPLES, 1) == 1 and dtype is not None:
        return ImageHeader(tags[_WIDTH], tags[_LENGTH], _known_type(dtype, tags.get(_PHOTOMETRIC) == 3))
    file.seek(0)
    return _general_tiff_header(file)


def _first_tiff_tags(file: BinaryIO) -> dict[int, int]:
    """Return those tags of the first page of a TIFF that are one whole number; none of a BigTIFF or a damaged file."""
    start = file.read(8)
    order = "<" if start.startswith(b"II") else ">"
    if len(start) < 8 or struct.unpack(order + "H", start[2:4]) != (42,):
        return {}
    file.seek(struct.unpack(order + "I", start[4:])[0])
    count = file.read(2)
    entries = file.read(12 * struct.unpack(order + "H", count)[0]) if len(count) == 2 else b""
    tags: dict[int, int] = {}
    if len(entries) % 12 == 0:
        for tag, kind, length, value in struct.iter_unpack(order + "HHI4s", entries):
            if length == 1 and kind in (3, 4):
                tags[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), value[: 2 if kind == 3 else 4])[0]
    return tags


def _general_tiff_header(file: BinaryIO) -> ImageHeader:
    import tifffile

    try:
        with tifffile.TiffFile(file) as tiff:
            page: Any = tiff.pages.first
            in_colour = page.samplesperpixel > 2 or page.photometric == tifffile.PHOTOMETRIC.PALETTE
            return ImageHeader(int(page.imagewidth), int(page.imagelength), _known_type(page.dtype, in_colour))
    except (ValueError, IndexError, struct.error, KeyError, TypeError) as error:
        raise FormatError(f"is a TIFF that cannot be read: {error}") from None


def png_bytes(image: Image, level: int = 1) -> bytes:
    """Return an image as PNG.

    Parameters
    ----------
    image : uint8 or uint16 array
        Gray, red-green-blue, or red-green-blue-alpha.
    level : int, default: 1
        Effort of compression, 0 to 9; the first is several times as quick as the last and little larger.

    Raises
    ------
    FormatError
        The image is of another type.
    """
    import cv2

    return _cv2_bytes(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, level])


def jpeg_bytes(image: Image, quality: float = 0.85) -> bytes:
    """Return a uint8 image, gray or red-green-blue, as JPEG with a ``quality`` of 0 to 1.

    Raises
    ------
    FormatError
        The image is of another type.
    """
    import cv2

    return _cv2_bytes(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, round(100 * min(max(quality, 0.0), 1.0))])


def _cv2_bytes(suffix: str, image: Image, options: list[int]) -> bytes:
    import cv2

    kinds = (np.uint8, np.uint16) if suffix == ".png" else (np.uint8,)
    if image.dtype not in kinds:
        # OpenCV would cut the values off
        raise FormatError(f"an image of {image.dtype} cannot be written as {suffix}; .tif can hold it")
    if image.ndim == 3:
        image = cv2.cvtColor(image, {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[image.shape[2]])
    done, content = cv2.imencode(suffix, image, options)
    if not done:
        raise FormatError(f"OpenCV cannot write an image of {image.dtype} and shape {image.shape} as {suffix}")
    return bytes(content)


def tiff_bytes(
    image: Image,
    compression: str | None = None,
    byte_order: Literal["<", ">"] = "<",
    pixel_size: tuple[float, float] | None = None,
    unit: str | None = None,
) -> bytes:
    """Return an image as a TIFF of one page.

    Parameters
    ----------
    image : array
        Gray of any number type, or red-green-blue.
    compression : str, optional
        ``deflate``, ``lzw`` or ``zstd``, each with the horizontal predictor; none if absent.
    byte_order : ``<`` or ``>``, default: ``<``
        ``<`` little endian, ``>`` big endian.
    pixel_size : (float, float), optional
        Width and height of a pixel.
    unit : str, optional
        What they are measured in, by ImageJ's name, such as ``nm``; ImageJ shows sizes in it.
    """
    import tifffile

    file = io.BytesIO()
    predictor = compression is not None
    photometric = "rgb" if image.ndim == 3 else "minisblack"
    scale: dict[str, Any] = {}
    if pixel_size is not None:
        # the tag knows inches and centimetres only; ImageJ reads other units from the description
        scale = {"resolution": (1 / pixel_size[0], 1 / pixel_size[1]), "resolutionunit": "NONE"}
        scale["description"] = f"ImageJ=1.53c\nunit={unit or 'pixel'}\n"
    tifffile.imwrite(
        file,
        image,
        byteorder=byte_order,
        photometric=photometric,
        compression=compression,
        predictor=predictor,
        metadata=None,
        **scale,
    )
    return file.getvalue()
