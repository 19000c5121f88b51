import time

import pytest

from rendermodules.io.expressions import BoundedExpression, ExpressionError
from rendermodules.io.paths import mipmap_url


@pytest.mark.parametrize(
    "text",
    [r"tile_[0-9]+\.png", "a.*b.*", r"\(x\)+", "[*+{]*", "(a|b)c", "(?:a|b)?c", r"(.*/)\d+(/.*)", "a{2}", "a+?b"],
)
def test_ordinary_expressions_are_understood(text):
    assert BoundedExpression(text).search("tile_9.png a0b (x))) +* ac /1/ aab") is not None


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+b",
        "(a|aa)*b",
        "(a*){9}",
        "(a?)+?b",
        "(a?){2}?",
        "a*a*a*a*a*b",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30 + "b",
        "x" * 201,
    ]
    + ["(", "a{99999999999999999}"],
)
def test_what_is_wrong_or_may_take_for_ever_is_refused(text):
    with pytest.raises(ExpressionError):
        BoundedExpression(text)


@pytest.mark.parametrize("text", ["a*a*a*a*b", "a*a*a*b", "a*a*b", "(a*|a*a*)(a*)b"])
def test_texts_are_refused_before_they_take_for_ever(text):
    expression = BoundedExpression(text)
    assert expression.search("a" * 9 + "b")
    begun = time.process_time()
    with pytest.raises(ExpressionError, match="too many repeats for a text of 9000 characters"):
        expression.search("a" * 9000)
    assert time.process_time() - begun < 1
    with pytest.raises(ExpressionError):
        mipmap_url("a" * 90000, 1, "", "png", text)
