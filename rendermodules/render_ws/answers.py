"""What handlers return: the body of an answer with its kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

JSON = "application/json"
TEXT = "text/plain;charset=utf-8"
HTML = "text/html;charset=utf-8"
BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Answer:
    """Status, body and headers of an answer.

    Attributes
    ----------
    body : bytes
    content_type : str or None
        None goes with an empty body.
    status : int
    headers : mapping of str to str
        Further headers.
    """

    body: bytes = b""
    content_type: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


OK = Answer()
"""200 without a body: done."""

NO_CONTENT = Answer(status=204)
"""204: there is nothing of the kind."""

CREATED = Answer(status=201)
"""201 without a body; the app adds the location."""


def json_answer(value: Any) -> Answer:
    """Return an answer with ``value`` as JSON.

    Parameters
    ----------
    value
        Plain values, numpy arrays, msgspec structs, and bytes that are JSON already, nested at will.
    """
    return Answer(orjson.dumps(value, default=_encoded, option=orjson.OPT_SERIALIZE_NUMPY), JSON)


def json_bytes(body: bytes) -> Answer:
    """Return an answer with a body that is JSON already."""
    return Answer(body, JSON)


def json_list(documents: list[bytes]) -> Answer:
    """Return an answer with a JSON list of JSON documents."""
    return Answer(b"[%b]" % b",".join(documents), JSON)


def text_answer(text: str) -> Answer:
    """Return an answer with plain text."""
    return Answer(text.encode("utf-8", "replace"), TEXT)


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return orjson.Fragment(value)
    if isinstance(value, msgspec.Struct):
        return orjson.Fragment(msgspec.json.encode(value))
    raise TypeError(f"{type(value).__name__} is no JSON")
