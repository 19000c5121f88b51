"""The ``rendermodules`` command: finds modules, runs them, shows what is in a project and what to do next.

Nothing heavy is imported before a sub-command needs it.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import rendermodules
from rendermodules.command import (
    completion,
    delegates,
    demo,
    doctor,
    list_modules,
    next_step,
    old_name,
    report_project,
    status,
    write_schema,
    write_template,
)
from rendermodules.command.subcommand import Delegate, Subcommand

COMMANDS: tuple[Subcommand | Delegate, ...] = (
    list_modules.COMMAND,
    delegates.HELP,
    delegates.RUN,
    write_template.COMMAND,
    write_schema.COMMAND,
    old_name.COMMAND,
    status.COMMAND,
    next_step.COMMAND,
    report_project.COMMAND,
    doctor.COMMAND,
    demo.COMMAND,
    delegates.SERVE,
    delegates.STORE,
    delegates.RENDER,
    delegates.CLIENT_SCRIPTS,
    completion.COMMAND,
)

FAILED = 1
BAD_PARAMETERS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 (failed) or 2 (bad parameters)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    from rendermodules.core.problems import InputError
    from rendermodules.module.errors import ConnectionParametersError, RenderModuleError, short_reason

    try:
        return _run(arguments)
    except ConnectionParametersError as error:
        return _complained(str(error), BAD_PARAMETERS)
    except (RenderModuleError, InputError) as error:
        return _complained(str(error), FAILED)
    except BrokenPipeError:
        # the reader, such as head, has seen enough; Python's own flush at exit must not complain either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complained(short_reason(error), FAILED)


def _run(arguments: list[str]) -> int:
    for command in COMMANDS:
        if isinstance(command, Delegate) and arguments[:1] == [command.name]:
            return command.run(arguments[1:])
    parser = command_parser()
    if not arguments:
        parser.print_help(sys.stderr)
        return BAD_PARAMETERS
    options = parser.parse_args(arguments)
    status = int(options.run(options))
    sys.stdout.flush()
    return status


def _complained(message: str, status: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return status


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="rendermodules",
        description="Processing modules for electron microscopy and array tomography on the Render data model.",
        epilog="Each command has its own --help.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {rendermodules.__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = parsers.add_parser(command.name, help=command.help, description=command.help)
        if isinstance(command, Delegate):
            one.usage = f"rendermodules {command.name} {command.usage}"
        else:
            command.add_arguments(one)
            one.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
