"""The table of routes: which handler answers which method and path."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rendermodules.render_ws.answers import BINARY, JSON, TEXT, Answer
from rendermodules.render_ws.call import Call

PREFIX = "/render-ws/v1"

S = "/owner/{owner}/project/{project}/stack/{stack}"
"""Path of a stack."""

M = "/owner/{owner}/matchCollection/{matchCollection}"
"""Path of a match collection."""

B = "/z/{z}/box/{x},{y},{width},{height},{scale}"
"""Path of a box of a layer, below a stack: world pixels, and the scale of the image."""

Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One method and path.

    Attributes
    ----------
    method : str
    path : str
        Template below `PREFIX`; names in braces are one path segment or a part of it.
    handler : callable
        Takes the `Call`, returns the `Answer`.
    produces : str
        Content type of a success; a client that does not accept it gets 406.
    consumes : str or None
        Content type that the body must have; None takes no body.
    beyond_java : bool
        Whether Java Render lacks it; such routes do not exist in strict mode.
    """

    method: str
    path: str
    handler: Handler
    produces: str
    consumes: str | None
    beyond_java: bool = False


class Routes:
    """Collects the routes of one file, in their order there."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, produces: str = JSON, beyond_java: bool = False) -> Callable[[Handler], Handler]:
        """Register the decorated function for GET."""
        return self._registered("GET", path, produces, None, beyond_java)

    def put(
        self, path: str, produces: str = JSON, consumes: str | None = JSON, beyond_java: bool = False
    ) -> Callable[[Handler], Handler]:
        """Register the decorated function for PUT."""
        return self._registered("PUT", path, produces, consumes, beyond_java)

    def post(self, path: str, produces: str = JSON, consumes: str | None = JSON) -> Callable[[Handler], Handler]:
        """Register the decorated function for POST."""
        return self._registered("POST", path, produces, consumes, False)

    def delete(self, path: str, produces: str = JSON) -> Callable[[Handler], Handler]:
        """Register the decorated function for DELETE."""
        return self._registered("DELETE", path, produces, None, False)

    def _registered(
        self, method: str, path: str, produces: str, consumes: str | None, beyond_java: bool
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, handler, produces, consumes, beyond_java))
            return handler

        return register


__all__ = ["BINARY", "JSON", "PREFIX", "TEXT", "B", "Handler", "M", "Route", "Routes", "S"]
