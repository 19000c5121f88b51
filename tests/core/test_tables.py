import pytest

from rendermodules.core.problems import InputError, Problems
from rendermodules.core.tables import Table, renamed_columns

TABLE = Table("t.csv", {"X (px)": ["1", " 2.5 ", ""], "Image_File": ["a", "b", "c"]}, ["line 2", "line 3", "line 4"])


def test_cells():
    problems = Problems("t.csv")
    assert TABLE.numbers("X (px)", problems) == [1.0, 2.5, None]
    assert TABLE.texts("Image_File") == ["a", "b", "c"]
    assert TABLE.numbers("y", problems) == [None] * 3
    assert not problems


@pytest.mark.parametrize("text", ["nan", "inf", "one"])
def test_what_is_no_number_is_noted(text):
    problems = Problems("t")
    assert Table("t", {"x": ["1", text]}, ["line 2", "line 3"]).numbers("x", problems) == [1.0, None]
    with pytest.raises(InputError, match=f"t: x is not a number: line 3 \\('{text}'\\)"):
        problems.raise_if_any()


def test_whole_numbers():
    problems = Problems("t")
    assert Table("t", {"row": ["003", 4, 5.0, "1.5"]}, ["a", "b", "c", "d"]).integers("row", problems) == [
        3,
        4,
        5,
        None,
    ]
    assert str(problems) == "t: row is not a whole number: d ('1.5')"


def test_columns_are_recognised_or_chosen():
    synonyms = {"file": ["image file"], "x": ["x"], "y": ["y"]}
    assert set(renamed_columns(TABLE, synonyms, {}).columns) == {"file", "X (px)"}
    assert set(renamed_columns(TABLE, synonyms, {"x": "X (px)"}).columns) == {"file", "x"}
    with pytest.raises(InputError, match="no column Xpx; there are X \\(px\\), Image_File"):
        renamed_columns(TABLE, synonyms, {"x": "Xpx"})


def test_required_and_selected():
    with pytest.raises(InputError, match="t.csv: there is no column a, b; there are"):
        TABLE.require("a", "Image_File", "b")
    kept = TABLE.selected([False, True, False])
    assert kept.places == ["line 3"]
    assert kept.texts("Image_File") == ["b"]
