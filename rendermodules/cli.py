"""The ``rendermodules`` command: finds modules, runs them, serves a store, shows the whole in a demo.

Nothing heavy is imported before a sub-command needs it.
"""

import argparse
import sys
from collections.abc import Sequence

import rendermodules


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 (failed) or 2 (bad parameters)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options, rest = _parser().parse_known_args(arguments)
    if rest and not options.takes_rest:
        sys.stderr.write(f"error: {options.command} does not take {' '.join(rest)}\n")
        return 2
    from rendermodules.module.errors import RenderModuleError

    try:
        return int(options.action(options, rest))
    except RenderModuleError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rendermodules",
        description="Processing modules for electron microscopy and array tomography on the Render data model.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {rendermodules.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("list", help="the modules, by area")
    one.set_defaults(action=_list, takes_rest=False)

    one = commands.add_parser("help", help="what a module does and its parameters")
    one.add_argument("module", help="area.module, or the module's name alone")
    one.set_defaults(action=_help, takes_rest=False)

    one = commands.add_parser("run", help="run a module; its options follow its name", add_help=False)
    one.add_argument("module", help="area.module, or the module's name alone")
    one.set_defaults(action=_run, takes_rest=True)

    one = commands.add_parser("serve", help="serve an embedded store over HTTP", add_help=False)
    one.set_defaults(action=_serve, takes_rest=True)

    one = commands.add_parser("render", help="draw one file of render parameters", add_help=False)
    one.set_defaults(action=_render, takes_rest=True)

    one = commands.add_parser("demo", help="take synthetic tiles to an aligned volume and say how exact it is")
    one.add_argument("--out", default="demo", help="folder to work in (default: demo)")
    one.add_argument("--pool_size", type=int, default=2, help="number of workers (default: 2)")
    one.set_defaults(action=_demo, takes_rest=False)
    return parser


def _list(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.module.catalogue import modules

    area = None
    for entry in modules():
        if entry.area != area:
            area = entry.area
            sys.stdout.write(f"{area}\n")
        sys.stdout.write(f"  {entry.name:<40} {entry.summary}\n")
    return 0


def _help(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.module.catalogue import find_module

    return int(find_module(options.module).load().main(["--help"]))


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.module.catalogue import find_module

    return int(find_module(options.module).load().main(rest))


def _serve(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.render_ws.__main__ import main as serve

    return serve(rest)


def _render(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.render_ws.rendering.command import main as render

    return render(rest)


def _demo(options: argparse.Namespace, rest: list[str]) -> int:
    from rendermodules.demo import run_demo

    return run_demo(options.out, options.pool_size)


if __name__ == "__main__":
    raise SystemExit(main())
