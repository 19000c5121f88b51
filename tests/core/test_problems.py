import pytest

from rendermodules.core.problems import InputError, Problems, listed


def test_says_everything_at_once():
    problems = Problems("table.csv", limit=2)
    for row in (3, 5, 8):
        problems.add("the image does not exist", f"row {row}")
    problems.add("x is not a number", "row 9 ('n/a')")
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == (
        "table.csv: the image does not exist: row 3, row 5 and 1 more; x is not a number: row 9 ('n/a')"
    )


def test_nothing_wrong():
    problems = Problems("table.csv")
    problems.raise_if_any()
    assert not problems


def test_listed():
    assert listed([1, 2, 3], limit=3) == "1, 2, 3"
    assert listed([1, 2, 3], limit=1) == "1 and 2 more"
