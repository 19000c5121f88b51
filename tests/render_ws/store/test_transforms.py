"""Sets of shared transforms."""

import pytest

from rendermodules.render_ws.errors import NotFound
from rendermodules.render_ws.store import transforms
from rendermodules.render_ws.store.database import database_at


@pytest.fixture
def path(client, tile, translation):
    path = client.create("s")
    client.put(path, tile("a"), transforms=(translation(1, 2, id="one"), translation(3, 4, id="two")))
    return path


def sets(store):
    return database_at(store).connection.execute("SELECT COUNT(*) FROM transform_set").fetchone()[0]


def test_clones_share_a_set_until_one_changes_it(client, store, path, tile, translation):
    client.complete(path)
    client.ok("PUT", f"{path}/cloneTo/copy", {})
    copy = f"{path.rsplit('/', 1)[0]}/copy"
    assert sets(store) == 1
    client.put(copy, tile("b"), transforms=(translation(1, 2, id="one"),))
    assert sets(store) == 1
    client.put(copy, tile("b"), transforms=(translation(9, 9, id="one"),))
    assert sets(store) == 2
    assert client.ok("GET", f"{path}/transform/one")["dataString"].endswith("1 2")
    assert client.ok("GET", f"{copy}/transform/one")["dataString"].endswith("9 9")
    assert client.ok("GET", f"{copy}/transform/two")["dataString"].endswith("3 4")
    client.ok("DELETE", copy)
    assert sets(store) == 1
    assert client.ok("GET", f"{path}/transform/one")["dataString"].endswith("1 2")


def test_unknown_transforms_are_left_out_or_named(store, path):
    database = database_at(store)
    with database.reading() as connection:
        (set_id,) = connection.execute("SELECT transform_set FROM stack").fetchone()
        assert list(transforms.get_transforms(database, set_id)) == ["one", "two"]
        assert list(transforms.get_transforms(database, set_id, {"two", "three"})) == ["two"]
        assert transforms.count(connection, set_id) == 2
        with pytest.raises(NotFound, match="three"):
            transforms.get_transform(database, set_id, "three", "somebody")
