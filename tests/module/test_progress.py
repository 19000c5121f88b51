"""Progress of long work."""

import io
import logging
import sys

import pytest

from rendermodules.module import progress as progress_module
from rendermodules.module.progress import progress

LOGGER = logging.getLogger("rendermodules.test")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that each look moves on by ``step`` seconds."""

    class Clock:
        now, step = 0.0, 0.0

        def monotonic(self):
            self.now += self.step
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_short_work_says_nothing(caplog):
    with caplog.at_level("INFO"), progress(3, "sections", LOGGER) as advance:
        for _ in range(3):
            advance()
    assert not caplog.records


def test_a_line_a_minute_tells_rate_and_time_left(caplog, clock):
    with caplog.at_level("INFO"), progress(110, "sections", LOGGER, done=10) as advance:
        for _ in range(50):
            clock.now += 2.0
            advance()
    assert [record.getMessage() for record in caplog.records] == [
        "40 of 110 sections, 0.5 a second, about 2 min left",
    ]
    assert caplog.records[0].progress == {
        "unit": "sections",
        "done": 40,
        "total": 110,
        "per_second": 0.5,
        "seconds_left": 140.0,
    }


def test_json_lines_begin_and_end(caplog, clock):
    clock.step = 0.001
    with caplog.at_level("INFO"), progress(2, "pairs", LOGGER, log_json=True) as advance:
        advance()
        advance()
    assert [record.progress["done"] for record in caplog.records] == [0, 2]
    assert caplog.records[1].progress["seconds_left"] == 0.0


def test_a_bar_on_a_terminal(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with caplog.at_level("INFO"), progress(4, "sections", LOGGER) as advance:
        advance()
        advance()
    assert "2/4" in terminal.getvalue()
    assert "left" in terminal.getvalue()
    assert not caplog.records
