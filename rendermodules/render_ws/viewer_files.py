"""The files of the pages that a person opens: our own, and the Neuroglancer client where it is installed."""

import hashlib
import importlib.util
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from rendermodules.render_ws.errors import NotFound

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}

# the client of the Python package expects a Python program that steers it
_BEFORE_NEUROGLANCER = b'<head><script src="../../../before_neuroglancer.js"></script>'


class ViewerFile(NamedTuple):
    """A file with what a browser needs to know about it."""

    content: bytes
    content_type: str
    tag: str


@lru_cache(maxsize=64)
def page_file(name: str) -> ViewerFile:
    """Return a file of the pages.

    Raises
    ------
    NotFound
    """
    folder = files("rendermodules.render_ws.viewer")
    # only names that are there: nothing that a client writes becomes part of a path
    for file in folder.iterdir():
        if file.name == name and Path(name).suffix in CONTENT_TYPES:
            return _viewer_file(name, file.read_bytes())
    raise NotFound(f"there is no page {name!r}")


def neuroglancer_file(name: str) -> ViewerFile:
    """Return a file of the Neuroglancer client.

    Raises
    ------
    NotFound
        There is none, or the client is not installed.
    """
    folder = _neuroglancer_folder()
    if folder is None:
        raise NotFound("Neuroglancer is not installed here: pip install 'rendermodules[viewer]'")
    for file in folder.iterdir():
        if file.name == name and file.suffix in CONTENT_TYPES:
            content = file.read_bytes()
            return _viewer_file(
                name, content.replace(b"<head>", _BEFORE_NEUROGLANCER) if name == "index.html" else content
            )
    raise NotFound(f"Neuroglancer has no file {name!r}")


def _neuroglancer_folder() -> Path | None:
    # found without importing the package, which brings half a web server
    spec = importlib.util.find_spec("neuroglancer")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "static" / "client"
    return folder if folder.is_dir() else None


def _viewer_file(name: str, content: bytes) -> ViewerFile:
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return ViewerFile(content, CONTENT_TYPES[Path(name).suffix], tag)
