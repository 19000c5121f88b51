"""The log of a program on its standard error: lines for people, or JSON lines for programs."""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Configure = Callable[[str, bool], None]
"""Sets the level, and whether the log is JSON lines."""

_logger = logging.getLogger(__name__)


class _JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what is known of the progress or an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if hasattr(record, "progress"):
            line["progress"] = record.progress
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _StandardErrorHandler(logging.StreamHandler):
    """Writes to what standard error is now, which a progress bar replaces while it is shown."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


@contextmanager
def logging_to_terminal(name: str) -> Iterator[Configure]:
    """Send the log of the package and of the program, and warnings, to standard error while a program runs.

    Parameters
    ----------
    name : str
        Name of the program's logger.

    Yields
    ------
    callable
        Sets level and form, which are known when the parameters are.
    """
    handler = _StandardErrorHandler()
    # a module outside the package logs under its own name
    names = ["rendermodules"] if name.startswith("rendermodules.") else ["rendermodules", name]
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in names}

    def configure(level: str, log_json: bool) -> None:
        for logger in levels:
            logger.setLevel(level)
        lines = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        handler.setFormatter(_JsonFormatter() if log_json else lines)

    for logger in levels:
        logger.addHandler(handler)
    configure("INFO", False)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _logger.warning("%s", message)
            yield configure
    finally:
        for logger, level in levels.items():
            logger.removeHandler(handler)
            logger.setLevel(level)
