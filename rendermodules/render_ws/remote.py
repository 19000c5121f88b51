"""A Render service as its clients see it: routes at an address, or on a store file."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
import requests

from rendermodules.render_ws.errors import InvalidRequest, ServiceError
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.sessions import RETRIES, TOKEN_VARIABLE, mounted

JSON = "application/json"
_LONGEST_REASON = 500


class RequestFailed(ServiceError):
    """A service that cannot be reached, or its refusal; the message says what was asked.

    Attributes
    ----------
    answered : int or None
        HTTP status of the answer.
    """

    def __init__(self, message: str, answered: int | None = None) -> None:
        super().__init__(message)
        self.answered = answered


class RemoteService:
    """The routes of a service.

    Parts of paths are given plain and are quoted here. Of queries, None is left out, lists are repeated, and truth
    values are written as Java does.

    Parameters
    ----------
    place : str
        ``http://...`` or a host, with or without the prefix of the routes, or the path of a store.
    retries : int, default: 5
        How often a failed connection is tried again.
    """

    def __init__(self, place: str, retries: int = RETRIES) -> None:
        self.session = requests.Session()
        self.base_data_url = mounted(self.session, place.rstrip("/").removesuffix(PREFIX), retries) + PREFIX

    def get(self, *parts: str, **query: Any) -> bytes:
        """Return the body of an answer to GET."""
        return bytes(self.answer("GET", parts, query).content)

    def get_json(self, *parts: str, **query: Any) -> Any:
        """Return the JSON of an answer to GET."""
        return orjson.loads(self.get(*parts, **query))

    def find_json(self, *parts: str, **query: Any) -> Any:
        """Return the JSON of an answer to GET; None where there is nothing of the kind."""
        answer = self.answer("GET", parts, query, allowed=(404,))
        return None if answer.status_code == 404 else orjson.loads(answer.content)

    def send(self, method: str, *parts: str, body: Any = None, **query: Any) -> Any:
        """Send JSON, or nothing, and return the JSON of the answer, if it has any."""
        content = None if body is None else orjson.dumps(body)
        answer = self.answer(method, parts, query, content)
        is_json = answer.content and answer.headers.get("Content-Type", "").startswith(JSON)
        return orjson.loads(answer.content) if is_json else None

    def answer(
        self,
        method: str,
        parts: tuple[str, ...],
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        allowed: tuple[int, ...] = (),
    ) -> requests.Response:
        """Return the answer to a request.

        Raises
        ------
        InvalidRequest
            A part cannot be one of a path.
        RequestFailed
            The service cannot be reached, or answers with an error that is not among ``allowed``.
        """
        if any("/" in part or not part for part in parts):
            raise InvalidRequest(f"no route can name {parts}: '/' separates the parts of a path, and none is empty")
        path = "/".join(quote(part, safe="") for part in parts)
        return self.answer_of_url(method, f"{self.base_data_url}/{path}", query, body, content_type, allowed)

    def answer_of_url(
        self,
        method: str,
        url: str,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        allowed: tuple[int, ...] = (),
    ) -> requests.Response:
        """Return the answer to a request, as `answer`, of a whole URL."""
        parameters = {name: _query_text(value) for name, value in (query or {}).items() if value is not None}
        headers = {"Content-Type": content_type} if body is not None else {}
        try:
            answer = self.session.request(method, url, params=parameters, data=body, headers=headers)
        except requests.RequestException as error:
            raise RequestFailed(f"{method} {_shown(url)}: {error}") from error
        if answer.status_code >= 300 and answer.status_code not in allowed:
            reason = answer.text[:_LONGEST_REASON].strip()
            if answer.status_code == 401:
                reason += f"; {TOKEN_VARIABLE} names the file with it"
            raise RequestFailed(f"{method} {_shown(url)}: {answer.status_code} {reason}", answer.status_code)
        return answer


def _query_text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_query_text(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else value


def _shown(url: str) -> str:
    """Return the part of a URL that says what was asked."""
    return url.partition(f"{PREFIX}/")[2] or url
