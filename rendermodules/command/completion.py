"""``rendermodules completion``: a script that lets the shell complete commands, modules and their options."""

import argparse
import sys
from collections.abc import Iterable

from rendermodules.command.subcommand import Subcommand
from rendermodules.module.catalogue import ModuleEntry, modules

SHELLS = ("bash", "zsh", "fish")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        [
            "where the script goes:",
            "  bash  ~/.local/share/bash-completion/completions/rendermodules",
            "  zsh   a folder of $fpath, as _rendermodules",
            "  fish  ~/.config/fish/completions/rendermodules.fish",
        ]
    )


def _run(options: argparse.Namespace) -> int:
    import shtab

    sys.stdout.write(shtab.complete(completed_parser(), shell=options.shell))
    sys.stdout.write("\n")
    return 0


def completed_parser() -> argparse.ArgumentParser:
    """Return the parser of the command with the names of the modules in it, and their options behind ``run``."""
    from rendermodules.cli import COMMANDS

    entries = modules()
    parser = argparse.ArgumentParser(prog="rendermodules")
    parsers = parser.add_subparsers(dest="command")
    for command in COMMANDS:
        one = parsers.add_parser(command.name, help=command.help)
        if isinstance(command, Subcommand):
            command.add_arguments(one)
        if command.name == "run":
            below = one.add_subparsers(dest="module")
            for entry in entries:
                _add_options(below.add_parser(entry.path, help=entry.summary), entry)
        elif command.name == "help":
            one.add_argument("module")
        for action in one._actions:
            if action.dest == "module" and not isinstance(action, argparse._SubParsersAction):
                action.choices = [entry.path for entry in entries]
            elif action.dest == "area":
                action.choices = sorted({entry.area for entry in entries})
    return parser


def _add_options(parser: argparse.ArgumentParser, entry: ModuleEntry) -> None:
    import shtab

    from rendermodules.module.parameters import Parameter, for_reading, parameters_of

    def add(parameters: Iterable[Parameter], path: str) -> None:
        for one in parameters:
            if one.members and not one.item:
                add(one.members, f"{path}{one.name}.")
                continue
            option = parser.add_argument(
                f"--{path}{one.name}", help=one.description.replace("%", "%%"), choices=one.choices
            )
            if one.kind in ("file", "path", "json"):
                option.complete = shtab.FILE  # type: ignore[attr-defined]
            elif one.kind == "folder":
                option.complete = shtab.DIRECTORY  # type: ignore[attr-defined]

    schema = entry.load().default_schema
    add(for_reading(parameters_of(schema), schema.__name__), "")


COMMAND = Subcommand("completion", "a script that lets the shell complete commands and modules", _run, _add_arguments)
