"""Files of SerialEM: metadata, and how the images are had that they speak of."""

from pathlib import Path

from rendermodules.core.acquisitions import AcquiredImage
from rendermodules.core.problems import InputError
from rendermodules.core.serialem import MetadataFile, parsed_metadata
from rendermodules.io.image_loaders import HEADER_BYTES, ImageError, opened
from rendermodules.io.mrc import MrcHeader, mrc_header

_TIFF_SUFFIXES = (".tif", ".tiff")


def read_serialem(path: str) -> MetadataFile:
    """Return what an ``.idoc`` or ``.mdoc`` file says.

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is no such file.
    """
    content = Path(path).read_bytes()
    if b"\0" in content:
        raise InputError(f"{path}: no .idoc or .mdoc file")
    # SerialEM writes the code page of its computer; only notes have more than ASCII
    return parsed_metadata(content.decode("utf-8", errors="replace"), path)


def choose_loaders(images: list[AcquiredImage]) -> None:
    """Give images that are several in one file their loader, and those of MRC files the range that the files say.

    ``url`` must be the image's place. A file that cannot be read is left for whoever reads its images.
    """
    headers: dict[str, MrcHeader | None] = {}
    for image in images:
        if image.slice_number is None:
            continue
        if image.url.lower().endswith(_TIFF_SUFFIXES):
            image.loader_type = "IMAGEJ_TIFF_STACK"
            continue
        image.loader_type = "MRC_SLICE"
        if image.url not in headers:
            headers[image.url] = _header(image.url)
        header = headers[image.url]
        if header is not None and header.shown_range is not None:
            image.min_intensity, image.max_intensity = header.shown_range


def _header(url: str) -> MrcHeader | None:
    try:
        with opened(url, None, HEADER_BYTES) as file:
            return mrc_header(file)
    except ImageError:
        return None
