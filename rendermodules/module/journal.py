"""What a run has finished, so that a killed one can go on where it stopped."""

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

STATE_VARIABLE = "RENDERMODULES_STATE"
"""Environment variable with the folder of the journals; else ``~/.local/state/rendermodules``."""

_logger = logging.getLogger(__name__)


class Journal:
    """The finished items of one run, a line each, in a file that is gone when the run ends well.

    A context manager: leaving the block well removes the file, an exception keeps it for the
    next run.

    Parameters
    ----------
    key : dict
        Everything the result depends on: module, version, parameters, versions of what is read.
        Only a run with the same key goes on with the journal.
    resume : bool, default: True
        False forgets what an earlier run has done.
    dry_run : bool, default: False
        True leaves the file as it is for the run that follows.

    Attributes
    ----------
    results : dict of str to JSON value
        The finished items.
    """

    def __init__(self, key: Mapping[str, Any], *, resume: bool = True, dry_run: bool = False) -> None:
        digest = hashlib.sha256(orjson.dumps(key, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
        folder = Path(os.environ.get(STATE_VARIABLE) or Path.home() / ".local" / "state" / "rendermodules")
        self._path: Path | None = folder / f"{digest}.jsonl"
        self._file: BinaryIO | None = None
        self.results: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not resume and not dry_run:
                self._path.unlink(missing_ok=True)
            if resume and self._path.exists():
                self.results = _finished_items(self._path)
        except OSError as error:
            _logger.warning("this run could not be continued if it were killed: no journal in %s (%s)", folder, error)
            self._path = None
        if dry_run:
            self._path = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if kind is None and self._path is not None:
            self._path.unlink(missing_ok=True)

    def record(self, item: str, result: Any) -> None:
        """Note that an item is finished, and what came of it (plain JSON values)."""
        self.results[item] = result
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("ab")
        self._file.write(orjson.dumps({"item": item, "result": result}) + b"\n")
        self._file.flush()

    def forget(self, items: set[str]) -> None:
        """Take items for not done, because what they made is no longer there."""
        for item in items & self.results.keys():
            del self.results[item]


def _finished_items(path: Path) -> dict[str, Any]:
    """Return the entries of a journal; a line that a killed run has left unfinished is cut off."""
    whole, newline, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        path.write_bytes(whole + newline)
    entries = (orjson.loads(line) for line in whole.splitlines())
    return {entry["item"]: entry["result"] for entry in entries}
