"""Parameters of requests as values."""

import pytest

from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, UnparsableParameter
from rendermodules.render_ws.settings import Settings


@pytest.fixture
def call(tmp_path):
    def call(strict=False, path=None, body=b"", **query):
        values = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
        return Call(Settings(tmp_path / "store.db", strict=strict), path or {}, values, body, "", dict)

    return call


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), ("-2.5", -2.5), ("1e3", 1000.0)])
def test_numbers(call, text, number):
    assert call(path={"z": text}).number("z") == call(z=text).query_number("z") == number


@pytest.mark.parametrize("text", ["", "one", "nan", "inf", "1_000", "1e999"])
def test_what_is_no_number(call, text):
    with pytest.raises(UnparsableParameter):
        call(path={"z": text}).number("z")


@pytest.mark.parametrize("text", ["", "1.0", "99999999999", "0x10", "²"])
def test_what_is_no_whole_number(call, text):
    with pytest.raises(UnparsableParameter):
        call(level=text).query_integer("level")


def test_queries_may_be_absent_or_repeated(call):
    asked = call(z=["1", "2"], flag="TRUE", other="yes")
    assert asked.query_numbers("z") == [1.0, 2.0]
    assert asked.text("z") == "1"
    assert (asked.flag("flag"), asked.flag("other"), asked.flag("none")) == (True, False, None)
    assert (asked.query_number("none"), asked.query_integer("none"), asked.pattern("none")) == (None, None, None)


def test_patterns_are_found_anywhere_in_a_text(call):
    matches = call(matchPattern="b.*d").pattern("matchPattern")
    assert [text for text in ("abcde", "abc", "d b d") if matches(text)] == ["abcde", "d b d"]


def test_patterns_that_are_broken_or_take_too_long_are_refused(call, monkeypatch):
    with pytest.raises(InvalidRequest, match="is not a regular expression"):
        call(matchPattern="(").pattern("matchPattern")
    matches = call(matchPattern="a*a*a*a*b").pattern("matchPattern")
    with pytest.raises(InvalidRequest, match="too many repeats"):
        matches("a" * 5000)
    monkeypatch.setattr("time.monotonic", lambda: float("inf"))
    with pytest.raises(InvalidRequest, match="takes too long"):
        matches("b")


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\nb", "x" * 201, None, 7])
def test_names_that_no_path_can_carry_are_refused(call, name):
    with pytest.raises(InvalidRequest):
        call().valid_stack_id("o", "p", name)


@pytest.mark.parametrize("name", ["with space", "with__two", "päron", "x" * 100])
def test_java_refuses_more_names(call, name):
    assert call().valid_stack_id("o", "p", name).stack == name
    with pytest.raises(InvalidRequest):
        call(strict=True).valid_stack_id("o", "p", name)


@pytest.mark.parametrize("body", [b"", b" \n", b"\xff"])
def test_bodies_that_are_no_text(call, body):
    with pytest.raises(InvalidRequest):
        call(body=body).body_text()
