import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.models import StackId, StackVersion
from rendermodules.render_ws.store import clones, layers, stacks, tiles
from rendermodules.render_ws.store.clones import CloneOptions
from rendermodules.render_ws.store.database import Database
from rendermodules.render_ws.store.tiles import Selection
from rendermodules.render_ws.tile_specs import TileRow


def row(tile_id, x=0.0, section="1.0", group=None, width=10.0, channels=None):
    document = b'{"tileId":"%b"}' % tile_id.encode()
    return TileRow(tile_id, section, group, x, 0.0, x + width, 10.0, None, channels, document)


@pytest.fixture
def database(store):
    database = Database(store)
    yield database
    database.close()


@pytest.fixture
def stack(database):
    return make_stack(database, "s")


def make_stack(database, name):
    id = StackId("o", "p", name)
    with database.writing() as connection:
        stacks.create_stack(connection, id, StackVersion())
        return stacks.get_stack(connection, id)


def put(database, stack, *rows):
    with database.writing():
        tiles.put_tiles(database, stack, rows, {})


def ids(database, stack, **selection):
    return tiles.get_tile_ids(database.connection, stack, Selection(**selection))


def test_a_tile_put_again_replaces_and_moves(database, stack):
    put(database, stack, (1.0, row("a")), (1.0, row("b")))
    put(database, stack, (2.0, row("a")), (2.0, row("c")), (3.0, row("c")))
    assert (ids(database, stack, z=1.0), ids(database, stack, z=2.0), ids(database, stack, z=3.0)) == (
        ["b"],
        ["a"],
        ["c"],
    )
    put(database, stack, (2.0, row("b")))
    # a layer without tiles is gone
    assert stacks.get_z_values(database.connection, stack) == [2.0, 3.0]


def test_selections(database, stack):
    put(
        database,
        stack,
        (1.0, row("a", 0)),
        (1.0, row("b", 10, group="g")),
        (2.0, row("c", 20, section="x")),
        (2.5, row("d", 0)),
    )
    assert ids(database, stack, minimum_z=2.0) == ["c", "d"]
    assert ids(database, stack, maximum_z=2.0) == ["a", "b", "c"]
    assert ids(database, stack, group_id="g") == ["b"]
    assert ids(database, stack, section_id="x") == ["c"]
    # boxes that touch count, as in Java Render; points on an edge too
    assert ids(database, stack, z=1.0, box=(10.0, 0.0, 12.0, 5.0)) == ["a", "b"]
    assert ids(database, stack, z=1.0, box=(10.5, 0.0, 12.0, 5.0)) == ["b"]
    assert ids(database, stack, z=1.0, point=(10.0, 10.0)) == ["a", "b"]
    assert ids(database, stack, z=1.0, point=(10.0, 10.1)) == []


def test_clones_share_until_one_is_written_to(database, stack):
    put(database, stack, *((float(z), row(f"{z}_{i}", i)) for z in range(3) for i in range(50)))
    with database.writing():
        clones.clone_stack(database, stack.id, StackId("o", "p", "c"), StackVersion(), CloneOptions())
    (count,) = database.connection.execute("SELECT COUNT(*) FROM tile").fetchone()
    assert count == 150
    clone = stacks.get_stack(database.connection, StackId("o", "p", "c"))
    put(database, clone, (1.0, row("1_0", 99)))
    assert database.connection.execute("SELECT COUNT(*) FROM tile").fetchone() == (200,)
    box = tiles.get_tile_bounds(database.connection, stack, Selection(z=1.0))[0]
    assert (box.tileId, box.minX) == ("1_0", 0.0)
    with database.writing() as connection:
        stacks.delete_stack(connection, stack.id)
    assert len(ids(database, clone)) == 150
    assert database.connection.execute("SELECT COUNT(*) FROM tile").fetchone() == (150,)


def test_large_stacks_go_a_few_tiles_at_a_time(database, stack, monkeypatch):
    monkeypatch.setattr(layers.sweep_layers, "__defaults__", (30,))
    put(database, stack, *((float(z), row(f"{z}_{i}")) for z in range(4) for i in range(20)))
    other = make_stack(database, "other")
    with database.writing() as connection:
        stacks.delete_stack(connection, stack.id)
    left = []
    for _ in range(4):
        put(database, other, (1.0, row("t")))
        left.append(database.connection.execute("SELECT COUNT(*) FROM tile").fetchone()[0] - 1)
    assert left == [20, 0, 0, 0]
    assert database.connection.execute("SELECT COUNT(*) FROM layer").fetchone() == (1,)


def test_specs_are_compressed_and_come_back_byte_for_byte(database, stack):
    documents = [
        b'{"tileId": "t%03d", "url": "file:/data/section/%d/tile.png", "x": %d}' % (i, i, i * i) for i in range(400)
    ]
    rows = [(1.0, row(f"t{i:03d}")._replace(document=document)) for i, document in enumerate(documents)]
    put(database, stack, *rows[:50])
    put(database, stack, *rows[50:])
    put(database, stack, *rows[:20])
    assert [tile.document for tile in tiles.get_tiles(database, stack, Selection(z=1.0))] == documents
    codecs = dict(database.connection.execute("SELECT codec, COUNT(*) FROM tile GROUP BY codec").fetchall())
    assert codecs == {0: 30, 1: 370}
    other = Database(database.path)
    assert tiles.get_tile(other, stack, "t399").document == documents[399]
    other.close()


def summaries(connection):
    return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("layer", "layer_section")]


class Stacks(RuleBasedStateMachine):
    """Two stacks that are written, cloned and emptied, against plain dictionaries."""

    names = st.sampled_from(["one", "two"])
    zs = st.sampled_from([1.0, 1.5, 2.0])
    tile_ids = st.sampled_from([f"t{i}" for i in range(6)])

    def __init__(self):
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"{self.folder.name}/store.db")
        self.model = {}
        for name in ("one", "two"):
            make_stack(self.database, name)
            self.model[name] = {}

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    def stack(self, name):
        return stacks.get_stack(self.database.connection, StackId("o", "p", name))

    places = st.tuples(zs, tile_ids, st.floats(-9, 9))
    kinds = st.tuples(
        st.sampled_from(["1.0", "2.0", None]), st.floats(1, 20), st.sampled_from([None, '["a"]', '["a","b"]'])
    )

    @rule(name=names, found=st.lists(st.tuples(places, kinds), min_size=1, max_size=5))
    def put_tiles(self, name, found):
        rows = [
            (z, row(tile_id, x, section, width=width, channels=channels))
            for (z, tile_id, x), (section, width, channels) in found
        ]
        put(self.database, self.stack(name), *rows)
        for (z, tile_id, x), _ in found:
            self.model[name][tile_id] = (z, x)

    @rule(name=names, z=zs)
    def delete_layer(self, name, z):
        with self.database.writing() as connection:
            tiles.delete_tiles(connection, self.stack(name), Selection(z=z))
        self.model[name] = {id: place for id, place in self.model[name].items() if place[0] != z}

    @rule(name=names, tile_id=tile_ids)
    def delete_tile(self, name, tile_id):
        with self.database.writing() as connection:
            tiles.delete_tiles_with_ids(connection, self.stack(name), [tile_id])
        self.model[name].pop(tile_id, None)

    @rule(name=names, z=zs, moved=st.lists(tile_ids, max_size=3))
    def move(self, name, z, moved):
        with self.database.writing():
            tiles.move_tiles(self.database, self.stack(name), moved, z)
        for id in set(moved) & self.model[name].keys():
            self.model[name][id] = (z, self.model[name][id][1])

    @rule(source=names, z_values=st.none() | st.lists(zs, max_size=2), fresh=st.booleans())
    def clone(self, source, z_values, fresh):
        target = "two" if source == "one" else "one"
        id = StackId("o", "p", target)
        with self.database.writing() as connection:
            if fresh:
                stacks.delete_stack(connection, id)
                self.model[target] = {}
            clones.clone_stack(self.database, StackId("o", "p", source), id, StackVersion(), CloneOptions(z_values))
        for tile_id, place in self.model[source].items():
            if z_values is None or place[0] in z_values:
                self.model[target][tile_id] = place

    @rule(name=names)
    def fail_in_the_middle(self, name):
        with pytest.raises(ServiceError), self.database.writing() as connection:
            tiles.delete_tiles(connection, self.stack(name), Selection(z=1.0))
            tiles.put_tiles(self.database, self.stack(name), [(2.0, row("t0", 5.0))], {})
            raise ServiceError

    @invariant()
    def the_store_agrees(self):
        for name, model in self.model.items():
            bounds = tiles.get_tile_bounds(self.database.connection, self.stack(name), Selection())
            assert {box.tileId: (box.z, box.minX) for box in bounds} == model

    @invariant()
    def summaries_are_those_of_the_tiles(self):
        connection = self.database.connection
        layers_of_stack = connection.execute("SELECT stack_key, layer_id FROM stack_layer").fetchall()
        before = summaries(connection)
        with self.database.writing():
            for stack_key, layer_id in layers_of_stack:
                layers.summarize_layer(connection, stack_key, layer_id)
        assert summaries(connection) == before

    @invariant()
    def nothing_is_left_behind(self):
        (orphans,) = self.database.connection.execute(
            "SELECT COUNT(*) FROM tile WHERE layer_id NOT IN (SELECT layer_id FROM stack_layer)"
        ).fetchone()
        assert orphans == 0


TestStacks = Stacks.TestCase
TestStacks.settings = hypothesis.settings(max_examples=25, stateful_step_count=15, deadline=None)
