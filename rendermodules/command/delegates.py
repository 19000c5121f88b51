"""The sub-commands that hand their arguments on: to a module, to the service and its companions."""

import sys
from collections.abc import Sequence

from rendermodules.command.subcommand import Delegate


def _help(arguments: Sequence[str]) -> int:
    from rendermodules.cli import COMMANDS, main
    from rendermodules.module.catalogue import find_module, modules

    if len(arguments) != 1 or arguments[0].startswith("-"):
        return _usage("help MODULE", arguments)
    name = arguments[0]
    if name in {command.name for command in COMMANDS}:
        return main([name, "--help"])
    if name in {entry.area for entry in modules()}:
        return main(["list", name])
    return int(find_module(name).load().main(["--help"]))


def _run(arguments: Sequence[str]) -> int:
    from rendermodules.module.catalogue import find_module

    if not arguments or arguments[0].startswith("-"):
        return _usage("run MODULE [--input_json PARAMETERS.json] [--OPTION VALUE ...]", arguments)
    return int(find_module(arguments[0]).load().main(arguments[1:]))


def _serve(arguments: Sequence[str]) -> int:
    from rendermodules.render_ws.__main__ import main

    return main(arguments)


def _render(arguments: Sequence[str]) -> int:
    from rendermodules.render_ws.rendering.command import main

    return main(arguments)


def _store(arguments: Sequence[str]) -> int:
    from rendermodules.render_ws.store.maintenance import main

    return main(arguments)


def _client_scripts(arguments: Sequence[str]) -> int:
    if arguments:
        return _usage("client-scripts", arguments)
    from rendermodules.render_ws.clients import SCRIPTS_FOLDER

    sys.stdout.write(f"{SCRIPTS_FOLDER}\n")
    return 0


def _usage(form: str, arguments: Sequence[str]) -> int:
    asked = list(arguments) in (["-h"], ["--help"])
    out = sys.stdout if asked else sys.stderr
    out.write(f"usage: rendermodules {form}\nThe modules: rendermodules list\n")
    return 0 if asked else 2


HELP = Delegate("help", "what a module does, and its parameters", "MODULE", _help)
RUN = Delegate("run", "run a module", "MODULE [--input_json PARAMETERS.json] [--OPTION VALUE ...]", _run)
SERVE = Delegate("serve", "serve a store over HTTP, with pages to look at it", "--store STORE [...]", _serve)
RENDER = Delegate("render", "draw one file of render parameters", "[...]", _render)
STORE = Delegate("store", "check, compact, export or import a store", "{check,compact,export,import} ...", _store)
CLIENT_SCRIPTS = Delegate(
    "client-scripts", "the folder to give as client_scripts, where Java Render has its programs", "", _client_scripts
)
