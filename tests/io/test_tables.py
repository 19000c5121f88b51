import json

import pytest

from rendermodules.core.problems import InputError, Problems
from rendermodules.io.tables import read_table, write_table


@pytest.mark.parametrize(("name", "mark"), [("t.csv", ","), ("t.tsv", "\t"), ("t.txt", ";")])
def test_separated(tmp_path, name, mark):
    path = tmp_path / name
    # the mark at the beginning is what spreadsheets write
    path.write_text("\ufeff" + f'file{mark}x\n"a{mark} b.tif"{mark}1\n\nü.tif{mark}2\n', encoding="utf-8")
    table, _ = read_table(path)
    assert table.texts("file") == [f"a{mark} b.tif", "ü.tif"]
    assert list(table.places) == ["line 2", "line 4"]


def test_decimal_commas_where_commas_do_not_separate(tmp_path):
    path = tmp_path / "german.csv"
    path.write_text("file;x;y;z\n1,5.tif;-0,5;1,25E+3; ,5\na,b;1.5;7;,\n", encoding="utf-8-sig")
    table, _ = read_table(path)
    assert table.columns["file"] == ("1,5.tif", "a,b")
    assert table.columns["y"] == ("1.25E+3", "7")
    problems = Problems("t")
    assert table.numbers("x", problems) == [-0.5, 1.5]
    assert table.numbers("z", problems) == [0.5, None]
    assert "z is not a number: line 3 (',')" in str(problems)


def test_json(tmp_path):
    path = tmp_path / "t.json"
    rows = [{"name": "a", "x": 1}, {"name": "b", "y": 2}]
    path.write_text(json.dumps({"images": "folder", "tiles": rows}))
    table, rest = read_table(path)
    assert rest == {"images": "folder"}
    assert table.columns == {"name": ["a", "b"], "x": [1, None], "y": [None, 2]}
    path.write_text(json.dumps(rows))
    assert read_table(path)[0] == table


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first line, which names the columns, is empty"),
        ("a,b\n1,2\n3\n4,5,6\n", r"not 2 cells as in the first line: line 3 \(1\), line 4 \(3\)"),
        ("a,a\n1,2\n", "several columns are called a"),
        (b"a,b\n\xff,2\n", "not a text file"),
    ],
)
def test_no_table(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        read_table(path)


@pytest.mark.parametrize(("content", "message"), [("{", "not JSON"), ("{}", "neither"), ("[1]", "neither")])
def test_no_json_table(tmp_path, content, message):
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_table(path)


def test_what_is_written_is_read_again(tmp_path):
    write_table(tmp_path / "a.csv", [{"name": "a,b", "x": 0.1, "y": None}, {"name": "ü", "x": 1e-9, "y": 2}])
    table, _ = read_table(tmp_path / "a.csv")
    assert table.columns == {"name": ("a,b", "ü"), "x": ("0.1", "1e-09"), "y": ("", "2")}
    write_table(tmp_path / "empty.csv", [])
    assert (tmp_path / "empty.csv").read_bytes() == b""
