"""What is said about a stack: resolution, cycle, paths, channel, hierarchy."""

import pytest

CATALOGUE = "/owner/owner/project/project"


@pytest.fixture
def path(client):
    return client.create("s", cycleNumber=1, stackResolutionX=4.0)


def version(client, path):
    return client.ok("GET", path)["currentVersion"]


def test_catalogues_of_a_project(client, path):
    assert client.ok("GET", f"{CATALOGUE}/stackIds") == [{"owner": "owner", "project": "project", "stack": "s"}]
    (one,) = client.ok("GET", f"{CATALOGUE}/stacks")
    assert one == client.ok("GET", path)
    assert client.ok("GET", "/owner/owner/project/other/stacks") == []


def test_cycle(client, path):
    client.ok("PUT", f"{path}/cycle", {"number": 3, "stepNumber": 7})
    assert client.ok("GET", f"{path}/cycle") == {"number": 3, "stepNumber": 7}
    client.ok("DELETE", f"{path}/cycle")
    assert client.ok("GET", f"{path}/cycle") == {}
    assert version(client, path)["stackResolutionX"] == 4.0


def test_values_that_a_list_of_resolutions_lacks_stay(client, path):
    client.ok("PUT", f"{path}/resolutionValues", [8.0, 8.0, 35.0])
    client.ok("PUT", f"{path}/resolutionValues", [2.5])
    assert client.ok("GET", f"{path}/resolutionValues") == [2.5, 8.0, 35.0]
    client.ok("DELETE", f"{path}/resolutionValues")
    assert client.ok("GET", f"{path}/resolutionValues") == [None, None, None]


@pytest.mark.parametrize(
    ("name", "body", "kind", "read"),
    [
        ("materializedBoxRootPath", "/boxes/s", "text/plain", "/boxes/s"),
        ("defaultChannel", "DAPI", "application/json", "DAPI"),
        ("defaultChannel", '"DAPI"', "application/json", "DAPI"),
    ],
)
def test_texts_come_and_go(client, path, name, body, kind, read):
    member = f"{path}/{name}"
    assert client.send("GET", member).status_code == 204
    assert client.status("PUT", member, data=body, headers={"Content-Type": kind}) == 200
    assert client.send("GET", member).text == version(client, path)[name] == read
    assert client.status("PUT", member, data=" ", headers={"Content-Type": kind}) == 400
    client.ok("DELETE", member)
    assert client.send("GET", member).status_code == 204
    assert name not in version(client, path)


def test_a_quoted_channel_keeps_its_quotes_in_java(strict_client):
    path = strict_client.create("s")
    member = f"{path}/defaultChannel"
    assert strict_client.status("PUT", member, data='"DAPI"', headers={"Content-Type": "application/json"}) == 200
    assert strict_client.send("GET", member).text == '"DAPI"'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mipmapPathBuilder", {"rootPath": "/mipmaps/", "numberOfLevels": 3, "extension": "tif"}),
        ("hierarchicalData", {"tier": 2, "scale": 0.5, "splitGroupIds": ["1.0"]}),
    ],
)
def test_objects_come_and_go(client, path, name, value):
    member = f"{path}/{name}"
    assert client.send("GET", member).status_code == 204
    client.ok("PUT", member, value)
    assert value.items() <= client.ok("GET", member).items()
    client.ok("DELETE", member)
    assert client.send("GET", member).status_code == 204


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("stackId", None),
        ("stackId", {"owner": "owner", "project": "project"}),
        ("cycle", None),
        ("cycle", {"number": "three"}),
        ("resolutionValues", None),
        ("resolutionValues", {"x": 1}),
        ("mipmapPathBuilder", None),
    ],
)
def test_nonsense_is_refused(client, path, name, body):
    json = {"Content-Type": "application/json"}
    before = client.ok("GET", path)
    data = "null" if body is None else None
    assert client.status("PUT", f"{path}/{name}", body, data=data, headers=json) == 400
    assert client.ok("GET", path) == before


def test_bounds_need_a_completion(client, path, tile):
    assert client.status("GET", f"{path}/bounds") == 400
    client.put(path, tile("a"))
    client.complete(path)
    bounds = client.ok("GET", f"{path}/bounds")
    assert (bounds["minX"], bounds["minZ"], bounds["maxZ"]) == (0.0, 1.0, 1.0)


def test_unknown_states_are_refused(client, strict_client, path):
    assert client.status("PUT", f"{path}/state/FINISHED") == 400
    assert strict_client.status("PUT", f"{path}/state/FINISHED") == 404
