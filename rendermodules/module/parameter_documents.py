"""A module's parameters written down: a template to fill in, JSON Schema, tables in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

from rendermodules.module.parameters import Parameter
from rendermodules.module.schemas import COMMENT

_JSON_TYPES = {
    "text": "string",
    "path": "string",
    "file": "string",
    "folder": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "list": "array",
    "object": "object",
}


def template(parameters: Iterable[Parameter], title: str) -> dict[str, Any]:
    """Return an object with every parameter at its default, each after a comment that describes it.

    Parameters
    ----------
    parameters : iterable of Parameter
    title : str
        What the parameters are for; it becomes the first comment.

    Returns
    -------
    dict
        Valid as parameters once the required ones, which are null here, are filled in: keys that
        begin with ``//`` are comments.
    """
    return {COMMENT: title, **_filled(parameters)}


def json_schema(parameters: Iterable[Parameter], title: str, description: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of parameters in their present spelling."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        **_object_schema(parameters),
    }


def markdown_table(parameters: Sequence[Parameter]) -> list[str]:
    """Return the lines of a Markdown table of parameters; members of objects follow with dotted names."""
    lines = ["| parameter | type | default | what it is |", "|---|---|---|---|"]
    for name, one in _with_members(parameters, ""):
        default = "**required**" if one.required else "" if one.default in (None, {}) else f"`{_in_json(one.default)}`"
        lines.append(f"| `{name}` | {type_name(one)} | {default} | {_cell(described(one, required=False))} |")
    return lines


def described(parameter: Parameter, *, required: bool = True) -> str:
    """Return a parameter's description with its choices and limits, and whether it is required."""
    parts = [parameter.description]
    checked = parameter.item or parameter
    if checked.choices:
        parts.append(f"one of {', '.join(map(str, checked.choices))}")
    if checked.minimum is not None:
        parts.append(f"at least {checked.minimum:g}")
    if checked.maximum is not None:
        parts.append(f"at most {checked.maximum:g}")
    if required and parameter.required:
        parts.append("required")
    return "; ".join(parts)


def type_name(parameter: Parameter) -> str:
    """Return the kind of a parameter in a word or two."""
    return f"list of {parameter.item.kind}" if parameter.item else parameter.kind


def _filled(parameters: Iterable[Parameter]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for one in parameters:
        inner = one.item or one
        if inner.members and one.default is None and not one.required:
            # shown, but not given: an object that is there must be whole
            result[COMMENT + one.name] = {COMMENT: described(one), **_outlined(inner.members)}
            result[one.name] = None
        else:
            result[COMMENT + one.name] = described(one)
            result[one.name] = _start_value(one, inner)
    return result


def _start_value(one: Parameter, inner: Parameter) -> Any:
    if inner.members and one.item and one.required:
        return [_filled(inner.members)]
    if one.members:
        return _filled(one.members)
    return one.default


def _outlined(members: Iterable[Parameter]) -> dict[str, Any]:
    return {
        one.name: _outlined((one.item or one).members)
        if (one.item or one).members
        else f"{type_name(one)}: {described(one)}"
        for one in members
    }


def _object_schema(parameters: Iterable[Parameter]) -> dict[str, Any]:
    parameters = list(parameters)
    return {
        "type": "object",
        "properties": {one.name: _schema(one) for one in parameters},
        "required": [one.name for one in parameters if one.required and one.environment is None],
        "patternProperties": {f"^{COMMENT}": {}},
        "additionalProperties": False,
    }


def _schema(one: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if one.kind in _JSON_TYPES:
        schema["type"] = _JSON_TYPES[one.kind]
    if one.members:
        schema.update(_object_schema(one.members))
    if one.item:
        schema["items"] = _schema(one.item)
    limits = {"enum": one.choices and list(one.choices), "minimum": one.minimum, "maximum": one.maximum}
    schema.update({key: value for key, value in limits.items() if value is not None})
    if one.shorthand:
        # a text or an object: what is said of objects does not touch texts
        schema["type"] = ["object", "string"]
    if one.nullable and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    if one.description:
        schema["description"] = one.description
    if one.default is not None:
        schema["default"] = one.default
    return schema


def _with_members(parameters: Iterable[Parameter], path: str) -> Iterable[tuple[str, Parameter]]:
    for one in parameters:
        yield f"{path}{one.name}", one
        yield from _with_members((one.item or one).members, f"{path}{one.name}{'[]' if one.item else ''}.")


def _in_json(value: Any) -> str:
    import json

    return json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
