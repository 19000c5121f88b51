"""Connections to Render: over HTTP, or to an embedded store in this process."""

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

import marshmallow
import renderapi.render
import requests

from rendermodules.module.errors import ConnectionParametersError, RenderModuleError
from rendermodules.module.schemas import RenderClientParameters

RETRIES = 5

# what Render answers to a PUT or POST that asks and changes nothing
_QUERY_ROUTES = re.compile(r"(coordinates(/[^/]*)?|tileIdsForCoordinates|tile-specs-with-ids|-image)$")


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
        are tried again. Without ``client_scripts`` those of `rendermodules.render_ws.clients` are
        used, so that ``renderapi.client`` needs no Java.

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
    from rendermodules.render_ws.adapter import store_of_url
    from rendermodules.render_ws.clients import PYTHON_VARIABLE, SCRIPTS_FOLDER
    from rendermodules.render_ws.sessions import mounted

    session: requests.Session = _ReadOnlySession() if read_only else requests.Session()
    host = checked["host"]
    is_embedded = is_store_path(host) or store_of_url(host) is not None
    port = None if is_embedded else checked["port"]
    address = mounted(session, host if port is None else f"{host.rstrip('/')}:{port}", retries)
    # clients that render-python starts shall run in this Python
    os.environ.setdefault(PYTHON_VARIABLE, sys.executable)
    return renderapi.render.Render(
        host=address if port is None else address.removesuffix(f":{port}"),
        port=port,
        owner=checked["owner"],
        project=checked["project"],
        # programs that it starts would not know that they may only ask
        client_scripts=None if read_only else checked["client_scripts"] or str(SCRIPTS_FOLDER),
        session=session,
    )


def is_store_path(host: str) -> bool:
    """Return whether ``host`` names an embedded store: a path, or a file name that ends in ``.db``."""
    from rendermodules.render_ws.adapter import is_store_path

    return is_store_path(host)
