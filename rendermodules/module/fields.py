"""The fields of which parameters are made.

Each takes its description first and is one of three kinds: ``required=True``, with a
``default``, or neither, which makes it optional with the value None. So every declared
key is in ``self.args``.

They stand between us and argschema, whose own fields need a long spelling, take no
``true`` or ``1,2,3`` on the command line, and set up files and loggers while they validate.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import marshmallow
from marshmallow import fields, validate

from rendermodules.io.paths import UrlError, local_path

NO_DEFAULT: Any = object()


class _BooleanField(fields.Boolean):
    """Own class, so that argschema passes the word from the command line on as it is."""


class _IntegerField(fields.Integer):
    """A whole number; text as it comes from the command line is read, 5.7 is refused instead of cut."""

    def _validated(self, value: Any) -> int:
        number = super()._validated(value)
        if not isinstance(value, (int, str)) and number != value:
            raise marshmallow.ValidationError("Not a whole number.")
        return number


class _ListField(fields.List):
    """A list that also understands ``1,2,3`` and JSON, as they come from the command line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            text = value.strip()
            value = (
                _parsed_json(text)
                if text.startswith("[")
                else [part.strip() for part in text.split(",") if part.strip()]
            )
        return super()._deserialize(value, attr, data, **kwargs)


class _JsonField(fields.Field):
    """A JSON value, on the command line as text. Not a Dict field, which argschema refuses there."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return _parsed_json(value) if isinstance(value, str) else value


class _PathField(fields.String):
    """A local path, also given with ``~/`` or as a ``file:`` URL, tested by ``check`` without touching the disk.

    ``reads`` says what must be there: a ``file``, a ``folder``, or nothing (None).
    """

    def __init__(self, check: Callable[[Path], str | None], reads: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.check = check
        self.reads = reads

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            path = local_path(super()._deserialize(value, attr, data, **kwargs))
        except UrlError as error:
            raise marshmallow.ValidationError(str(error)) from None
        problem = self.check(path)
        if problem:
            raise marshmallow.ValidationError(f"{path} {problem}")
        return str(path)


class _LogLevelField(fields.String):
    """A level of the logging module in any case. Unlike argschema's it changes no logger."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        level = str(value).upper()
        if level not in logging.getLevelNamesMapping():
            raise marshmallow.ValidationError("not a log level; one of DEBUG, INFO, WARNING, ERROR")
        return level


def _parsed_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise marshmallow.ValidationError(f"not JSON: {error}") from None


def _options(description: str, default: Any, required: bool, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return marshmallow's keywords for one of the three kinds of parameter."""
    # argparse formats help texts with %
    options: dict[str, Any] = {"metadata": {"description": description.replace("%", "%%"), **(metadata or {})}}
    if required:
        options["required"] = True
    elif default is NO_DEFAULT:
        options.update(load_default=None, allow_none=True)
    elif default is None:
        options.update(dump_default=None, allow_none=True)
    else:
        options["dump_default"] = default
    return options


def _checks(choices: Sequence[Any] | None, minimum: float | None, maximum: float | None) -> dict[str, Any]:
    checks: list[Any] = []
    if choices is not None:
        checks.append(validate.OneOf(list(choices)))
    if minimum is not None or maximum is not None:
        checks.append(validate.Range(min=minimum, max=maximum))
    return {"validate": checks} if checks else {}


def Str(  # noqa: N802 - fields read as types
    description: str, *, default: Any = NO_DEFAULT, required: bool = False, choices: Sequence[str] | None = None
) -> fields.String:
    """Return a text parameter, one of ``choices`` where these are given."""
    return fields.String(**_options(description, default, required), **_checks(choices, None, None))


def Int(  # noqa: N802
    description: str,
    *,
    default: Any = NO_DEFAULT,
    required: bool = False,
    minimum: int | None = None,
    maximum: int | None = None,
) -> fields.Integer:
    """Return an integer parameter; a number with a fraction is refused, not truncated."""
    return _IntegerField(**_options(description, default, required), **_checks(None, minimum, maximum))


def Float(  # noqa: N802
    description: str,
    *,
    default: Any = NO_DEFAULT,
    required: bool = False,
    nullable: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
) -> fields.Float:
    """Return a number parameter; NaN and infinity are refused.

    With ``nullable`` null may be given instead of the default, such as for a limit that shall not limit.
    """
    options = _options(description, default, required)
    if nullable:
        options["allow_none"] = True
    return fields.Float(**options, **_checks(None, minimum, maximum))


def Bool(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.Boolean:  # noqa: N802
    """Return a yes or no parameter: true, false, yes, no, 1, 0 in any case."""
    return _BooleanField(**_options(description, default, required))


def List(  # noqa: N802
    item: Callable[..., fields.Field],
    description: str,
    *,
    default: Any = NO_DEFAULT,
    required: bool = False,
    **item_options: Any,
) -> fields.List:
    """Return a parameter that is a list of ``Str``, ``Int`` or ``Float`` (the factory itself is given)."""
    metadata = {"cli_as_single_argument": True}
    # required keeps null out of the list
    element = item("one element", required=True, **item_options)
    return _ListField(element, **_options(description, default, required, metadata))


def Nested(schema: type, description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.Nested:  # noqa: N802
    """Return a parameter that is an object with parameters of its own; ``default={}`` always fills it in."""
    return fields.Nested(schema, **_options(description, default, required))


def NestedList(schema: type, description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.List:  # noqa: N802
    """Return a parameter that is a list of objects with parameters of their own."""
    return _ListField(
        fields.Nested(schema), **_options(description, default, required, {"cli_as_single_argument": True})
    )


def Json(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.Field:  # noqa: N802
    """Return a parameter that is free JSON, such as a transform spec."""
    return _JsonField(**_options(description, default, required))


def InputFile(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.String:  # noqa: N802
    """Return the path of a file that can be read."""

    def check(path: Path) -> str | None:
        if not path.is_file():
            return "is no file"
        return None if os.access(path, os.R_OK) else "cannot be read"

    return _PathField(check, "file", **_options(description, default, required))


def InputDir(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.String:  # noqa: N802
    """Return the path of a folder that can be read."""

    def check(path: Path) -> str | None:
        if not path.is_dir():
            return "is no folder"
        return None if os.access(path, os.R_OK | os.X_OK) else "cannot be read"

    return _PathField(check, "folder", **_options(description, default, required))


def OutputFile(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.String:  # noqa: N802
    """Return the path of a file that can be written; nothing is made before there is something to write."""

    def check(path: Path) -> str | None:
        return "is a folder" if path.is_dir() else _obstacle(path.parent)

    return _PathField(check, **_options(description, default, required))


def OutputDir(description: str, *, default: Any = NO_DEFAULT, required: bool = False) -> fields.String:  # noqa: N802
    """Return the path of a folder to write in; it is made with the first file."""

    def check(path: Path) -> str | None:
        return "is a file" if path.is_file() else _obstacle(path)

    return _PathField(check, **_options(description, default, required))


def _obstacle(folder: Path) -> str | None:
    """Return why nothing can be written in ``folder``, looking at the nearest part of it that exists."""
    for place in (folder, *folder.parents):
        if place.exists():
            if not place.is_dir():
                return f"cannot be made: {place} is a file"
            return (
                None
                if os.access(place, os.W_OK | os.X_OK)
                else f"cannot be written: no right to write in {place.absolute()}"
            )
    return None


def LogLevel(description: str, *, default: str) -> fields.String:  # noqa: N802
    """Return a level of logging, in any case."""
    return _LogLevelField(**_options(description, default, False))
