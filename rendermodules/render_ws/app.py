"""The WSGI application: routes to handlers, exceptions to status codes."""

import hmac
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import falcon
import orjson
from falcon.request import Request
from falcon.response import Response
from falcon.routing import CompiledRouter

from rendermodules.render_ws import viewer_session
from rendermodules.render_ws.access_log import AccessLog
from rendermodules.render_ws.answers import CREATED, TEXT, Answer, json_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import (
    NotAcceptable,
    NotAnswered,
    NotAuthorized,
    ServiceError,
    TooLarge,
    UnsupportedMediaType,
)
from rendermodules.render_ws.foreign_pages import CORS_HEADERS, PREFLIGHT_HEADERS, require_own_name, require_own_page
from rendermodules.render_ws.java_routes import java_routes, place
from rendermodules.render_ws.routes import (
    coordinates,
    images,
    layout_file,
    match_trials,
    matches,
    render_data,
    section_data,
    service_info,
    stack_metadata,
    tile_clusters,
    tile_data,
    tile_sources,
    validation,
    viewer,
)
from rendermodules.render_ws.routing import PREFIX, Route
from rendermodules.render_ws.settings import Settings
from rendermodules.render_ws.store.database import Turns

logger = logging.getLogger(__name__)

HEALTH_PATH = "/health"
DOCUMENT_PATHS = ("/swagger.json", "/render-ws/swagger.json")

_UNQUOTED = "/~!$&'()*+,;=:@"


def all_routes() -> list[Route]:
    """Return every route of Java Render that is answered."""
    tables = (
        stack_metadata,
        section_data,
        render_data,
        layout_file,
        tile_data,
        images,
        tile_sources,
        coordinates,
        matches,
        match_trials,
        tile_clusters,
        validation,
        service_info,
    )
    return [route for table in tables for route in table.routes]


def application(settings: Settings, at_once: int | None = None) -> falcon.App[Request, Response]:
    """Return the service as a WSGI application.

    Parameters
    ----------
    settings : Settings
    at_once : int, optional
        Most requests that are worked on at a time; more threads than these only wait for bodies that come slowly. As
        many as there are threads, if absent.
    """
    door = _Door(settings, nullcontext() if at_once is None else Turns(at_once))
    app: falcon.App[Request, Response] = falcon.App(middleware=[door], router=_router(settings.strict))
    # an answer without a body has no content type
    app.resp_options.default_media_type = None  # type: ignore[assignment]
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(orjson.JSONEncodeError, _answer_nested_too_deeply)
    app.add_error_handler(ServiceError, _ErrorAnswer(settings))
    app.add_error_handler(falcon.HTTPError, _answer_falcon_error)
    return app


@lru_cache(maxsize=2)
def _router(strict: bool) -> CompiledRouter:
    """Return all paths, for the services of this process to share: to compile them takes as long as many requests."""
    router = CompiledRouter()
    for path, responders in _responders(strict).items():
        router.add_route(path, _Resource(responders))
    return router


Responder = Callable[..., None]


class _Resource:
    """What falcon calls for one path: ``on_get`` and so on, for the methods that are answered."""

    def __init__(self, responders: dict[str, Responder]) -> None:
        for method, responder in responders.items():
            setattr(self, f"on_{method.lower()}", responder)
        if "GET" in responders:
            self.on_head = responders["GET"]


def _responders(strict: bool) -> dict[str, dict[str, Responder]]:
    """Return the responders of each path by method."""
    by_path: dict[str, dict[str, Responder]] = {HEALTH_PATH: {"GET": _health}}
    by_path |= {path: {"GET": _describe} for path in DOCUMENT_PATHS}
    paths = {}
    for route in all_routes():
        if route.beyond_java and strict:
            continue
        paths[place(route.path)] = route.path
        by_path.setdefault(PREFIX + route.path, {})[route.method] = _responder(route)
    for route in viewer.routes:
        by_path.setdefault(route.path, {})[route.method] = _responder(route)
    for java_route in java_routes():
        path = paths.setdefault(place(java_route.path), java_route.path)
        responders = by_path.setdefault(PREFIX + path, {})
        responders.setdefault(java_route.method, _not_answered(f"{java_route.method} {java_route.path}"))
    return by_path


def _responder(route: Route) -> Responder:
    def respond(request: Request, response: Response, **path: str) -> None:
        settings = request.context.settings
        _require_accepted(request, route)
        body = _body(settings, request, route)
        query = {name: value if isinstance(value, list) else [value] for name, value in request.params.items()}
        call = Call(settings, path, query, body, request.prefix + PREFIX, lambda: _headers(request))
        with request.context.turns:
            answer = route.handler(call)
        if answer is CREATED:
            response.set_header("Location", _location(request))
        _send(response, answer)

    return respond


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _location(request: Request) -> str:
    # falcon takes the slash from the end of a path and decodes it; Java Render repeats it as it was
    slash = "/" if request.env["PATH_INFO"].endswith("/") else ""
    query = f"?{request.query_string}" if request.query_string else ""
    return f"{request.prefix}{quote(request.path, safe=_UNQUOTED)}{slash}{query}"


def _not_answered(name: str) -> Responder:
    def respond(request: Request, response: Response, **path: str) -> None:
        raise NotAnswered(f"{name} is a route of Java Render that this service does not answer")

    return respond


def _health(request: Request, response: Response) -> None:
    from rendermodules.render_ws.routes.service_info import health

    _send(response, health(request.context.settings))


def _describe(request: Request, response: Response) -> None:
    from rendermodules.render_ws.openapi import openapi_document

    _send(response, json_answer(openapi_document(all_routes())))


def _send(response: Response, answer: Answer) -> None:
    response.status = answer.status
    if answer.content_type is not None:
        response.content_type = answer.content_type
        response.data = answer.body
    for name, value in answer.headers.items():
        response.append_header(name, value)


def _body(settings: Settings, request: Request, route: Route) -> bytes:
    if route.consumes is None:
        return b""
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind != route.consumes.split(";")[0]:
        raise UnsupportedMediaType(f"the body must be {route.consumes}, but it is {kind or 'nothing'}")
    encoding = request.get_header("Content-Encoding", default="identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"the body must be sent as it is, but it is encoded: {encoding}")
    limit = settings.limits.body_bytes
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body has {request.content_length} bytes; the limit is {limit}")
    # a body in chunks says when it ends, not how long it is
    in_chunks = request.content_length is None and request.get_header("Transfer-Encoding") is not None
    body: bytes = (request.stream if in_chunks else request.bounded_stream).read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes, the limit")
    return body


def _require_accepted(request: Request, route: Route) -> None:
    accepted = request.accept
    if accepted == "*/*" or request.client_accepts(route.produces.split(";")[0]):
        return
    # render-python accepts text/plain when it puts JSON, and then reads no body
    if route.method in ("GET", "HEAD"):
        raise NotAcceptable(f"this route answers {route.produces}, but the client accepts {accepted}")


class _Door:
    """Lets requests in, or not, and gives them the settings; writes the access log after them."""

    def __init__(self, settings: Settings, turns: AbstractContextManager[Any]) -> None:
        self._settings = settings
        self._turns = turns
        self._token = settings.token
        self._log = AccessLog(settings.access_log)

    def process_request(self, request: Request, response: Response) -> None:
        request.context.began = time.perf_counter()
        request.context.settings = self._settings
        request.context.turns = self._turns
        if self._settings.host_names is not None:
            require_own_name(request, self._settings.host_names)
        require_own_page(request)
        if self._token is None or request.method == "OPTIONS" or request.path == HEALTH_PATH:
            return
        given = (request.auth or "").removeprefix("Bearer ").encode("utf-8", "surrogateescape")
        if hmac.compare_digest(given, self._token.encode()):
            return
        if not viewer_session.is_open(request.path) and not viewer_session.is_known(request, self._token):
            if viewer_session.is_page(request):
                raise falcon.HTTPFound(f"{viewer_session.SIGN_IN}?{urlencode({'next': request.relative_uri})}")
            raise NotAuthorized("this service asks for a token: send it as 'Authorization: Bearer ...'")

    def process_response(self, request: Request, response: Response, resource: Any, succeeded: bool) -> None:
        response.set_headers(CORS_HEADERS)
        if request.method == "OPTIONS":
            response.set_headers(PREFLIGHT_HEADERS)
        self._log.write(request, response, time.perf_counter() - request.context.began)


class _ErrorAnswer:
    """Turns the errors of the service into answers: status, and the message as plain text."""

    def __init__(self, settings: Settings) -> None:
        self._strict = settings.strict

    def __call__(self, request: Request, response: Response, error: ServiceError, params: dict[str, Any]) -> None:
        response.status = error.status_for(self._strict)
        response.content_type = TEXT
        response.data = str(error).encode("utf-8", "replace")
        if isinstance(error, NotAuthorized):
            response.set_header("WWW-Authenticate", "Bearer")
        if response.status_code >= 500:
            logger.error("%s %r: %s", request.method, request.relative_uri, error)


def _answer_falcon_error(request: Request, response: Response, error: falcon.HTTPError, params: dict[str, Any]) -> None:
    # an unknown path or method: without a body, as in Java Render
    response.status = error.status
    if error.headers is not None:
        response.set_headers(error.headers)


def _answer_nested_too_deeply(
    request: Request, response: Response, error: orjson.JSONEncodeError, params: dict[str, Any]
) -> None:
    # members that nobody knows may be nested further than can be written anew
    if "Recursion" not in str(error):
        _answer_unexpected(request, response, error, params)
        return
    response.status = 422
    response.content_type = TEXT
    response.data = b"the JSON is nested too deeply"


def _answer_unexpected(request: Request, response: Response, error: Exception, params: dict[str, Any]) -> None:
    # the client must not see how the service is made; the log has the traceback
    logger.exception("%s %r failed", request.method, request.relative_uri)
    response.status = 500
    response.content_type = TEXT
    response.data = b"the service failed; its log says why"
