"""Both clients that match canvases, on images whose offset is known."""

import json

import cv2
import numpy as np
import pytest

from rendermodules.io.images import write_image
from rendermodules.render_ws.clients.__main__ import main

OFFSET = np.array([110.0, 4.0])
SIFT = ["--SIFTfdSize", 4, "--SIFTminScale", 0.2, "--SIFTmaxScale", 1.0, "--matchMaxEpsilon", 3]


@pytest.fixture
def path(client, tile, tmp_path):
    """Two tiles of 200 x 150 pixels, the second of which begins at (110, 4) of the first; and one of something else."""
    rng = np.random.default_rng(1)

    def texture():
        noise = rng.normal(size=(200, 320))
        blurred = cv2.GaussianBlur(noise, (0, 0), 2) * 4 + cv2.GaussianBlur(noise, (0, 0), 5) * 10
        return np.clip(128 + 50 * blurred, 0, 255).astype(np.uint8)

    sample, other = texture(), texture()
    images = {"a": sample[:150, :200], "b": sample[4:154, 110:310], "c": other[:150, :200]}
    path = client.create("s")
    for name, x in (("a", 1000), ("b", 1110), ("c", 5000)):
        write_image(tmp_path / f"{name}.png", images[name])
        levels = {"0": {"imageUrl": (tmp_path / f"{name}.png").as_uri()}}
        client.put(path, tile(name, 1, x, 500, width=200.0, height=150.0, mipmapLevels=levels))
    return path


def url(base_url, path, tile_id, query="normalizeForMatching=true"):
    return f"{base_url}{path}/tile/{tile_id}/render-parameters?{query}"


def matches_of(client, collection="m", group="1.0"):
    return client.ok("GET", f"/owner/owner/matchCollection/{collection}/group/{group}/matchesWithinGroup")


def offsets(pair):
    return np.array(pair["matches"]["p"]).T - np.array(pair["matches"]["q"]).T


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_urls_in_pairs(run, client, path, base_url, scale):
    urls = [url(base_url, path, tile_id) for tile_id in ("b", "a", "a", "c")]
    words = ["--collection", "m", "--renderScale", scale, *SIFT, "--matchMinNumInliers", 6, "--numberOfThreads", 2]
    run("PointMatchClient", *words, *urls)
    (pair,) = matches_of(client)
    assert (pair["pId"], pair["qId"]) == ("a", "b")
    assert pair["matchCount"] >= 6
    assert np.abs(np.median(offsets(pair), axis=0) - OFFSET).max() < 0.5 / scale
    assert set(pair["matches"]["w"]) == {1.0}


def test_matches_may_go_to_another_service(run, client, connect, path, base_url, tmp_path):
    urls = [url(base_url, path, tile_id) for tile_id in "ab"]
    elsewhere = tmp_path / "other.db"
    words = ["1G", "PointMatchClient", "--baseDataUrl", elsewhere, "--owner", "owner", "--collection", "m", *SIFT]
    assert main([*map(str, words), *urls]) == 0
    assert len(matches_of(connect(store=elsewhere))) == 1
    assert client.ok("GET", "/owner/owner/matchCollections") == []


def test_strips_and_a_file(run, client, path, base_url, tmp_path):
    file = tmp_path / "matches.json"
    words = [
        "--collection",
        "m",
        *SIFT,
        "--clipWidth",
        100,
        "--firstCanvasPosition",
        "LEFT",
        "--matchStorageFile",
        file,
    ]
    names = ["--canvasGroupIdAlgorithm", "COLLECTION", "--canvasIdAlgorithm", "CANVAS_NAME"]
    run("PointMatchClient", *words, *names, url(base_url, path, "a"), url(base_url, path, "b"))
    (pair,) = json.loads(file.read_text())
    assert [pair[name] for name in ("pGroupId", "pId", "qGroupId", "qId")] == ["m", "a", "m", "b"]
    assert np.abs(np.median(offsets(pair), axis=0) - OFFSET).max() < 0.5
    assert min(pair["matches"]["p"][0]) >= 100
    assert max(pair["matches"]["q"][0]) < 100
    assert client.ok("GET", "/owner/owner/matchCollections") == []


@pytest.mark.parametrize("name", ["SIFTPointMatchClient", "org.janelia.render.client.spark.SIFTPointMatchClient"])
def test_pair_files(run, client, path, base_url, tmp_path, name, caplog):
    words = ["--zNeighborDistance", 0, "--explicitRadius", 200, "--toJson", tmp_path / "pairs.json"]
    run("TilePairClient", *words, stack="s")
    words = ["--collection", "m", "--pairJson", tmp_path / "pairs.json", "--maxPeakCacheGb", 1, *SIFT]
    run(name, *words, "--renderWithFilter", "false", "--clipWidth", 120, "--clipHeight", 90)
    (pair,) = matches_of(client)
    assert np.abs(np.median(offsets(pair), axis=0) - OFFSET).max() < 0.5
    assert "1 of 1 pairs have matches" in caplog.text


def test_blank_tiles_are_not_matched_by_their_noise(run, client, path, tile, base_url, tmp_path):
    for name in ("d", "e"):
        write_image(tmp_path / f"{name}.png", np.zeros((150, 200), np.uint8))
        levels = {"0": {"imageUrl": (tmp_path / f"{name}.png").as_uri()}}
        client.put(path, tile(name, 1, width=200.0, height=150.0, mipmapLevels=levels))
    urls = [url(base_url, path, tile_id, "normalizeForMatching=true&filter=true") for tile_id in ("d", "e")]
    run("PointMatchClient", "--collection", "m", *SIFT, "--matchMinNumInliers", 6, *urls)
    assert client.status("GET", "/owner/owner/matchCollection/m/groupIds") == 404


def test_sets_are_kept_apart(run, client, path, tile, base_url, tmp_path):
    """The lower half of the second tile is moved on by 20 pixels."""
    from rendermodules.io.images import read_image

    image = read_image(tmp_path / "a.png")
    image[75:] = np.roll(image[75:], 20, axis=1)
    write_image(tmp_path / "f.png", image)
    levels = {"0": {"imageUrl": (tmp_path / "f.png").as_uri()}}
    client.put(path, tile("f", 1, width=200.0, height=150.0, mipmapLevels=levels))
    model = ["--matchModelType", "TRANSLATION", "--matchFilter", "CONSENSUS_SETS", "--matchMinNumInliers", 8]
    urls = [url(base_url, path, tile_id) for tile_id in ("a", "f")]
    run("PointMatchClient", "--collection", "m", *SIFT, *model, *urls)
    pairs = {pair["pId"]: pair for pair in matches_of(client)}
    assert {"a_set_1.0_1.0_0", "a_set_1.0_1.0_1"} <= pairs.keys()
    assert pairs["a_set_1.0_1.0_1"]["consensusSetData"] == {"index": 1, "originalPId": "a", "originalQId": "f"}
    shifts = {round(-np.median(offsets(pair)[:, 0])) for pair in pairs.values()}
    assert {0, 20} <= shifts


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x"], "come in pairs"),
        (["--gdEnabled", "true", "x", "y"], "--gdEnabled"),
        (["--matchMinCoveragePercentage", 3, "x", "y"], "no stand-in"),
        (["--matchRegularizerModelType", "RIGID", "x", "y"], "belong together"),
        (["--renderScale", 0, "x", "y"], "above 0"),
        (["--SIFTminScale", 0.9, "x", "y"], "min_scale"),
        (["/nowhere/x.json", "/nowhere/y.json"], "No such file"),
    ],
)
def test_refusals(run, path, words, message, capsys):
    run("PointMatchClient", "--collection", "m", *words, status=1)
    assert message in capsys.readouterr().err
