"""The command line of a module: its options, help, messages that say what to do, exit statuses."""

import argparse
import copy
import difflib
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import marshmallow
import requests
from argschema.utils import args_to_dict, schema_argparser, smart_merge
from renderapi.errors import RenderError

from rendermodules.core.problems import InputError
from rendermodules.io.paths import UrlError, local_path
from rendermodules.module.errors import ConnectionParametersError, ItemError, RenderModuleError, explained
from rendermodules.module.terminal_log import logging_to_terminal

if TYPE_CHECKING:
    from rendermodules.module.parameters import Parameter

FAILED = 1
BAD_PARAMETERS = 2


def run_module(module_class: Any, argv: Sequence[str]) -> int:
    """Run a module as a program; return its exit status: 0, 1 (failed) or 2 (bad parameters)."""
    if "-h" in argv or "--help" in argv:
        parser_of(module_class).print_help()
        return 0
    parser = _options(module_class.default_schema())
    _, unknown = parser.parse_known_args(list(argv))
    if unknown:
        known = [option for action in parser._actions for option in action.option_strings]
        # what follows an unknown option is its value
        names = [name for name in unknown if name.startswith("-")] or unknown
        return _refused(f"unknown option {name}{_near(name.split('=')[0], known)}" for name in names)
    with logging_to_terminal(module_name(module_class)) as configure_log:
        try:
            module = module_class(args=list(argv))
        except marshmallow.ValidationError as error:
            return _refused(_validation_messages(error, module_class.default_schema()))
        configure_log(module.args["log_level"], module.args["log_json"])
        try:
            module.run()
        except ConnectionParametersError as error:
            return _refused([str(error)])
        except (RenderModuleError, InputError, RenderError, requests.RequestException, OSError) as error:
            if isinstance(error, ItemError) and error.details:
                module.logger.debug("%s", error.details)
            module.logger.error("%s", explained(error))
            module.logger.debug("where it happened", exc_info=True)
            return FAILED
    return 0


def given_parameters(
    schema: marshmallow.Schema, input_data: Mapping[str, Any] | None, argv: Sequence[str]
) -> dict[str, Any]:
    """Return parameters as they are given: those of a dict, or of the file ``--input_json``, and options above them.

    Parameters
    ----------
    schema : marshmallow.Schema
        The module's.
    input_data : dict, optional
        Parameters, which stay as they are; the file replaces them.
    argv : list of str
        A command line.

    Raises
    ------
    marshmallow.ValidationError
        The file cannot be read as a JSON object.
    """
    values = vars(_options(schema).parse_args(list(argv))).items()
    texts = {name: _as_one_text(value) if isinstance(value, list) else value for name, value in values}
    options = args_to_dict(argparse.Namespace(**texts), schema)
    file = options.get("input_json")
    given = _json_object(file) if file else copy.deepcopy(dict(input_data or {}))
    merged: dict[str, Any] = smart_merge(given, options)
    return merged


def _options(schema: marshmallow.Schema) -> argparse.ArgumentParser:
    """Return the parser of a schema's options; a list is one text (``1,2`` or JSON) or several arguments."""
    parser: argparse.ArgumentParser = schema_argparser(schema)
    # an option that is added later must not change what a command line of now means
    parser.allow_abbrev = False
    # -1e3 and -2,0.5 are values too; argparse only knows -1 and -1.5
    parser._negative_number_matcher = re.compile(r"-\.?\d")
    for action in parser._actions:
        if isinstance(_field(schema, action.dest), marshmallow.fields.List):
            action.nargs = "+"
    return parser


def _field(schema: Any, path: str) -> marshmallow.fields.Field | None:
    name, _, rest = path.partition(".")
    field = schema.fields.get(name)
    return _field(field.schema, rest) if rest else field


def _as_one_text(values: Sequence[str]) -> str:
    """Return the arguments of a list as the one text that its field understands."""
    if len(values) == 1 and not values[0].lstrip().startswith("{"):
        return values[0]
    elements = (text if text.lstrip().startswith("{") else json.dumps(text) for text in values)
    return f"[{','.join(elements)}]"


def _json_object(file: str) -> dict[str, Any]:
    try:
        document = json.loads(local_path(file).read_text(encoding="utf-8"))
    except UrlError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{file} cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"{file} is not a text file: {error}"
    except json.JSONDecodeError as error:
        problem = f"{file} is not JSON: {error}"
    else:
        if isinstance(document, dict):
            return document
        problem = f"{file} holds no JSON object"
    raise marshmallow.ValidationError({"input_json": [problem]})


def parser_of(module_class: Any) -> argparse.ArgumentParser:
    """Return the parser of a module's options, its description and an example of use in it."""
    from rendermodules.module.parameters import for_reading, parameters_of

    schema = module_class.default_schema
    parser = _options(schema())
    name = module_name(module_class)
    parser.prog = f"python -m {name}"
    parser.usage = "%(prog)s --input_json PARAMETERS.json [--OPTION VALUE ...]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = inspect.getdoc(sys.modules[module_class.__module__]) or inspect.getdoc(module_class)
    short = name.removeprefix("rendermodules.")
    parser.epilog = f"An example of the parameters: example_json/{short.replace('.', '/')}.json"
    parameters = for_reading(parameters_of(schema), schema.__name__)
    order = {one.name: place for place, one in enumerate(parameters)}
    for group in parser._action_groups:
        if group.title == schema.__name__:
            group.title, group.description = "parameters", None
            group._group_actions.sort(key=lambda action: order[action.dest])
    for one in parameters:
        if one.item and one.item.members:
            members = for_reading(one.item.members, "")
            parser.add_argument_group(f"each of {one.name}", "\n".join(map(_member_line, members)))
    return parser


def _member_line(member: "Parameter") -> str:
    """Return what a key of the objects of a list is for."""
    from rendermodules.module.parameter_documents import described, type_name

    default = "" if member.default in (None, "") else f" (default={member.default})"
    return f"{member.name}: {type_name(member)}; {described(member)}{default}"


def module_name(module_class: type) -> str:
    """Return the dotted name of a module's file, also when Python calls it ``__main__``."""
    if module_class.__module__ != "__main__":
        return module_class.__module__
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else "__main__"


def _validation_messages(error: marshmallow.ValidationError, schema: marshmallow.Schema) -> list[str]:
    """Return one line for each thing that is wrong with parameters, with the nearest known name for an unknown one."""
    return list(_messages(error.normalized_messages(), schema, ""))


def _messages(messages: Mapping[Any, Any], schema: Any, path: str) -> Iterator[str]:
    for key, value in messages.items():
        name = f"{path}{key}" if key != "_schema" else path.rstrip(".") or "parameters"
        if isinstance(value, Mapping):
            yield from _messages(value, _schema_below(schema, key), f"{name}.")
            continue
        for message in value if isinstance(value, list) else [value]:
            if message == "Unknown field.":
                near = _near(str(key), list(getattr(schema, "fields", {})), path)
                yield f"unknown parameter {name}{near}"
            elif message in ("Missing data for required field.", "Field may not be null.") and _is_required(
                schema, key
            ):
                yield f"the parameter {name} is missing: {_description(schema, key)}"
            else:
                yield f"{name}: {message}"


def _schema_below(schema: Any, key: Any) -> Any:
    """Return the schema of a part; the items of a list have that of the list."""
    if isinstance(key, int):
        return schema
    field = getattr(schema, "fields", {}).get(key)
    inner = getattr(field, "inner", field)
    return getattr(inner, "schema", None)


def _is_required(schema: Any, key: Any) -> bool:
    field = getattr(schema, "fields", {}).get(key)
    return bool(field and field.required)


def _description(schema: Any, key: Any) -> str:
    field = getattr(schema, "fields", {}).get(key)
    return field.metadata.get("description", "").replace("%%", "%") if field else ""


def _near(name: str, known: list[str], path: str = "") -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {path}{near[0]}?" if near else ""


def _refused(messages: Any) -> int:
    for message in messages:
        sys.stderr.write(f"error: {message}\n")
    return BAD_PARAMETERS
