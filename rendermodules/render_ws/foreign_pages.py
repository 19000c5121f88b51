"""What pages of other sites may do in a browser that reaches this service: look at data, and nothing else.

A browser sends on any page's behalf what that page could not send itself: to a service on this machine, or past a
firewall. What a service must refuse can be told by headers that pages cannot forge.
"""

import ipaddress
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from falcon.request import Request

from rendermodules.render_ws.errors import Forbidden, Misdirected

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CORS_HEADERS = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "ETag, Location"))
"""Headers of every answer: viewers of other sites may read it."""

PREFLIGHT_HEADERS = (
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type, Accept, Authorization, If-None-Match"),
)
"""Headers of an answer to OPTIONS, by which browsers ask what a page may send."""


def require_own_page(request: Request) -> None:
    """Raise `Forbidden` when a page of another site wants something changed.

    Browsers ask before they send PUT and DELETE for a page, but not before some kinds of POST. Programs that are no
    browsers send neither of the headers looked at, and pass.
    """
    if request.method in READING_METHODS:
        return
    site = request.get_header("Sec-Fetch-Site")
    if site is None:
        origin = request.get_header("Origin")
        is_own = origin is None or urlsplit(origin).netloc == request.get_header("Host")
    else:
        is_own = site in ("same-origin", "none")
    if not is_own:
        raise Forbidden("pages of other sites may look at the data of this service, but not change it")


def require_own_name(request: Request, names: Collection[str]) -> None:
    """Raise `Misdirected` when a request was sent to a name that is not known to be this service's.

    The owner of a name may let it lead to 127.0.0.1, and his pages then count as pages of this service (DNS rebinding).
    Nobody else's pages are of the same origin as a bare address.

    Parameters
    ----------
    names : collection of str
        Names in small letters, beside localhost.
    """
    host = request.host.lower()
    # a browser always says to whom it speaks
    if host and host not in names and not _is_address_or_localhost(host):
        raise Misdirected(
            f"this service does not go by the name {host!r}: use the address of the machine, or start the service with "
            "--host-name"
        )


@lru_cache(maxsize=64)
def _is_address_or_localhost(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
