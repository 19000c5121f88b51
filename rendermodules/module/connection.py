"""Connections to Render: over HTTP, or to an embedded store in this process."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import marshmallow
import renderapi.render
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from rendermodules.module.errors import ConnectionParametersError, RenderModuleError
from rendermodules.module.schemas import RenderClientParameters

CONNECT_SECONDS = 10
READ_SECONDS = 300
RETRIES = 5

# what Render answers to a PUT or POST that asks and changes nothing
_QUERY_ROUTES = re.compile(r"(coordinates(/[^/]*)?|tileIdsForCoordinates|tile-specs-with-ids|-image)$")


class _PatientAdapter(HTTPAdapter):
    """HTTP with a time-out on every call and a few retries, each later than the last.

    Only failures of the way there (no connection, a gateway's 502, 503, 504) are tried
    again: Render's own 500 means that it refused, and a POST makes a new stack version.
    """

    def __init__(self, retries: int) -> None:
        retry = Retry(
            total=retries,
            connect=retries,
            read=min(retries, 2),
            backoff_factor=0.5,
            status_forcelist=(502, 503, 504),
            allowed_methods=("GET", "HEAD", "PUT", "DELETE", "OPTIONS"),
            raise_on_status=False,
        )
        super().__init__(max_retries=retry, pool_maxsize=16)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        if options.get("timeout") is None:
            options["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        return super().send(request, **options)


class _ReadOnlySession(requests.Session):
    """A session of a dry run: it asks and never changes anything."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path = (request.url or "").split("?")[0]
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _QUERY_ROUTES.search(path):
            raise RenderModuleError(f"dry run: not sent: {request.method} {path}")
        return super().send(request, **options)


def connect(
    parameters: Mapping[str, Any], *, read_only: bool = False, retries: int = RETRIES
) -> renderapi.render.Render:
    """Return a connection to Render for render-python's functions.

    Parameters
    ----------
    parameters : dict
        ``host`` (``http://server``, a name, a name with a port, or the path of an embedded
        store), ``port``, ``owner``, ``project``, ``client_scripts``. What is absent is taken from
        RENDER_HOST, RENDER_PORT, RENDER_OWNER, RENDER_PROJECT, RENDER_CLIENT_SCRIPTS. Nothing is
        ever asked on the terminal.
    read_only : bool, default: False
        Refuse every request that would change something.
    retries : int, default: 5
        How often a failed connection is tried again, each time after a longer wait; few where a person waits.

    Returns
    -------
    renderapi.render.Render
        To be passed as ``render=`` to the functions of ``renderapi``. Every call has a
        time-out (10 s to connect, 300 s between two pieces of an answer); failed connections
        are tried again.

    Raises
    ------
    ConnectionParametersError
        Something is missing or misspelt.
    """
    try:
        checked = RenderClientParameters().load(dict(parameters))
    except marshmallow.ValidationError as error:
        problems = "; ".join(
            f"{key}: {' '.join(map(str, messages))}" for key, messages in error.normalized_messages().items()
        )
        raise ConnectionParametersError(f"render: {problems}") from None
    session: requests.Session = _ReadOnlySession() if read_only else requests.Session()
    port = checked["port"]
    if is_store_path(checked["host"]):
        from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter

        # proxies and .netrc are for networks; looking for them costs as much as the call
        session.trust_env = False
        session.mount(EMBEDDED_URL, EmbeddedAdapter(Path(checked["host"]).expanduser()))
        host, port = EMBEDDED_URL, None
    else:
        host = checked["host"].rstrip("/")
        host = host if "://" in host else f"http://{host}"
        session.mount(host, _PatientAdapter(retries))
    return renderapi.render.Render(
        host=host,
        port=port,
        owner=checked["owner"],
        project=checked["project"],
        client_scripts=checked["client_scripts"],
        session=session,
    )


def is_store_path(host: str) -> bool:
    """Return whether ``host`` names an embedded store: a path, or a file name that ends in ``.db``."""
    if "://" in host:
        return False
    return "/" in host or host.startswith(("~", ".")) or host.endswith(".db")
