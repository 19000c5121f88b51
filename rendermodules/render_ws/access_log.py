"""The access log: one JSON object for each request."""

import json
import os
import sys
from datetime import UTC, datetime

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
        self._file: int | None = None
        if place == "-":
            self._file = sys.stderr.fileno()
        elif place is not None:
            # a line appended by one call is not mixed with those of other threads and processes
            self._file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def write(self, request: Request, response: Response, seconds: float) -> None:
        """Write one request."""
        if self._file is None:
            return
        # plain ASCII: other alphabets have line ends of their own
        line = json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": request.remote_addr,
                "method": request.method,
                "path": request.relative_uri,
                "status": response.status_code,
                "bytes": len(response.data or b""),
                "milliseconds": round(seconds * 1000, 3),
            }
        )
        os.write(self._file, f"{line}\n".encode())
