import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from rendermodules.render_ws.errors import ServiceError, StorageFull, StoreError
from rendermodules.render_ws.store import database as module
from rendermodules.render_ws.store.database import APPLICATION_ID, Database, Turns, database_at, schema_version


def stacks_in(database):
    with database.reading() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM stack ORDER BY name")]


def add_stack(connection, name):
    connection.execute("INSERT INTO transform_set DEFAULT VALUES")
    connection.execute(
        """INSERT INTO stack (owner, project, name, state, version_number, version, modified, revision, transform_set)
        VALUES ('o', 'p', ?, 'LOADING', 0, '{}', 0, 0, 1)""",
        (name,),
    )


def test_a_block_is_kept_whole_or_not_at_all(store):
    database = Database(store)
    with database.writing() as connection:
        add_stack(connection, "kept")
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        add_stack(connection, "lost")
        _ = 1 / 0
    assert stacks_in(database) == ["kept"]
    database.close()


def test_readers_see_one_state_while_others_write(store):
    reader, writer = Database(store), Database(store)
    with reader.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM stack").fetchone() == (0,)
        with writer.writing() as other:
            add_stack(other, "new")
        assert connection.execute("SELECT COUNT(*) FROM stack").fetchone() == (0,)
    assert stacks_in(reader) == ["new"]
    reader.close()
    writer.close()


def test_writers_take_turns(store):
    first, second = Database(store), Database(store)
    order = []

    def write_second():
        with second.writing() as connection:
            order.append("second")
            add_stack(connection, "second")

    with first.writing() as connection:
        thread = threading.Thread(target=write_second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
        add_stack(connection, "first")
    thread.join()
    assert order == ["first", "second"]
    assert stacks_in(first) == ["first", "second"]
    first.close()
    second.close()


def test_writers_queue_together_when_a_link_leads_to_the_store(store, tmp_path):
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.db"
    link.symlink_to(store)
    first, second = Database(store), Database(link)
    for number, database in enumerate((first, second)):
        with database.writing() as connection:
            add_stack(connection, f"s{number}")
    assert stacks_in(first) == stacks_in(second) == ["s0", "s1"]
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["link.db"]
    first.close()
    second.close()


def test_a_newer_store_is_refused_and_left_alone(store):
    Database(store).close()
    with sqlite3.connect(store) as connection:
        connection.execute(f"PRAGMA user_version = {schema_version() + 1}")
    connection.close()
    content = store.read_bytes()
    with pytest.raises(StoreError, match=f"version {schema_version() + 1}.*newer"):
        Database(store)
    assert store.read_bytes() == content


def test_other_databases_are_refused(store):
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE photographs (name TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="not a store"):
        Database(store)


def test_an_older_store_is_brought_up_to_date_once(store, monkeypatch):
    first = Database(store)
    with first.writing() as connection:
        add_stack(connection, "old")
    first.close()
    monkeypatch.setattr(module, "MIGRATIONS", ("ALTER TABLE stack ADD COLUMN colour TEXT DEFAULT 'blue'",))
    for _ in range(2):
        database = Database(store)
        assert database.connection.execute("SELECT name, colour FROM stack").fetchall() == [("old", "blue")]
        assert database.connection.execute("PRAGMA user_version").fetchone() == (2,)
        database.close()


def test_a_migration_that_fails_changes_nothing(store, monkeypatch):
    Database(store).close()
    script = "ALTER TABLE stack ADD COLUMN colour TEXT; CREATE TABLE stack (again TEXT)"
    monkeypatch.setattr(module, "MIGRATIONS", (script,))
    with pytest.raises(sqlite3.OperationalError):
        Database(store)
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(stack)")]
    connection.close()


def test_a_full_disk_undoes_the_change_and_says_so(store):
    database = Database(store)
    with database.writing() as connection:
        add_stack(connection, "kept")
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageFull, match="nothing was changed"), database.writing() as connection:
        add_stack(connection, "lost")
        connection.execute("INSERT INTO dictionary (content) VALUES (zeroblob(1000000))")
    assert stacks_in(database) == ["kept"]
    database.connection.execute("PRAGMA max_page_count = 1000000")
    with database.writing() as connection:
        add_stack(connection, "later")
    assert stacks_in(database) == ["kept", "later"]
    database.close()


@pytest.fixture
def ordinary_user():
    """The rights of a user who is not root."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    yield
    os.seteuid(own)


def test_a_read_only_folder_or_file_is_named(ordinary_user):
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"
        Database(store).close()
        store.chmod(0o444)
        with pytest.raises(StoreError, match="the file is read-only"):
            Database(store)
        store.chmod(0o644)
        Path(folder).chmod(0o555)
        with pytest.raises(StoreError, match="its folder is read-only"):
            Database(store)
        Path(folder).chmod(0o755)


def test_threads_take_turns_and_hand_their_connections_on(store):
    turns, used, together = Turns(2), [], []
    working = set()

    def work():
        with turns:
            working.add(threading.get_ident())
            together.append(len(working))
            own = database_at(store)
            used.append(own)
            assert database_at(store) is own
            time.sleep(0.01)
            working.remove(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(together) == 2
    assert len(set(used)) == 2
    with pytest.raises(ZeroDivisionError), turns:
        _ = 1 / 0
    with turns:
        assert database_at(store) in used


def test_many_make_a_store_at_once(tmp_path):
    for place in range(20):
        start, made, problems = threading.Barrier(4), [], []

        def make(path, start=start, made=made, problems=problems):
            start.wait()
            try:
                made.append(Database(path))
            except ServiceError as error:
                problems.append(error)

        threads = [threading.Thread(target=make, args=(tmp_path / f"{place}.db",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert {one.connection.execute("PRAGMA page_size").fetchone() for one in made} == {(8192,)}


def test_stores_are_marked(store):
    Database(store).close()
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA page_size").fetchone() == (8192,)
    connection.close()


def test_a_writer_that_is_killed_leaves_no_lock_and_no_trace(store):
    database = Database(store)
    program = f"""
import sys, time
from rendermodules.render_ws.store.database import Database
with Database({str(store)!r}).writing() as connection:
    connection.execute("INSERT INTO dictionary (content) VALUES (zeroblob(30000000))")
    print("half", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    with database.writing() as connection:
        add_stack(connection, "next")
    assert database.connection.execute("SELECT COUNT(*) FROM dictionary").fetchone() == (0,)
    assert database.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
