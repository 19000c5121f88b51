"""JSON files: here or in an object store, plain or packed by gzip or zip."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import orjson

from rendermodules.core.problems import InputError
from rendermodules.io.files import write_bytes_whole
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
    except (orjson.JSONDecodeError, EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, IndexError) as error:
        raise InputError(f"{place}: not JSON: {error}") from None


def write_json(path: str | Path, document: Any) -> None:
    """Write a JSON file, whole or not at all; packed when its name ends in ``.gz`` or ``.zip``.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is unchanged.
    """
    write_bytes_whole(path, packed(orjson.dumps(document), Path(path).name))


def packed(content: bytes, name: str) -> bytes:
    """Return what a file of this name holds: ``content`` packed by gzip or zip, or as it is.

    The same content gives the same bytes, whenever it is written.
    """
    if name.endswith(".gz"):
        return gzip.compress(content, compresslevel=6, mtime=0)
    if name.endswith(".zip"):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            member = zipfile.ZipInfo(f"{name.removesuffix('.zip').removesuffix('.json')}.json")
            file.writestr(member, content, zipfile.ZIP_DEFLATED)
        return archive.getvalue()
    return content


def _unpacked(content: bytes) -> bytes:
    if content.startswith(_GZIP_MAGIC):
        return gzip.decompress(content)
    if content.startswith(_ZIP_MAGIC):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(archive.namelist()[0])
    return content
