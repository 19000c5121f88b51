"""The log of a server: what clients wrote cannot begin a line of its own."""

import logging
import re

_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """Formats each message on one line; control characters in it, such as those of a tile's id, are escaped."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Return the line of a record, without the traceback that follows it."""
        line = super().formatMessage(record)
        return _LINE_ENDS.sub(lambda match: match[0].encode("unicode_escape").decode(), line)


def log_to_standard_error() -> None:
    """Let this process log to standard error, from INFO upwards."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
