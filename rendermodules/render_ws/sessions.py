"""Sessions of `requests` that reach a Render service: over HTTP with patience, or a store within this process."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util.retry import Retry

from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter, embedded_url, is_store_path, store_of_url

CONNECT_SECONDS = 10
READ_SECONDS = 300
RETRIES = 5

TOKEN_VARIABLE = "RENDER_TOKEN_FILE"
"""Environment variable with the file whose token is sent to services over HTTP."""


_tokens: dict[str, str] = {}
"""Tokens of the services that were reached, by address."""


class PatientAdapter(HTTPAdapter):
    """HTTP with a time-out on every call and a few retries, each later than the last.

    Only failures of the way there (no connection, a gateway's 502, 503, 504) are tried
    again: Render's own 500 means that it refused, and a POST makes a new stack version.

    Parameters
    ----------
    retries : int
        How often a failed connection is tried again, each time after a longer wait.
    token : str, optional
        What requests are sent with that have no other authorization.
    """

    # what a pickled adapter keeps
    __attrs__ = [*HTTPAdapter.__attrs__, "token"]

    def __init__(self, retries: int, token: str | None = None) -> None:
        self.token = token
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
        """Send a request; see `requests.adapters.HTTPAdapter.send`."""
        if options.get("timeout") is None:
            options["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        if self.token is not None:
            request.headers.setdefault("Authorization", f"Bearer {self.token}")
        return super().send(request, **options)


def mounted(session: requests.Session, place: str, retries: int = RETRIES) -> str:
    """Let a session reach a service and return the service's address, without the prefix of its routes.

    Parameters
    ----------
    session : Session
        Gets the adapter that answers for the address.
    place : str
        ``http://...``, a host with or without a port, the path of a store, or the address that stands for one.
    retries : int, default: 5
        How often a failed connection is tried again, each time after a longer wait.

    Raises
    ------
    OSError
        RENDER_TOKEN_FILE names a file that cannot be read.
    """
    store = place if is_store_path(place) else store_of_url(place)
    if store is None:
        address = (place if "://" in place else f"http://{place}").rstrip("/")
        token = _token()
        if token is not None:
            _tokens[address] = token
            _let_every_session_through()
        # with the slash it is no beginning of the address of another service
        session.mount(f"{address}/", PatientAdapter(retries, token))
        return address
    # proxies and .netrc are for networks; looking for them costs as much as the call
    session.trust_env = False
    store = Path(store).expanduser().resolve()
    session.mount(EMBEDDED_URL, EmbeddedAdapter(store))
    _let_every_session_through()
    return embedded_url(store)


def _token() -> str | None:
    place = os.environ.get(TOKEN_VARIABLE)
    try:
        return Path(place).read_text("utf-8").strip() if place else None
    except OSError as error:
        raise OSError(f"{TOKEN_VARIABLE}: {error}") from error


@cache
def _let_every_session_through() -> None:
    """Make addresses of stores, and of services that ask for a token, work in sessions that others open.

    Functions of ``renderapi`` that finish a stack drop the session of the connection that they are given and open one
    of their own, so that only `requests` itself can tell where such an address leads. No other address is touched.
    """
    from rendermodules.render_ws.routing import PREFIX

    usual = requests.Session.get_adapter

    def get_adapter(session: requests.Session, url: str) -> BaseAdapter:
        address = url.partition(PREFIX)[0]
        store = store_of_url(address)
        if store is not None and EMBEDDED_URL not in session.adapters:
            return EmbeddedAdapter(store)
        adapter = usual(session, url)
        is_mounted = type(adapter) is not HTTPAdapter
        return adapter if is_mounted or address not in _tokens else PatientAdapter(RETRIES, _tokens[address])

    requests.Session.get_adapter = get_adapter  # type: ignore[assignment, method-assign]
