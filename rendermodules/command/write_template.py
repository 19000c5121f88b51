"""``rendermodules template``: a parameter file to fill in."""

import argparse
import json
import sys

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module", metavar="MODULE", help="area.module, or the module's name alone")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.module.catalogue import find_module
    from rendermodules.module.parameter_documents import template
    from rendermodules.module.parameters import for_reading, parameters_of

    entry = find_module(options.module)
    schema = entry.load().default_schema
    title = f"{entry.path}: {entry.summary} Keys that begin with // are comments; null means not given."
    filled = template(for_reading(parameters_of(schema), schema.__name__), title)
    json.dump(filled, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


COMMAND = Subcommand(
    "template", "a JSON file with every parameter of a module, its default and what it is", _run, _add_arguments
)
