"""Progress of long work: a bar on a terminal, a line a minute elsewhere, objects among the JSON lines of a log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

SECONDS_BETWEEN_LINES = 60.0
SECONDS_BETWEEN_JSON_LINES = 10.0


@contextmanager
def progress(
    total: int, unit: str, logger: logging.Logger, *, done: int = 0, log_json: bool = False
) -> Iterator[Callable[[], None]]:
    """Give a function to call after each finished item.

    Parameters
    ----------
    total : int
        Number of items, those of an earlier run included.
    unit : str
        What they are, plural: ``sections``, ``pairs``.
    logger : logging.Logger
        Where the lines go; each record has the numbers as its ``progress``.
    done : int, default: 0
        Items that an earlier run has finished.
    log_json : bool, default: False
        The log is for programs: no bar, a first and a last line, and one every 10 seconds.
    """
    if log_json:
        lines = _Lines(total, unit, logger, done, SECONDS_BETWEEN_JSON_LINES)
        lines.write()
        yield lines.advance
        if lines.finished:
            lines.write()
    elif sys.stderr.isatty() and logger.isEnabledFor(logging.INFO) and total > 1:
        with _bar(total, unit, done) as advance:
            yield advance
    else:
        yield _Lines(total, unit, logger, done, SECONDS_BETWEEN_LINES).advance


@contextmanager
def _bar(total: int, unit: str, done: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """Items in a second, or in a minute where they are slow."""

        def render(self, task: Task) -> "Text":
            speed = task.speed
            return Text("" if not speed else f"{speed:.3g}/s" if speed >= 1 else f"{speed * 60:.3g}/min")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(unit, total=total, completed=done)
        yield lambda: bar.advance(task)


class _Lines:
    """Progress as lines of a log."""

    def __init__(self, total: int, unit: str, logger: logging.Logger, done: int, seconds: float) -> None:
        self._total, self._unit, self._logger, self._done = total, unit, logger, done
        self._seconds = seconds
        self._start = self._last = time.monotonic()
        self.finished = 0

    def advance(self) -> None:
        """Note one more finished item; write a line when the last one is old enough."""
        self.finished += 1
        now = time.monotonic()
        if now - self._last >= self._seconds and self._done + self.finished < self._total:
            self._last = now
            self.write()

    def write(self) -> None:
        """Write a line."""
        done = self._done + self.finished
        numbers: dict[str, object] = {"unit": self._unit, "done": done, "total": self._total}
        text = f"{done} of {self._total} {self._unit}"
        if self.finished:
            rate = self.finished / max(time.monotonic() - self._start, 1e-9)
            left = (self._total - done) / rate
            numbers.update(per_second=rate, seconds_left=left)
            text += f", {rate:.3g} a second, about {_duration(left)} left"
        self._logger.info("%s", text, extra={"progress": numbers})


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
