"""What a run has finished, so that a killed one can go on where it stopped."""

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

STATE_VARIABLE = "RENDERMODULES_STATE"
"""Environment variable with the folder of the journals; else ``~/.local/state/rendermodules``."""

_logger = logging.getLogger(__name__)


class Journal:
    """The finished items of one run, a line each, in a file that is gone when the run ends well.

    Parameters
    ----------
    key : dict
        Everything the result depends on: module, version, parameters, versions of what is read.
        Only a run with the same key goes on with the journal.
    resume : bool
        False forgets what an earlier run has done.
    """

    def __init__(self, key: Mapping[str, Any], *, resume: bool = True) -> None:
        digest = hashlib.sha256(orjson.dumps(key, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
        folder = Path(os.environ.get(STATE_VARIABLE) or Path.home() / ".local" / "state" / "rendermodules")
        self._path = folder / f"{digest}.jsonl"
        self.results: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not resume:
                self._path.unlink(missing_ok=True)
            if self._path.exists():
                self.results = self._read()
            self._file: BinaryIO | None = self._path.open("ab")
        except OSError as error:
            _logger.warning("a killed run could not be continued: no journal can be kept in %s (%s)", folder, error)
            self._file = None

    def _read(self) -> dict[str, Any]:
        content = self._path.read_bytes()
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            # a run killed in the middle of a line
            self._path.write_bytes(whole + b"\n" if whole else b"")
        entries = (orjson.loads(line) for line in whole.splitlines() if line)
        return {entry["item"]: entry["result"] for entry in entries}

    def record(self, item: str, result: Any) -> None:
        """Note that an item is finished, and what came of it (plain JSON values)."""
        self.results[item] = result
        if self._file is not None:
            self._file.write(orjson.dumps({"item": item, "result": result}) + b"\n")
            self._file.flush()

    def forget(self, items: set[str]) -> None:
        """Take items for not done, because what they made is no longer there."""
        for item in items & self.results.keys():
            del self.results[item]

    def finish(self) -> None:
        """Remove the journal: the run has ended well."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file and keep it for the next run."""
        if self._file is not None:
            self._file.close()
            self._file = None
