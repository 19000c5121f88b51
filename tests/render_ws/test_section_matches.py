"""The matches of a section in the world."""

import json

import numpy as np
import pytest

from rendermodules.render_ws.adapter import EMBEDDED_URL

SECTION = "/viewer/data/owner/owner/project/project/stack/{stack}/z/{z}"


@pytest.fixture
def get(client):
    """Function that asks for a path of a section."""

    def get(path, stack="raw", z=1):
        return client.session.get(f"{EMBEDDED_URL}{SECTION.format(stack=stack, z=z)}/{path}")

    return get


@pytest.fixture
def two_tiles(client, tile):
    """Stack ``raw``: tiles a and b beside each other at z 1, tile c at z 2."""
    path = client.create("raw")
    client.put(path, tile("a"), tile("b", x=90.0), tile("c", z=2.0, x=5.0))
    client.complete(path)
    return path


def match(p, q, p_points, q_points):
    return {
        "pGroupId": p[0],
        "pId": p[1],
        "qGroupId": q[0],
        "qId": q[1],
        "matches": {
            "p": np.transpose(p_points).tolist(),
            "q": np.transpose(q_points).tolist(),
            "w": [1.0] * len(p_points),
        },
    }


@pytest.fixture
def matched(client, two_tiles):
    """Collection ``m``: a and b agree but for 3 and 4 pixels, and a and c of two sections exactly."""
    documents = [
        match(("1.0", "a"), ("1.0", "b"), [[95.0, 10.0], [95.0, 40.0]], [[5.0, 10.0], [8.0, 44.0]]),
        match(("1.0", "a"), ("2.0", "c"), [[55.0, 10.0]], [[50.0, 10.0]]),
        match(("1.0", "a"), ("1.0", "lost"), [[55.0, 10.0]], [[50.0, 10.0]]),
    ]
    client.ok("PUT", "/owner/owner/matchCollection/m/matches", documents)


def test_matches_of_a_section(get, matched):
    found = get("matches/m").json()
    assert [found["tileIds"][index] for index in (*found["p"], *found["q"])] == ["a", "b"]
    assert found["count"] == [2]
    assert found["mean"] == [2.5]
    assert found["greatest"] == [5.0]
    assert (found["x"], found["y"]) == ([95.8], [26.0])
    assert found["unplaced"] == 1


def test_matches_between_sections(get, matched):
    found = get("matches/m?otherZ=2").json()
    assert found["tileIds"] == ["a", "c"]
    assert found["greatest"] == [0.0]


def test_matches_of_a_pair(get, matched):
    found = get("matches/m/pair?p=b&q=a").json()
    assert (found["p"]["tileId"], found["q"]["tileId"]) == ("a", "b")
    assert found["p"]["points"] == [[95.0, 10.0], [95.0, 40.0]]
    assert found["q"]["world"] == [[95.0, 10.0], [98.0, 44.0]]
    assert found["residuals"] == [0.0, 5.0]


def test_matches_of_raw_pixels_go_through_all_transforms(client, get, tile, translation):
    path = client.create("lens")
    lens = translation(0, 0, metaData={"labels": ["lens"]})
    two = {"transforms": {"type": "list", "specList": [{**lens, "dataString": "2 0 0 2 0 0"}, translation(10, 0)]}}
    client.put(path, tile("a", **two), tile("b", **two))
    document = match(("1.0", "a"), ("1.0", "b"), [[10.0, 10.0]], [[10.0, 10.0]])
    client.ok("PUT", "/owner/owner/matchCollection/m/matches", [document])
    assert get("matches/m/pair?p=a&q=b", "lens").json()["p"]["world"] == [[20.0, 10.0]]
    assert get("matches/m/pair?p=a&q=b&numLocalTransforms=0", "lens").json()["p"]["world"] == [[30.0, 20.0]]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("matches/other", 404, "other"),
        ("matches/m/pair?p=a", 400, "name the tiles"),
        ("matches/m/pair?p=a&q=zzz", 404, "no tile 'zzz'"),
        ("matches/m?numLocalTransforms=-1", 400, "numLocalTransforms"),
        ("matches/m?otherZ=9", 400, "9"),
    ],
)
def test_matches_that_cannot_be_shown(get, matched, path, status, message):
    answer = get(path)
    assert answer.status_code == status
    assert message in answer.text


def test_a_pair_without_matches(client, get, matched, tile):
    client.ok("PUT", "/owner/owner/project/project/stack/raw/state/LOADING")
    client.put("/owner/owner/project/project/stack/raw", tile("d"))
    answer = get("matches/m/pair?p=a&q=d")
    assert answer.status_code == 404
    assert "have no matches" in answer.text


def test_the_stack_that_was_matched_says_which_transforms_are_local(client, get, matched, tile, translation):
    record = {
        "module": "rendermodules.stack.apply_transform_to_stack",
        "inputs": {"raw": {"currentVersionNumber": 0}},
        "parameters": {},
    }
    path = client.create("moved", versionNotes=json.dumps(record))

    def twice(x):
        return {"transforms": {"type": "list", "specList": [translation(x, 0), translation(1000, 0)]}}

    client.put(path, tile("a", **twice(0)), tile("b", **twice(90)))
    client.complete(path)
    found = get("matches/m", "moved").json()
    assert found["numLocalTransforms"] == 0
    assert found["greatest"] == [5.0]
    assert found["x"] == [1095.8]
    assert get("matches/m?numLocalTransforms=1", "moved").json()["greatest"] != [5.0]


def test_a_run_that_used_the_matches_says_it(client, get, matched, tile, translation):
    record = {
        "module": "rendermodules.solver.solve_transforms",
        "inputs": {"raw": {"currentVersionNumber": 0}},
        "parameters": {"match_collections": ["m"], "num_local_transforms": 1},
    }
    path = client.create("solved", versionNotes=json.dumps(record))
    twice = {"transforms": {"type": "list", "specList": [translation(5, 0), translation(7, 0)]}}
    client.put(path, tile("a", **twice), tile("b", **twice))
    found = get("matches/m/pair?p=a&q=b", "solved").json()
    assert found["numLocalTransforms"] == 1
    assert found["p"]["world"][0] == [102.0, 10.0]


def test_tiles_as_they_were_matched(client, tile, translation, tmp_path):
    import cv2
    import tifffile

    from rendermodules.io.paths import url_of_path

    image = np.zeros((80, 100), np.uint8)
    image[:, 50:] = 200
    tifffile.imwrite(tmp_path / "a.tif", image)
    levels = {"mipmapLevels": {"0": {"imageUrl": url_of_path(tmp_path / "a.tif")}}}
    three = {"transforms": {"type": "list", "specList": [translation(20, 0), translation(0, 9), translation(500, 9)]}}
    path = client.create("raw")
    client.put(path, tile("a", **three, **levels))

    def edge(count):
        options = {"normalizeForMatching": "true", "numLocalTransforms": count}
        answer = client.send("GET", f"{path}/tile/a/jpeg-image", params=options)
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
        return int(np.argmax(picture[40] > 100))

    assert edge(0) == 50
    assert edge(1) == 70
