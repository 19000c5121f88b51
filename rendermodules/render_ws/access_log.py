"""The access log: one JSON object for each request."""

import sys
import threading
from datetime import UTC, datetime
from typing import BinaryIO

import orjson
from falcon.request import Request
from falcon.response import Response


class AccessLog:
    """Writes what was asked, by whom, and how it was answered.

    Names and paths of clients are JSON strings, so that none can begin a line of its own.

    Parameters
    ----------
    place : str or None
        File to append to; "-" is standard error, None writes nothing.
    """

    def __init__(self, place: str | None) -> None:
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        if place == "-":
            self._file = sys.stderr.buffer
        elif place is not None:
            # kept open for the life of the process
            self._file = open(place, "ab", buffering=0)  # noqa: SIM115, PTH123

    def write(self, request: Request, response: Response, seconds: float) -> None:
        """Write one request."""
        if self._file is None:
            return
        line = orjson.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": request.remote_addr,
                "method": request.method,
                "path": request.relative_uri,
                "status": response.status_code,
                "bytes": len(response.data or b""),
                "milliseconds": round(seconds * 1000, 3),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        with self._lock:
            self._file.write(line)
            self._file.flush()
