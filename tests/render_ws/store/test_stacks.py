import itertools
import json
from urllib.parse import quote

import pytest

STATES = ("LOADING", "COMPLETE", "READ_ONLY", "OFFLINE")
ALLOWED = {
    *((state, state) for state in STATES),
    ("LOADING", "COMPLETE"),
    ("COMPLETE", "LOADING"),
    ("COMPLETE", "READ_ONLY"),
    ("COMPLETE", "OFFLINE"),
    ("READ_ONLY", "COMPLETE"),
    ("READ_ONLY", "OFFLINE"),
}
WAYS = {
    "LOADING": (),
    "COMPLETE": ("COMPLETE",),
    "READ_ONLY": ("COMPLETE", "READ_ONLY"),
    "OFFLINE": ("COMPLETE", "OFFLINE"),
}


@pytest.fixture
def in_state(client, tile):
    """Function that makes a stack of one tile in a state."""

    def make(state):
        path = client.create("s", stackResolutionX=4.0)
        client.put(path, tile("t"))
        for step in WAYS[state]:
            client.ok("PUT", f"{path}/state/{step}")
        return path

    return make


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_states_change_as_the_table_says(client, in_state, before, after):
    path = in_state(before)
    done = client.status("PUT", f"{path}/state/{after}")
    if (before, after) in ALLOWED:
        assert (done, client.ok("GET", path)["state"]) == (201, after)
    else:
        assert (done in (400, 409), client.ok("GET", path)["state"]) == (True, before)


@pytest.mark.parametrize("state", STATES)
def test_what_a_state_forbids(client, in_state, tile, state):
    path = in_state(state)
    loading, modifiable = state == "LOADING", state != "READ_ONLY"
    body = {"tileIdToSpecMap": {"n": tile("n")}}
    answers = {
        "put": client.status("PUT", f"{path}/resolvedTiles", body),
        "delete tile": client.status("DELETE", f"{path}/tile/none"),
        "delete layer": client.status("DELETE", f"{path}/z/7"),
        "move": client.status("PUT", f"{path}/z/1/tileIds", ["t"]),
        "resolution": client.status("PUT", f"{path}/resolutionValues", [1, 2, 3]),
        "version": client.status("POST", path, {}),
        "delete stack": client.status("DELETE", path),
    }
    allowed = {name for name, status in answers.items() if status < 300}
    expected = set()
    if loading:
        expected |= {"put", "delete tile", "delete layer", "move"}
    if modifiable:
        expected |= {"resolution", "version", "delete stack"}
    assert allowed == expected


def test_completion_measures_the_stack(client, tile):
    path = client.create("s")
    client.put(
        path,
        tile("a", z=1, x=-5.5),
        tile("b", z=2.5, x=300, y=40, channels=[{"name": "DAPI"}, {"name": "A"}]),
        transforms=({"id": "unused", "className": "none"},),
    )
    assert client.status("GET", f"{path}/bounds") == 400
    client.complete(path)
    assert client.ok("GET", path)["stats"] == {
        "stackBounds": {"minX": -5.0, "minY": 0.0, "minZ": 1.0, "maxX": 400.0, "maxY": 120.0, "maxZ": 2.5},
        "sectionCount": 2,
        "nonIntegralSectionCount": 1,
        "tileCount": 2,
        "transformCount": 1,
        "minTileWidth": 100,
        "maxTileWidth": 100,
        "minTileHeight": 80,
        "maxTileHeight": 80,
        "channelNames": ["A", "DAPI"],
    }
    assert client.ok("GET", f"{path}/bounds")["maxX"] == 400.0


def test_versions_count_and_forget(client, tile):
    path = client.create("s", cycleNumber=3, stackResolutionZ=40, nonsense=1)
    first = client.ok("GET", path)
    assert first["currentVersion"] == {"cycleNumber": 3, "stackResolutionZ": 40.0}
    client.put(path, tile("t"))
    client.complete(path)
    client.ok("PUT", f"{path}/state/LOADING")
    loading = client.ok("GET", path)
    assert (loading["currentVersionNumber"], loading["currentVersion"]) == (1, first["currentVersion"])
    assert "stats" not in loading
    client.ok("POST", path, {"versionNotes": "new"})
    assert client.ok("GET", path)["currentVersion"] == {"versionNotes": "new"}
    assert client.ok("GET", f"{path}/tileIds") == ["t"]


def test_the_catalogue_is_sorted_and_knows_its_owners(client):
    for project, stack, cycle in (("p2", "b", 1), ("p1", "old", 1), ("p1", "new", 2), ("p1", "none", None)):
        version = {} if cycle is None else {"cycleNumber": cycle}
        client.ok("POST", f"/owner/o/project/{project}/stack/{stack}", version)
    client.ok("POST", "/owner/a/project/p/stack/s", {})
    assert client.ok("GET", "/owners/") == ["a", "o"]
    assert client.ok("GET", "/owner/o/projects") == ["p1", "p2"]
    assert [one["stackId"]["stack"] for one in client.ok("GET", "/owner/o/stacks/")] == ["new", "old", "none", "b"]
    assert client.ok("GET", "/owner/o/project/p2/stackIds") == [{"owner": "o", "project": "p2", "stack": "b"}]
    assert client.ok("GET", "/owner/nobody/stacks") == []


def test_renaming_keeps_everything_and_refuses_what_exists(client, tile):
    path = client.create("s")
    client.put(path, tile("t"))
    client.complete(path)
    other = client.create("taken")
    to = {"owner": "owner", "project": "elsewhere", "stack": "moved"}
    assert client.status("PUT", f"{path}/stackId", {**to, "project": "project", "stack": "taken"}) == 400
    client.ok("PUT", f"{path}/stackId", to)
    assert client.status("GET", path) == 404
    moved = client.ok("GET", "/owner/owner/project/elsewhere/stack/moved")
    assert (moved["state"], moved["stats"]["tileCount"]) == ("COMPLETE", 1)
    assert client.ok("GET", "/owner/owner/project/elsewhere/stack/moved/tileIds") == ["t"]
    for bad in (
        {"owner": "owner", "project": "p"},
        {**to, "stack": "a/b"},
        {**to, "stack": "a\n"},
        {**to, "stack": 7},
        None,
    ):
        assert (
            client.status(
                "PUT",
                f"{other}/stackId",
                data=json.dumps(bad),
                headers={"Content-Type": "application/json"},
            )
            == 400
        )


@pytest.mark.parametrize(
    "name", ["bad-name", "bad__name", "dots.and blanks", "ümläut", "'; DROP TABLE stack; --", "..", "%"]
)
def test_names_outside_of_javas_set_are_accepted_and_safe(client, strict_client, tile, name):
    path = f"/owner/{quote(name)}/project/p/stack/{quote(name, safe='')}"
    if name != "..":
        client.ok("POST", path, {})
        client.put(path, tile("t"))
        assert client.ok("GET", f"{path}/tileIds") == ["t"]
        assert client.ok("GET", "/owners") == [name]
        assert strict_client.status("GET", path) == 400
        client.ok("DELETE", path)
    assert client.ok("GET", "/owners") == []


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "a\x85b", "a\u2028b", "x" * 201])
def test_names_that_would_break_lines_are_refused(client, name):
    assert client.status("POST", f"/owner/o/project/p/stack/{quote(name, safe='')}", {}) == 400


def test_section_data_is_live_while_loading_and_as_java_keeps_it_in_strict_mode(client, strict_client, tile):
    path = client.create("s")
    client.put(path, tile("a"), tile("b", x=50), tile("c", z=2, layout={"sectionId": "2.1"}), tile("d", z=3, layout={}))
    expected = [
        {"sectionId": "1.0", "z": 1.0, "tileCount": 2, "minX": 0.0, "maxX": 150.0, "minY": 0.0, "maxY": 80.0},
        {"sectionId": "2.1", "z": 2.0, "tileCount": 1, "minX": 0.0, "maxX": 100.0, "minY": 0.0, "maxY": 80.0},
    ]
    assert client.ok("GET", f"{path}/sectionData") == expected
    assert strict_client.status("GET", f"{path}/sectionData") == 400
    client.complete(path)
    assert strict_client.ok("GET", f"{path}/sectionData?minZ=2") == expected[1:]
    client.ok("PUT", f"{path}/state/LOADING")
    client.ok("DELETE", f"{path}/z/1")
    assert client.ok("GET", f"{path}/sectionData") == expected[1:]
    assert strict_client.ok("GET", f"{path}/sectionData") == expected
    assert client.ok("GET", f"{path}/section/2.1/z") == 2.0
    assert client.status("GET", f"{path}/section/1.0/z") == 404
