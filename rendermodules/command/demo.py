"""``rendermodules demo``: the whole way, on tiles made up for it."""

import argparse

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", help="folder to work in (default: %(default)s)")
    parser.add_argument("--pool_size", type=int, default=2, help="number of workers (default: %(default)s)")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.demo import run_demo

    return int(run_demo(options.out, options.pool_size))


COMMAND = Subcommand("demo", "take synthetic tiles to an aligned volume and say how exact it is", _run, _add_arguments)
