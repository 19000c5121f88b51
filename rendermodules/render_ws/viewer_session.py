"""How a browser that gave the token of a service is known again: it cannot send headers with links and pictures."""

import hashlib
import hmac

from falcon.request import Request

VIEWER = "/viewer"
SIGN_IN = f"{VIEWER}/sign-in.html"

COOKIE = "render_session"

_OPEN_FILES = frozenset({SIGN_IN, f"{VIEWER}/sign-in.js", f"{VIEWER}/style.css", f"{VIEWER}/icon.svg"})


def cookie_header(token: str) -> str:
    """Return the ``Set-Cookie`` that makes a browser known.

    It does not hold the token, is out of reach for scripts, and browsers do not send it with what pages of other
    sites ask for.
    """
    return f"{COOKIE}={_session(token)}; Path=/; HttpOnly; SameSite=Strict"


def is_known(request: Request, token: str) -> bool:
    """Return whether a request comes from a browser that has given the token."""
    given = request.get_cookie_values(COOKIE) or []
    return any(
        hmac.compare_digest(value.encode("utf-8", "surrogateescape"), _session(token).encode()) for value in given
    )


def is_open(path: str) -> bool:
    """Return whether a path is of the page that asks for the token."""
    return path in _OPEN_FILES


def is_page(request: Request) -> bool:
    """Return whether a person sees the answer, and should be asked for the token instead of refused."""
    return request.path in ("/", VIEWER) or request.path.startswith(f"{VIEWER}/") and request.path.endswith(".html")


def _session(token: str) -> str:
    return hashlib.sha256(b"rendermodules viewer\0" + token.encode()).hexdigest()
