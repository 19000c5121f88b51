"""The service without a socket: an adapter that answers `requests` within this process."""

import io
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from rendermodules.render_ws.settings import Limits, Settings

EMBEDDED_URL = "http://embedded.store"
"""Address that stands for a store within this process; mount an `EmbeddedAdapter` there."""


def embedded_url(store: str | os.PathLike[str]) -> str:
    """Return the address of a service on a store file, ``http://embedded.store/path/of/the/store.db``.

    The path within it leads other processes to the same store, see `store_of_url`.
    """
    return EMBEDDED_URL + quote(str(Path(store).expanduser().resolve()), safe="/")


def store_of_url(url: str) -> Path | None:
    """Return the store file that an address made by `embedded_url` names; None of other addresses."""
    path = unquote(urlsplit(url).path) if url.startswith(f"{EMBEDDED_URL}/") else ""
    return Path(path) if path.strip("/") else None


def is_store_path(place: str) -> bool:
    """Return whether a place is the path of a store, or a file name that ends in ``.db``, and no address or host."""
    if "://" in place:
        return False
    return "/" in place or place.startswith(("~", ".")) or place.endswith(".db")


class EmbeddedAdapter(BaseAdapter):
    """Answers HTTP requests from a store file, in this process and without a socket.

    Mount it on a session::

        session = requests.Session()
        session.mount(EMBEDDED_URL, EmbeddedAdapter("project.db"))

    Routes are then at ``EMBEDDED_URL`` and at ``embedded_url("project.db")``.

    Instances hold no connection and can be pickled and used after a fork; connections to the
    store belong to one thread of one process each.

    Parameters
    ----------
    store : path
        The store file; made when it does not exist.
    strict : bool, default: False
        Answer to the letter as Java Render does; see ROUTES.md.
    image_roots : sequence of path, optional
        Folders below which images may be read; by default anywhere, as in any program of the user.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        strict: bool = False,
        image_roots: tuple[str | os.PathLike[str], ...] | None = None,
    ) -> None:
        super().__init__()
        roots = None if image_roots is None else tuple(str(root) for root in image_roots)
        # as large as the user's own programs read them
        limits = Limits(decoded_pixels=1 << 30)
        self.settings = Settings(Path(store).absolute(), strict, roots, limits=limits)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer of the service; everything but ``request`` is ignored."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [status, headers]

        environment = _environment(request, _mount(self.settings.store))
        body = _application(self.settings)(environment, start_response)
        response = requests.Response()
        code, _, response.reason = started[0].partition(" ")
        response.status_code = int(code)
        response.headers = CaseInsensitiveDict(started[1])
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url = request.url or ""
        response.request = request
        response.raw = io.BytesIO(b"".join(body))
        response.connection = self  # type: ignore[assignment]
        if not stream:
            # sets what .content returns
            _ = response.content
        return response

    def close(self) -> None:
        """Do nothing: connections belong to threads, not to adapters; see `database.close_databases`."""


@lru_cache(maxsize=8)
def _application(settings: Settings) -> Any:
    from rendermodules.render_ws.app import application

    return application(settings)


@lru_cache(maxsize=8)
def _mount(store: Path) -> str:
    """Return the path of the service's own address, percent-encoded."""
    return urlsplit(embedded_url(store)).path


def _environment(request: requests.PreparedRequest, mount: str) -> dict[str, Any]:
    url = urlsplit(request.url or "")
    content = _content(request.body)
    # WSGI wants the decoded bytes of the path as latin-1
    path, mounted_at = (unquote_to_bytes(part).decode("latin-1") for part in (url.path, mount))
    within = path.startswith(f"{mounted_at}/")
    environment = {
        "REQUEST_METHOD": request.method,
        # falcon puts this in front of addresses as it is
        "SCRIPT_NAME": mount if within else "",
        "PATH_INFO": path.removeprefix(mounted_at) if within else path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "",
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in (request.headers or {}).items():
        text = value if isinstance(value, str) else value.decode("latin-1")
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environment[key] = text
        elif key != "CONTENT_LENGTH":
            environment[f"HTTP_{key}"] = text
    return environment


def _content(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)
