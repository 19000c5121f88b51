"""``rendermodules schema``: the parameters of a module as JSON Schema, for editors and other programs."""

import argparse
import json
import sys

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module", metavar="MODULE", help="area.module, or the module's name alone")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.module.catalogue import find_module
    from rendermodules.module.parameter_documents import json_schema
    from rendermodules.module.parameters import for_reading, parameters_of

    entry = find_module(options.module)
    schema = entry.load().default_schema
    document = json_schema(for_reading(parameters_of(schema), schema.__name__), entry.path, entry.summary)
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


COMMAND = Subcommand("schema", "the JSON Schema of a module's parameters", _run, _add_arguments)
