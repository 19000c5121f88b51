"""What a module's parameters are, read off its schema: for templates, JSON Schema and documents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import marshmallow
from marshmallow import fields, validate


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    name : str
    kind : str
        ``text``, ``integer``, ``number``, ``boolean``, ``list``, ``object``, ``json`` (anything),
        ``path`` or, where something must be there to be read, ``file`` or ``folder``.
    description : str
    required : bool
        It has to be given, unless ``environment`` gives it.
    default : JSON value
        None without a default.
    nullable : bool
        Whether null may be given.
    choices : tuple or None
        The values allowed.
    minimum, maximum : float or None
        The limits of a number, themselves allowed.
    environment : str or None
        Environment variable that stands in for it.
    item : Parameter or None
        An element of a list.
    members : tuple of Parameter
        The parameters of an object.
    shorthand : str or None
        Which of the members a mere text in place of the object stands for.
    origin : str
        Name of the schema that declares it.
    """

    name: str
    kind: str
    description: str
    required: bool = False
    default: Any = None
    nullable: bool = False
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    environment: str | None = None
    item: "Parameter | None" = None
    members: "tuple[Parameter, ...]" = ()
    shorthand: str | None = None
    origin: str = ""


_KINDS: tuple[tuple[type, str], ...] = (
    (fields.Boolean, "boolean"),
    (fields.Integer, "integer"),
    (fields.Number, "number"),
    (fields.List, "list"),
    (fields.Nested, "object"),
    (fields.String, "text"),
)


def parameters_of(schema: type[marshmallow.Schema]) -> tuple[Parameter, ...]:
    """Return the parameters that a schema declares or inherits, in the order of declaration."""
    environment = getattr(schema, "environment", {})
    origins = dict(_origins(schema))
    return tuple(
        _parameter(name, field, environment.get(name), origins[name]) for name, field in schema().fields.items()
    )


_SHARED_LAST = ("RenderParameters", "PoolParameters", "ModuleParameters")


def for_reading(parameters: Iterable[Parameter], own: str) -> list[Parameter]:
    """Return parameters in the order in which a person wants them.

    Required ones first, then those of the schema called ``own``, then shared ones, those of the workers and of
    every module last.
    """

    def rank(one: Parameter) -> tuple[bool, int]:
        if one.origin == own:
            return not one.required, 0
        return not one.required, 1 + (one.origin in _SHARED_LAST and 1 + _SHARED_LAST.index(one.origin))

    return sorted(parameters, key=rank)


def _origins(schema: type[marshmallow.Schema]) -> Iterator[tuple[str, str]]:
    """Give each field's name with that of the schema that declares it; of a redefined field the last counts."""
    for base in reversed(schema.__mro__):
        above: list[Any] = [vars(one).get("_declared_fields", {}) for one in base.__mro__[1:]]
        for name, field in vars(base).get("_declared_fields", {}).items():
            if not any(declared.get(name) is field for declared in above):
                yield name, base.__name__


def _parameter(name: str, field: fields.Field, environment: str | None = None, origin: str = "") -> Parameter:
    limits = [one for one in field.validators if isinstance(one, validate.Range)]
    choices = [one for one in field.validators if isinstance(one, validate.OneOf)]
    return Parameter(
        name,
        _kind(field),
        # doubled for argparse
        field.metadata.get("description", "").replace("%%", "%"),
        required=field.required,
        default=_default(field),
        nullable=bool(field.allow_none),
        choices=tuple(choices[0].choices) if choices else None,
        minimum=limits[0].min if limits else None,
        maximum=limits[0].max if limits else None,
        environment=environment,
        item=_parameter("", field.inner) if isinstance(field, fields.List) else None,
        members=parameters_of(type(field.schema)) if isinstance(field, fields.Nested) else (),
        shorthand=getattr(field.schema, "shorthand", None) if isinstance(field, fields.Nested) else None,
        origin=origin,
    )


def _kind(field: fields.Field) -> str:
    if hasattr(field, "reads"):
        return field.reads or "path"
    return next((kind for type_, kind in _KINDS if isinstance(field, type_)), "json")


def _default(field: fields.Field) -> Any:
    given = [value for value in (field.dump_default, field.load_default) if value is not marshmallow.missing]
    return given[0] if given else None
