"""``rendermodules demo``: the whole way, on tiles made up for it."""

import argparse

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", help="folder to work in (default: %(default)s)")
    parser.add_argument(
        "--host",
        default="render.db",
        help="address of a Render server, or path of a store (default: %(default)s in the folder)",
    )
    parser.add_argument("--pool_size", type=int, default=2, help="number of workers (default: %(default)s)")
    parser.add_argument("--sections", type=int, default=3, help="number of sections (default: %(default)s)")
    parser.add_argument(
        "--tiles", type=int, default=3, help="tiles along each side of a section (default: %(default)s)"
    )


def _run(options: argparse.Namespace) -> int:
    from rendermodules.demo import DemoOptions, run_demo

    size = DemoOptions(options.host, options.pool_size, options.sections, options.tiles)
    return int(run_demo(options.out, size))


COMMAND = Subcommand("demo", "take synthetic tiles to an aligned volume and say how exact it is", _run, _add_arguments)
