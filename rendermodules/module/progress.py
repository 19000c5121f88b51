"""Progress of long work: a bar on a terminal, a line a minute elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def progress(total: int, unit: str, logger: logging.Logger, *, done: int = 0) -> Iterator[Callable[[], None]]:
    """Give a function to call after each finished item.

    Parameters
    ----------
    total : int
        Number of items, those of an earlier run included.
    unit : str
        What they are, plural: ``sections``, ``pairs``.
    logger : logging.Logger
        Where the lines go.
    done : int, default: 0
        Items that an earlier run has finished.
    """
    if sys.stderr.isatty() and logger.isEnabledFor(logging.INFO) and total > 1:
        with _bar(total, unit, done) as advance:
            yield advance
    else:
        yield _lines(total, unit, logger, done)


@contextmanager
def _bar(total: int, unit: str, done: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(unit, total=total, completed=done)
        yield lambda: bar.advance(task)


def _lines(total: int, unit: str, logger: logging.Logger, done: int) -> Callable[[], None]:
    start = last = time.monotonic()
    finished = 0

    def advance() -> None:
        nonlocal finished, last
        finished += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done + finished < total:
            last = now
            rate = finished / (now - start)
            left = (total - done - finished) / rate
            logger.info(
                "%d of %d %s, %.3g a second, about %s left", done + finished, total, unit, rate, _duration(left)
            )

    return advance


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
