import pytest

from rendermodules.core.problems import InputError, Problems, listed, results_of_all


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


def test_what_is_wrong_with_any_of_several():
    def halved(number):
        if number % 2:
            raise InputError(f"{number} is odd")
        return number // 2

    assert results_of_all(halved, [2, 4]) == [1, 2]
    with pytest.raises(InputError, match="^1 is odd; 3 is odd$"):
        results_of_all(halved, [1, 2, 3])
