import pytest

from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.timestamps import normalized_timestamp, timestamp_text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2024-01-31T09:15:00.00Z", "2024-01-31T09:15:00.000Z"),
        ("2024-01-31T09:15:00.12345Z", "2024-01-31T09:15:00.123Z"),
        ("2024-01-31T09:15:00+02:00", "2024-01-31T07:15:00.000Z"),
        ("2024-01-31", "2024-01-31T00:00:00.000Z"),
        # Java's dates roll over; old render-python wrote minutes where the month belongs
        ("2023-40-15T11:40:26.00Z", "2026-04-15T11:40:26.000Z"),
        ("2024-02-30T25:61:00.00Z", "2024-03-02T02:01:00.000Z"),
        (1700000000000, "2023-11-14T22:13:20.000Z"),
    ],
)
def test_times_are_read_as_java_reads_them(given, kept):
    assert normalized_timestamp(given) == kept


@pytest.mark.parametrize("given", ["yesterday", "", "2024", 1e300, float("nan"), "0000-00-00", "9999-99-99"])
def test_what_is_no_time_is_refused(given):
    with pytest.raises(InvalidRequest, match="not a timestamp"):
        normalized_timestamp(given)


def test_times_before_1970_have_their_milliseconds():
    assert timestamp_text(-1) == "1969-12-31T23:59:59.999Z"
