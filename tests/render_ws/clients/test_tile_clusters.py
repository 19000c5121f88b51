"""Both clients that look at which tiles hang together."""

import pytest


@pytest.fixture
def path(client, tile):
    """A layer of clusters of 4, 2 and 1 tiles, and a layer without matches."""
    path = client.create("s")
    tiles = [tile(name, 1, 90 * index) for index, name in enumerate("abcd")]
    more = [tile(name, 1, 90 * index, 500, layout={"sectionId": "1.1"}) for index, name in enumerate("efg")]
    client.put(path, *tiles, *more, tile("h", 2), tile("i", 2))
    client.complete(path)
    points = {"p": [[1], [2]], "q": [[3], [4]], "w": [1]}
    pairs = [("1.0", "a", "1.0", "b"), ("1.0", "b", "1.0", "c"), ("1.0", "c", "1.0", "d"), ("1.1", "e", "1.1", "f")]
    pairs += [("1.0", "d", "1.1", "e"), ("1.0", "a", "2.0", "h")]
    names = ("pGroupId", "pId", "qGroupId", "qId")
    documents = [{**dict(zip(names, pair, strict=True)), "matches": points} for pair in pairs]
    client.ok("PUT", "/owner/owner/matchCollection/m/matches", documents)
    return path


def test_clusters_are_counted(run, path, caplog):
    run("ClusterCountClient", "--matchCollection", "m", stack="s")
    assert "z 1.0: 2 clusters (4, 2), 0 of them small; 1 tiles alone" in caplog.text
    assert "z 2.0: 0 clusters (), 0 of them small; 2 tiles alone" in caplog.text
    assert "1 layers have more than one large cluster: z 1.0" in caplog.text
    caplog.clear()
    run("ClusterCountClient", "--matchCollection", "m", "--smallClusterFactor", 0.5, "--z", 1, stack="s")
    assert "2 clusters (4, 2), 1 of them small" in caplog.text
    caplog.clear()
    run("ClusterCountClient", "--matchCollection", "m", "--includeMatchesOutsideGroup", 1, stack="s")
    assert "1 clusters (6), 0 of them small; 1 tiles alone" in caplog.text


@pytest.mark.parametrize(
    ("words", "left"),
    [([], "abcdefhi"), (["--maxSmallClusterSize", 2], "abcdhi"), (["--reportRemovedTiles"], "abcdefghi")],
)
def test_small_ones_are_removed(run, client, path, words, left, caplog):
    run("UnconnectedTileRemovalClient", "--matchCollection", "m", *words, stack="s")
    assert client.ok("GET", f"{path}/tileIds") == sorted(left)
    assert "z 2.0: no tiles hang together; all stay" in caplog.text
    assert "z 1.0: g" in caplog.text


def test_what_is_removed_can_be_kept_elsewhere(run, client, path, sections):
    words = ["--maxSmallClusterSize", 2, "--removedTilesStackName", "removed"]
    before = sections(path)
    run("UnconnectedTileRemovalClient", "--matchCollection", "m", *words, 1, stack="s")
    removed = sections("/owner/owner/project/project/stack/removed")
    assert removed == {1.0: {name: before[1.0][name] for name in "efg"}}


def test_refusals(run, client, path, capsys):
    run("UnconnectedTileRemovalClient", "--matchCollection", "gone", stack="s", status=1)
    assert "404" in capsys.readouterr().err
    assert client.ok("GET", path)["state"] == "COMPLETE"
