"""Times as Render writes them, and as its clients have written them over the years."""

import re
from datetime import UTC, datetime, timedelta

from rendermodules.render_ws.errors import InvalidRequest

_TIMESTAMP = re.compile(
    r"(?P<year>\d{1,4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)


def now() -> int:
    """Return the present time in milliseconds since 1970."""
    return int(datetime.now(UTC).timestamp() * 1000)


def timestamp_text(milliseconds: int) -> str:
    """Return a time in milliseconds since 1970 in Render's form, such as 2024-01-31T09:15:00.123Z."""
    time = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    return f"{time.isoformat(timespec='milliseconds')}Z"


def normalized_timestamp(value: str | float) -> str:
    """Return a client's timestamp in Render's form.

    Like Java's lenient dates, months and days that do not exist roll over: old render-python
    releases wrote the minutes where the month belongs.

    Parameters
    ----------
    value : str or number
        ISO 8601 text, or milliseconds since 1970.

    Raises
    ------
    InvalidRequest
        Not a time.
    """
    try:
        if not isinstance(value, str):
            return timestamp_text(int(value))
        match = _TIMESTAMP.fullmatch(value.strip())
        if match is None:
            raise ValueError(value)
        return timestamp_text(_milliseconds(match))
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{value!r} is not a timestamp such as 2024-01-31T09:15:00.000Z") from error


def _milliseconds(match: re.Match[str]) -> int:
    part = {name: int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    years, month = divmod(part["month"] - 1, 12)
    time = datetime(part["year"] + years, month + 1, 1) + timedelta(
        days=part["day"] - 1, hours=part["hour"], minutes=part["minute"], seconds=part["second"]
    )
    zone = match["zone"]
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        time = time - offset if zone[0] == "+" else time + offset
    fraction = int((match["fraction"] or "0").ljust(3, "0")[:3])
    return round((time - datetime(1970, 1, 1)).total_seconds()) * 1000 + fraction
