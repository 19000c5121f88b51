"""The WSGI application: routes to handlers, exceptions to status codes."""

import hmac
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import falcon
import orjson
from falcon.request import Request
from falcon.response import Response

from rendermodules.render_ws.answers import CREATED, TEXT, Answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import (
    NotAcceptable,
    NotAuthorized,
    ServiceError,
    TooLarge,
    UnsupportedMediaType,
)
from rendermodules.render_ws.routes import coordinates, matches, render_data, service_info, stack_metadata, tile_data
from rendermodules.render_ws.routing import PREFIX, Route
from rendermodules.render_ws.settings import Settings

logger = logging.getLogger(__name__)

_METHODS = "GET, POST, PUT, DELETE, OPTIONS, HEAD"

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Content-Type, Accept, Authorization, If-None-Match",
    "Access-Control-Expose-Headers": "ETag, Location",
}


def all_routes() -> list[Route]:
    """Return every route of the service that is answered."""
    tables = (stack_metadata, render_data, tile_data, coordinates, matches, service_info)
    return [route for table in tables for route in table.routes]


def application(settings: Settings) -> falcon.App[Request, Response]:
    """Return the service as a WSGI application."""
    app = falcon.App(media_type=TEXT, middleware=[_Door(settings)])
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    app.resp_options.default_media_type = TEXT
    app.set_error_serializer(_without_body)
    app.add_error_handler(ServiceError, _ErrorAnswer(settings))
    app.add_error_handler(Exception, _answer_unexpected)
    by_path: dict[str, list[Route]] = {}
    for route in all_routes():
        by_path.setdefault(route.path, []).append(route)
    for path, routes in by_path.items():
        app.add_route(PREFIX + path, _Resource(settings, routes))
    return app


class _Resource:
    """What falcon calls for one path: ``on_get`` and so on, for the methods that are answered."""

    def __init__(self, settings: Settings, routes: Iterable[Route]) -> None:
        for route in routes:
            setattr(self, f"on_{route.method.lower()}", _responder(settings, route))
            if route.method == "GET":
                self.on_head = self.on_get  # type: ignore[attr-defined]


def _responder(settings: Settings, route: Route) -> Callable[..., None]:
    def respond(request: Request, response: Response, **path: str) -> None:
        _require_accepted(request, route)
        body = _body(settings, request, route)
        query = {name: value if isinstance(value, list) else [value] for name, value in request.params.items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(settings, path, query, body, request.prefix + PREFIX, headers)
        answer = route.handler(call)
        if answer is CREATED:
            response.set_header("Location", request.uri)
        _send(response, answer, route)

    return respond


def _send(response: Response, answer: Answer, route: Route) -> None:
    response.status = answer.status
    if answer.content_type is not None:
        response.content_type = answer.content_type
        response.data = answer.body
    elif answer.status != 304:
        response.content_type = None  # type: ignore[assignment]
    for name, value in answer.headers.items():
        response.set_header(name, value)


def _body(settings: Settings, request: Request, route: Route) -> bytes:
    if route.consumes is None:
        return b""
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind != route.consumes.split(";")[0]:
        raise UnsupportedMediaType(f"the body must be {route.consumes}, but it is {kind or 'nothing'}")
    limit = settings.limits.body_bytes
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body has {request.content_length} bytes; the limit is {limit}")
    body: bytes = request.bounded_stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes, the limit")
    return body


def _require_accepted(request: Request, route: Route) -> None:
    accepted = request.accept
    if accepted != "*/*" and not request.client_accepts(route.produces.split(";")[0]):
        if route.method not in ("GET", "HEAD"):
            # render-python accepts text/plain when it puts JSON, and reads no body
            return
        raise NotAcceptable(f"this route answers {route.produces}, but the client accepts {accepted}")


class _Door:
    """Checks the token before, and writes the access log after, each request."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.token

    def process_request(self, request: Request, response: Response) -> None:
        request.context.began = time.perf_counter()
        if self._token is None or request.method == "OPTIONS":
            return
        given = (request.auth or "").removeprefix("Bearer ").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._token.encode()):
            raise NotAuthorized("this service asks for a token: send it as 'Authorization: Bearer ...'")

    def process_response(self, request: Request, response: Response, resource: Any, succeeded: bool) -> None:
        for name, value in CORS_HEADERS.items():
            response.set_header(name, value)


class _ErrorAnswer:
    """Turns the errors of the service into answers: status, and the message as plain text."""

    def __init__(self, settings: Settings) -> None:
        self._strict = settings.strict

    def __call__(self, request: Request, response: Response, error: ServiceError, params: dict[str, Any]) -> None:
        response.status = error.status_for(self._strict)
        response.content_type = TEXT
        response.data = str(error).encode("utf-8", "replace")
        if response.status_code >= 500:
            logger.error("%s %s: %s", request.method, request.relative_uri, error)


def _answer_unexpected(request: Request, response: Response, error: Exception, params: dict[str, Any]) -> None:
    if isinstance(error, falcon.HTTPError):
        raise error
    # the client must not see how the service is made; the log has the traceback
    logger.exception("%s %s failed", request.method, request.relative_uri)
    response.status = 500
    response.content_type = TEXT
    response.data = b"the service failed; its log says why"


def _without_body(request: Request, response: Response, error: falcon.HTTPError) -> None:
    response.content_type = TEXT
    response.text = error.title or ""


__all__ = ["all_routes", "application", "orjson"]
