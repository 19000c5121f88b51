"""``rendermodules old-name``: what has become of a module of render-python-apps or asap-modules."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="old module, with its package where several are called so")
    parser.add_argument("--input_json", type=Path, help="parameters of the old module; they are written out translated")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.legacy_names import find_legacy_name, translated
    from rendermodules.module.errors import RenderModuleError

    try:
        old, legacy = find_legacy_name(options.name)
        if options.input_json is not None:
            module, parameters = translated(old, _parameters(options.input_json))
            return _write(module, parameters, legacy.needs)
    except LookupError as error:
        raise RenderModuleError(str(error)) from None
    sys.stdout.writelines(f"{line}\n" for line in description(old, legacy))
    return 0


def description(old: str, legacy: Any) -> list[str]:
    """Return in lines what has become of an old module."""
    if legacy.module is None:
        return [f"{old} was dropped: {legacy.note}"]
    lines = [f"{old} is now {legacy.module}"]
    if legacy.presets:
        lines.append(f"  with {json.dumps(legacy.presets)}")
    lines += [f"  {before} is now {after}" for before, after in legacy.renames.items()]
    if legacy.in_place:
        lines.append("  it wrote onto its input; give the input's name as output_stack to do so")
    if legacy.needs:
        lines.append(f"  new and needed: {', '.join(legacy.needs)}")
    if legacy.note:
        lines.append(f"  {legacy.note}")
    lines.append(f"translate a parameter file: rendermodules old-name {old} --input_json OLD.json > NEW.json")
    return lines


def _parameters(file: Path) -> dict[str, Any]:
    from rendermodules.module.errors import RenderModuleError

    try:
        parameters = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RenderModuleError(f"{file} is not JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise RenderModuleError(f"{file} does not hold an object of parameters")
    return parameters


def _write(module: str, parameters: Mapping[str, Any], needs: tuple[str, ...]) -> int:
    """Write parameters in their present spelling; tell on standard error what has to be looked at."""
    from rendermodules.module.catalogue import find_module

    schema = find_module(module).load().default_schema
    aliases = schema.all_aliases()
    known = schema().fields
    written: dict[str, Any] = {}
    for key, value in parameters.items():
        name = key if key in known else aliases.get(key, key)
        if name is not None:
            written.setdefault(name, value)
    json.dump(written, sys.stdout, indent=2)
    sys.stdout.write("\n")
    remarks = [
        f"{key} is not known to {module}; look at rendermodules help {module}" for key in written if key not in known
    ]
    remarks += [f"{name} is new and has to be given" for name in needs if name not in written]
    sys.stderr.writelines(f"note: {remark}\n" for remark in remarks)
    sys.stderr.write(f"run it: rendermodules run {module} --input_json NEW.json\n")
    return 0


COMMAND = Subcommand("old-name", "what became of a module of render-python-apps or asap-modules", _run, _add_arguments)
