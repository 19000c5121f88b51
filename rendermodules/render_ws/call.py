"""One request: its parameters as values, and the store that it is about."""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from rendermodules.io.expressions import BoundedExpression, ExpressionError
from rendermodules.io.paths import ReadPolicy, allowed_below
from rendermodules.render_ws.errors import InvalidRequest, UnparsableParameter
from rendermodules.render_ws.models import CollectionId, StackId
from rendermodules.render_ws.settings import Settings
from rendermodules.render_ws.store.database import Database, database_at
from rendermodules.render_ws.store.stacks import Stack, get_stack

_JAVA_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
_LONGEST_JAVA_COLLECTION = 111
_LONGEST_NAME = 200
_PATTERN_SECONDS = 10.0
# also those that end lines in other alphabets
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Call:
    """One request to the service.

    Parameters
    ----------
    settings : Settings
    path : mapping of str to str
        Values of the names in the route's template, decoded.
    query : mapping of str to list of str
        All values of each query parameter.
    body : bytes
    base_url : str
        Address of the service as the client wrote it, up to `PREFIX`.
    headers : callable
        Returns the headers of the request by their names in lower case; most handlers do not ask.
    """

    def __init__(
        self,
        settings: Settings,
        path: Mapping[str, str],
        query: Mapping[str, list[str]],
        body: bytes,
        base_url: str,
        headers: Callable[[], Mapping[str, str]],
    ) -> None:
        self.settings = settings
        self.path = path
        self.query = query
        self.body = body
        self.base_url = base_url
        self._headers = headers

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers of the request, by their names in lower case."""
        return self._headers()

    @property
    def strict(self) -> bool:
        """Whether to answer as Java Render to the letter."""
        return self.settings.strict

    @property
    def database(self) -> Database:
        """The connection of this thread to the store."""
        return database_at(self.settings.store)

    @property
    def read_policy(self) -> ReadPolicy | None:
        """Which images may be read; None does not restrict them."""
        roots = self.settings.image_roots
        return None if roots is None else allowed_below(roots)

    @property
    def stack_id(self) -> StackId:
        """Owner, project and stack of the path."""
        return self.valid_stack_id(self.path["owner"], self.path["project"], self.path["stack"])

    @property
    def collection_id(self) -> CollectionId:
        """Owner and match collection of the path."""
        return self.valid_collection_id(self.path["owner"], self.path["matchCollection"])

    @contextmanager
    def reading_stack(self) -> Iterator[tuple[Database, Stack]]:
        """Give the store and the stack of the path, within one snapshot.

        Raises
        ------
        NotFound
        """
        database = self.database
        with database.reading() as connection:
            yield database, get_stack(connection, self.stack_id)

    @contextmanager
    def writing_stack(self) -> Iterator[tuple[Database, Stack]]:
        """Give the store and the stack of the path, within one write transaction.

        Raises
        ------
        NotFound
        """
        database, stack_id = self.database, self.stack_id
        with database.writing() as connection:
            yield database, get_stack(connection, stack_id)

    def number(self, name: str) -> float:
        """Return a number of the path."""
        return self._number(name, self.path[name])

    def integer(self, name: str) -> int:
        """Return a whole number of the path."""
        return self._integer(name, self.path[name])

    def text(self, name: str) -> str | None:
        """Return the first value of a query parameter, None without one."""
        values = self.query.get(name)
        return values[0] if values else None

    def texts(self, name: str) -> list[str]:
        """Return all values of a query parameter."""
        return list(self.query.get(name, ()))

    def query_number(self, name: str) -> float | None:
        """Return a query parameter as a number, None without one."""
        value = self.text(name)
        return None if value is None else self._number(name, value)

    def query_numbers(self, name: str) -> list[float]:
        """Return all values of a query parameter as numbers."""
        return [self._number(name, value) for value in self.texts(name)]

    def query_integer(self, name: str) -> int | None:
        """Return a query parameter as a whole number, None without one."""
        value = self.text(name)
        return None if value is None else self._integer(name, value)

    def body_text(self) -> str:
        """Return the body as text.

        Raises
        ------
        InvalidRequest
            It is not UTF-8, or empty.
        """
        try:
            text = self.body.decode().strip()
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"the body is not UTF-8: {error}") from error
        if not text:
            raise InvalidRequest("the body is empty")
        return text

    def flag(self, name: str) -> bool | None:
        """Return whether a query parameter is "true" in any case, None without one."""
        value = self.text(name)
        return None if value is None else value.lower() == "true"

    def pattern(self, name: str) -> Callable[[str], bool] | None:
        """Return what tells whether a text matches the regular expression of a query parameter, None without one.

        Raises
        ------
        InvalidRequest
            It is wrong or could take for ever; also when asked about texts for longer than 10 seconds.
        """
        asked = self.text(name)
        if asked is None:
            return None
        try:
            expression = BoundedExpression(asked)
        except ExpressionError as error:
            raise InvalidRequest(f"{name} {asked[:_LONGEST_NAME]!r} {error}") from error
        end = time.monotonic() + _PATTERN_SECONDS

        def matches(text: str) -> bool:
            if time.monotonic() > end:
                raise InvalidRequest(f"{name} {asked!r} takes too long: repeat less, or ask for fewer layers")
            try:
                return expression.search(text) is not None
            except ExpressionError as error:
                raise InvalidRequest(f"{name} {asked!r} {error}") from error

        return matches

    def valid_stack_id(self, owner: Any, project: Any, stack: Any) -> StackId:
        """Return a stack id of checked names.

        Raises
        ------
        InvalidRequest
        """
        stack_id = StackId(self._name("owner", owner), self._name("project", project), self._name("stack", stack))
        collection = "__".join((*stack_id, "transform"))
        if self.strict and len(collection) >= _LONGEST_JAVA_COLLECTION:
            raise InvalidRequest(
                f"render collection name '{collection}' must be less than {_LONGEST_JAVA_COLLECTION} characters, "
                "therefore the length of one or more of the collection's components must be reduced"
            )
        return stack_id

    def valid_collection_id(self, owner: Any, name: Any) -> CollectionId:
        """Return a match collection id of checked names.

        Raises
        ------
        InvalidRequest
        """
        return CollectionId(self._name("owner", owner), self._name("name", name))

    def _name(self, what: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise InvalidRequest(f"{what} must be specified")
        if self.strict and not _JAVA_NAME.fullmatch(value):
            raise InvalidRequest(
                f"invalid {what} '{value}' specified, names may only contain alphanumeric or underscore '_' "
                "characters and may not contain consecutive underscores '_'"
            )
        if len(value) > _LONGEST_NAME or "/" in value or _CONTROL_CHARACTER.search(value):
            raise InvalidRequest(
                f"invalid {what} {value[:_LONGEST_NAME]!r}: names have at most {_LONGEST_NAME} characters, "
                "no '/' and no control characters"
            )
        return value

    def _number(self, name: str, value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        # Python reads 1_000, Java does not
        if not math.isfinite(number) or "_" in value:
            raise UnparsableParameter(f"{name} must be a number, but it is {value[:100]!r}")
        return number

    def _integer(self, name: str, value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", value):
            raise UnparsableParameter(f"{name} must be a whole number, but it is {value[:100]!r}")
        return int(value)
