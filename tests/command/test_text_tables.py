"""Tables and ranges as text."""

from rendermodules.command.text_tables import table, z_range


def test_table_leaves_empty_columns_out():
    assert list(table(("a", "b", "c"), [("1", "", "xyz"), ("22", "", "")])) == ["a   c", "1   xyz", "22"]


def test_z_range():
    assert z_range([]) == ""
    assert z_range([2.5]) == "2.5"
    assert z_range([1.0, 3.0]) == "1 to 3"
