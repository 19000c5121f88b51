import pytest

from rendermodules.render_ws.errors import StoreError
from rendermodules.render_ws.store.database import Database, close_databases
from rendermodules.render_ws.store.maintenance import compact, main, problems_of

M = "/owner/owner/matchCollection/m"
PAIR = {
    "pGroupId": "1",
    "pId": "a",
    "qGroupId": "2",
    "qId": "b",
    "matches": {"p": [[1], [2]], "q": [[3], [4]], "w": [1]},
}


@pytest.fixture
def filled(client, tile, translation, store):
    path = client.create("s")
    tiles = [tile(f"t{i:03d}", z=i // 50, x=i) for i in range(150)]
    client.put(path, *tiles, transforms=({**translation(1, 1), "id": "shared"},))
    client.ok("PUT", f"{path}/cloneTo/c", {})
    client.ok("PUT", f"{M}/matches", [PAIR])
    return store


def damage(store, statement):
    database = Database(store)
    with database.writing() as connection:
        connection.execute(statement)
    database.close()


def test_a_sound_store_has_no_problems(filled, caplog):
    assert list(problems_of(filled)) == []
    assert main(["check", str(filled)]) == 0


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE tile SET spec = x'00' WHERE tile_id = 't007'", "spec of tile t007"),
        ("DELETE FROM dictionary", "dictionary 1 of the store is missing"),
        ("UPDATE transform SET spec = zeroblob(9)", "spec of transform shared"),
        ("DELETE FROM tile WHERE tile_id = 't007'", "holds 49 tiles, but its summary says 50"),
        ("DELETE FROM layer WHERE layer_id = 2", "at z 1.0 is missing"),
        ("UPDATE tile SET tile_id = CAST(x'74ff' AS TEXT) WHERE tile_id = 't007'", "cannot be read: Could not decode"),
        ("UPDATE match_collection SET pair_count = 7", "holds 1 pairs, but its count says 7"),
        ("UPDATE tile SET tile_id = 't120' WHERE tile_id = 't007'", "tile t120 is more than once in stack owner"),
    ],
)
def test_damage_is_found_and_named(filled, caplog, statement, problem):
    damage(filled, statement)
    assert any(problem in found for found in problems_of(filled))
    assert main(["check", str(filled)]) == 1
    assert problem in caplog.text


def test_lost_pages_are_found_and_hide_nothing(filled):
    damage(filled, "UPDATE match_collection SET pair_count = 7")
    database = Database(filled)
    (page,) = database.connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'transform'").fetchone()
    database.close()
    close_databases()
    content = filled.read_bytes()
    filled.write_bytes(content[: (page - 1) * 8192] + bytes(8192) + content[page * 8192 :])
    found = list(problems_of(filled))
    assert any("malformed" in problem for problem in found)
    assert any("its count says 7" in problem for problem in found)
    filled.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match="damaged"):
        list(problems_of(filled))


def test_a_store_that_is_not_there_is_not_made(tmp_path, caplog):
    with pytest.raises(StoreError, match="there is no store"):
        next(problems_of(tmp_path / "none.db"))
    assert main(["compact", str(tmp_path / "none.db")]) == 1
    assert not (tmp_path / "none.db").exists()


def test_compaction_gives_space_back_and_changes_nothing(client, filled):
    path = "/owner/owner/project/project/stack"
    client.ok("PUT", f"{M}s/matches", [{**PAIR, "pId": f"p{i}", "qId": f"q{i}"} for i in range(3000)])
    client.ok("DELETE", f"{path}/c")
    client.ok("DELETE", f"{M}s")
    before = client.send("GET", f"{path}/s/z/1/resolvedTiles").content
    large, small = compact(filled)
    assert small < large / 2
    assert list(problems_of(filled)) == []
    assert client.send("GET", f"{path}/s/z/1/resolvedTiles").content == before
    database = Database(filled)
    assert database.connection.execute("SELECT COUNT(*) FROM match_name").fetchone() == (4,)
    database.close()
