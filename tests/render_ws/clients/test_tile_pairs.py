import gzip
import json

import pytest


@pytest.fixture
def path(client, tile):
    """Two layers of 2 x 2 tiles that overlap by 10 pixels, and a tile that others cover."""
    path = client.create("s")
    for z in (1, 2):
        tiles = [
            tile(f"{z}_{row}{column}", z, 90 * column, 70 * row)
            | {"layout": {"sectionId": f"{z}.0", "imageRow": row, "imageCol": column}}
            for row in (0, 1)
            for column in (0, 1)
        ]
        client.put(path, *tiles)
    client.put(path, tile("0_hidden", 1, 5, 5, width=50.0, height=50.0))
    client.complete(path)
    return path


def pairs_of(file):
    document = json.loads(file.read_text())
    return [(pair["p"]["id"], pair["q"]["id"]) for pair in document["neighborPairs"]]


def test_a_montage(run, path, tmp_path):
    file = tmp_path / "pairs.json"
    run("TilePairClient", "--zNeighborDistance", 0, "--toJson", file, "--minZ", 1, "--maxZ", 1.0, stack="s")
    assert pairs_of(file) == [("1_00", "1_01"), ("1_00", "1_10"), ("1_01", "1_11"), ("1_10", "1_11")]
    document = json.loads(file.read_text())
    template = "{baseDataUrl}/owner/owner/project/project/stack/s/tile/{id}/render-parameters"
    assert document["renderParametersUrlTemplate"] == template
    first = document["neighborPairs"][0]
    assert first["p"] == {"groupId": "1.0", "id": "1_00", "relativePosition": "LEFT"}
    assert first["q"]["relativePosition"] == "RIGHT"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--excludeCornerNeighbors", "false"], 6),
        (["--excludeCompletelyObscuredTiles", "False"], 7),
        (["--excludeSameLayerPairsWithPosition", "TOP"], 2),
        (["--excludeSameSectionNeighbors", "true"], 0),
        (["--useRowColPositions", "--xyNeighborFactor", 0.6], 4),
        (["--explicitRadius", 10], 0),
        (["--minX", 95, "--maxX", 300, "--minY", 0, "--maxY", 300], 4),
        (["--minX", 105, "--maxX", 300, "--minY", 0, "--maxY", 300], 1),
    ],
)
def test_rules(run, client, path, tmp_path, words, count, caplog):
    if "--useRowColPositions" in words:
        client.ok("PUT", f"{path}/state/LOADING")
        client.ok("DELETE", f"{path}/tile/0_hidden")
    file = tmp_path / "pairs.json"
    run("TilePairClient", "--zNeighborDistance", 0, "--toJson", file, "--z", 1, *words, stack="s")
    assert len(pairs_of(file)) == count
    assert ("there are no pairs" in caplog.text) == (count == 0)


def test_across_layers_in_numbered_files(run, path, tmp_path):
    words = ["--xyNeighborFactor", 0.1, "--excludeSameLayerNeighbors", "true", "--maxPairsPerFile", 2]
    run("TilePairClient", *words, "--toJson", tmp_path / "p.json.gz", "--baseStack", "raw", stack="s")
    assert sorted(file.name for file in tmp_path.glob("p*")) == ["p_p000.json.gz", "p_p001.json.gz"]
    documents = [json.loads(gzip.decompress(file.read_bytes())) for file in sorted(tmp_path.glob("p*"))]
    pairs = [pair for document in documents for pair in document["neighborPairs"]]
    assert [(pair["p"]["id"], pair["q"]["id"]) for pair in pairs] == [
        (f"1_{n}", f"2_{n}") for n in ("00", "01", "10", "11")
    ]
    assert {pair["absoluteDeltaZ"] for pair in pairs} == {1.0}
    assert "/stack/raw/" in documents[0]["renderParametersUrlTemplate"]


def test_what_is_known_already_is_left_out(run, client, path, tile, tmp_path):
    points = {"p": [[1] * 5, [2] * 5], "q": [[3] * 5, [4] * 5], "w": [1] * 5}
    pair = {"pGroupId": "1.0", "pId": "1_00", "qGroupId": "1.0", "qId": "1_01", "matches": points}
    client.ok("PUT", "/owner/else/matchCollection/m/matches", [pair])
    words = ["--zNeighborDistance", 0, "--toJson", tmp_path / "pairs.json", "--z", 1]
    known = ["--excludePairsInMatchCollection", "m", "--existingMatchOwner", "else"]
    run("TilePairClient", *words, *known, stack="s")
    assert ("1_00", "1_01") not in pairs_of(tmp_path / "pairs.json")
    run("TilePairClient", *words, *known, "--minExistingMatchCount", 5, stack="s")
    assert ("1_00", "1_01") in pairs_of(tmp_path / "pairs.json")
    client.put(client.create("some"), tile("1_00", 1), tile("1_10", 9))
    run("TilePairClient", *words, "--onlyIncludeTilesFromStack", "some", stack="s")
    assert pairs_of(tmp_path / "pairs.json") == [("1_00", "1_10")]
    (tmp_path / "ids.json").write_text('["1_11"]')
    run("TilePairClient", *words, "--onlyIncludeTilesNearTileIdsJson", tmp_path / "ids.json", stack="s")
    assert pairs_of(tmp_path / "pairs.json") == [("1_01", "1_11"), ("1_10", "1_11")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--useRowColPositions"], "needs --zNeighborDistance 0"),
        (["--minX", 1], "or none"),
        (["--toJson", "pairs.txt"], "--toJson must be a file that ends in .json, .json.gz, .zip"),
        (["--minZ", 8], "none of the layers"),
        (["--excludePairsInMatchCollection", "none"], "404"),
        (["--zNeighborDistance", 0, "--useRowColPositions", "--z", 1], "no imageRow and imageCol"),
    ],
)
def test_refusals(run, path, tmp_path, words, message, capsys):
    place = [] if "--toJson" in words else ["--toJson", tmp_path / "pairs.json"]
    run("TilePairClient", *place, *words, stack="s", status=1)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "pairs.json").exists()
