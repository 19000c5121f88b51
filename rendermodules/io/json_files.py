"""JSON files: here or in an object store, plain or packed by gzip or zip."""

import gzip
import io
import zipfile
from typing import Any

import orjson

from rendermodules.core.problems import InputError
from rendermodules.io.paths import is_local, local_path, remote_place

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"


def read_json(place: str) -> Any:
    """Return what a JSON file holds, unpacked if it is packed; of a zip archive the first file.

    Parameters
    ----------
    place : str
        Path or URL.

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is not JSON.
    """
    if is_local(place):
        content = local_path(place).read_bytes()
    else:
        import fsspec

        files, name = fsspec.core.url_to_fs(remote_place(place))
        content = files.cat_file(name)
    try:
        return orjson.loads(_unpacked(content))
    except (orjson.JSONDecodeError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise InputError(f"{place}: not JSON: {error}") from None


def _unpacked(content: bytes) -> bytes:
    if content.startswith(_GZIP_MAGIC):
        return gzip.decompress(content)
    if content.startswith(_ZIP_MAGIC):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(archive.namelist()[0])
    return content
