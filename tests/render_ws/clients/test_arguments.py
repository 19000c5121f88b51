import pytest

from rendermodules.render_ws.clients.arguments import (
    Client,
    Rest,
    Takes,
    UsageError,
    a_number,
    choice,
    flag,
    many,
    number,
    parsed,
    switch,
    text,
    unused,
    usage,
    whole,
)

CLIENT = Client(
    "Does something.",
    print,
    (
        text("stack", "a stack", required=True),
        text("data", "numbers"),
        number("scale", "a scale", 0.5),
        whole("count", "a count"),
        choice("mode", "how", ("A", "B"), "A"),
        switch("doFilter", "filter", True),
        flag("quick", "be quick"),
        many("z", "layers", a_number),
        unused("old"),
        unused("older", Takes.PERHAPS_TRUTH),
    ),
    Rest("files", "names", required=False),
)


def values(*words):
    return parsed(CLIENT, ["--stack", "s", *words])[0]


def test_defaults():
    assert vars(values()) == {
        "stack": "s",
        "data": None,
        "scale": 0.5,
        "count": None,
        "mode": "A",
        "doFilter": True,
        "quick": False,
        "z": [],
        "old": None,
        "older": None,
        "files": [],
    }


def test_values_are_taken_whatever_they_begin_with():
    found = values("--data", "-1.5,--2", "--scale", "-5e-1", "--count", "-3", "--z", "-1", "2.5", "--doFilter", "FALSE")
    assert (found.data, found.scale, found.count, found.z, found.doFilter) == ("-1.5,--2", -0.5, -3, [-1.0, 2.5], False)


def test_flags_stand_alone_or_have_a_word():
    assert values("--quick", "file").quick
    assert values("--quick", "file").files == ["file"]
    found = values("--quick", "True", "a b", "-1")
    assert (found.quick, found.files) == (True, ["a b", "-1"])
    assert values("--quick", "false").quick is False


def test_lists_may_be_continued():
    assert values("--z", "1", "--quick", "--z", "2", "3").z == [1.0, 2.0, 3.0]


def test_words_from_a_file(tmp_path):
    (tmp_path / "words").write_text("--scale\n 2 \n\n# a remark\nfile ö one\n", "utf-8")
    found = values(f"@{tmp_path / 'words'}", "two")
    assert (found.scale, found.files) == (2.0, ["file ö one", "two"])
    (tmp_path / "words").write_bytes(b"\xff\xfe")
    for name in (tmp_path / "words", "nothing"):
        with pytest.raises(UsageError, match=f"@{name}: the words in this file cannot be read"):
            values(f"@{name}")


def test_what_has_no_effect_is_told():
    assert parsed(CLIENT, ["--stack", "s", "--old", "x", "--older", "file"])[1] == ["old", "older"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--stack is missing"),
        (["--stack"], "--stack needs a value"),
        (["--stack", "s", "--scale", "nan", "f"], "--scale must be a number, not 'nan'"),
        (["--stack", "s", "--stack", "t"], "--stack comes twice"),
        (["--stack", "s", "--scael", "1"], "unknown option --scael; did you mean --scale"),
        (["--stack", "s", "--scale", "much"], "--scale must be a number, not 'much'"),
        (["--stack", "s", "--count", "1.5"], "--count must be a whole number"),
        (["--stack", "s", "--mode", "C"], "--mode must be one of A, B"),
        (["--stack", "s", "--doFilter", "--quick"], "--doFilter must be true or false"),
        (["--stack", "s", "--z", "--quick"], "--z needs at least one value"),
    ],
)
def test_refusals(words, message):
    with pytest.raises(UsageError, match=message):
        parsed(CLIENT, words)


def test_the_rest_may_be_required_or_refused():
    with pytest.raises(UsageError, match="z is missing: layers"):
        parsed(Client("", print, (), Rest("z", "layers", a_number)), [])
    with pytest.raises(UsageError, match="z must be a number, not 'x'"):
        parsed(Client("", print, (), Rest("z", "layers", a_number)), ["x"])
    with pytest.raises(UsageError, match="x belongs to no option"):
        parsed(Client("", print, ()), ["x"])


def test_usage_names_everything():
    told = usage(CLIENT, "org.Example")
    assert told.startswith("usage: run_ws_client.sh HEAP org.Example [options] files ...\n  Does something.\n")
    assert "--stack                           a stack (required)" in told
    assert "filter (default: true)" in told
    assert max(map(len, told.splitlines())) <= 118
