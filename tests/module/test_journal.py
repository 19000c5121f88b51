import pytest

from rendermodules.module.journal import Journal


def write_and_fail(key):
    with pytest.raises(ValueError, match="killed"), Journal(key) as journal:
        journal.record("1", 10)
        raise ValueError("killed")


def test_journals_of_other_parameters_are_not_used():
    write_and_fail({"module": "a", "x": 1})
    assert Journal({"module": "a", "x": 2}).results == {}
    assert Journal({"module": "a", "x": 1}).results == {"1": 10}
    assert Journal({"module": "a", "x": 1}, resume=False).results == {}


def test_a_torn_line_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setenv("RENDERMODULES_STATE", str(tmp_path))
    write_and_fail({"a": 1})
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + b'{"item": "2", "res')
    with pytest.raises(ValueError, match="again"), Journal({"a": 1}) as journal:
        assert journal.results == {"1": 10}
        journal.record("3", 30)
        raise ValueError("again")
    assert Journal({"a": 1}).results == {"1": 10, "3": 30}


def test_a_dry_run_reads_the_journal_and_leaves_it():
    write_and_fail({"a": 1})
    with Journal({"a": 1}, dry_run=True) as journal:
        assert journal.results == {"1": 10}
        journal.record("2", 20)
    assert Journal({"a": 1}, resume=False, dry_run=True).results == {}
    assert Journal({"a": 1}).results == {"1": 10}


def test_no_place_for_a_journal_is_a_warning(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RENDERMODULES_STATE", str(tmp_path / "file"))
    with Journal({"a": 1}) as journal:
        journal.record("1", 10)
    assert "no journal" in caplog.text


def test_forgetting():
    with Journal({"a": 1}) as journal:
        journal.record("1", 10)
        journal.forget({"1", "2"})
        assert journal.results == {}
