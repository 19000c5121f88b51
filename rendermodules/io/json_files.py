"""JSON files: here or in an object store, plain or packed by gzip."""

import gzip
from typing import Any

import orjson

from rendermodules.core.problems import InputError
from rendermodules.io.paths import is_local, local_path, remote_place

_GZIP_MAGIC = b"\x1f\x8b"


def read_json(place: str) -> Any:
    """Return what a JSON file holds, unpacked if it is packed.

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
        return orjson.loads(gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content)
    except (orjson.JSONDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{place}: not JSON: {error}") from None
