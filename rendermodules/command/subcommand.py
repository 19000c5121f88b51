"""What a sub-command is."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Leave a parser as it is."""


@dataclass(frozen=True)
class Subcommand:
    """One sub-command of ``rendermodules``.

    Attributes
    ----------
    name : str
    help : str
        What it does, in a line.
    run : callable
        Takes the parsed options and returns the exit status: 0, 1 (failed) or 2 (bad parameters).
    add_arguments : callable
        Adds its arguments to a parser.
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments


@dataclass(frozen=True)
class Delegate:
    """A sub-command whose arguments are another program's affair.

    Attributes
    ----------
    name : str
    help : str
    usage : str
        What follows the name.
    run : callable
        Takes all arguments behind the name and returns the exit status.
    """

    name: str
    help: str
    usage: str
    run: Callable[[Sequence[str]], int]
