"""Cells of viewers' grids, overviews, and files that were made before."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def path(client, tile, tmp_path):
    """Gray 100 from (0, 0) to (100, 80), and gray 200 from (130, 0) on."""
    specs = []
    for name, x, gray in (("a", 0.0, 100), ("b", 130.0, 200)):
        file = tmp_path / f"{name}.png"
        cv2.imwrite(str(file), np.full((80, 100), gray, np.uint8))
        specs.append(tile(name, x=x, mipmapLevels={"0": {"imageUrl": f"file:{file}"}}, groupId=name))
    path = client.create("s")
    client.put(path, *specs)
    return path


def image(client, path, **query):
    answer = client.send("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_cells_of_levels(client, path):
    grid = f"{path}/largeDataTileSource/64/32"
    whole = image(client, f"{grid}/0/1.0/0/1.png")
    assert whole.shape == (32, 64)
    assert (whole[16, 10], whole[16, 60]) == (100, 0)
    # level 1 covers 128 x 64 pixels with each cell
    half = image(client, f"{grid}/1/1.0/0/1.png")
    assert half.shape == (32, 64)
    assert (half[16, 10], half[16, 55]) == (200, 0)
    assert image(client, f"{grid}/0/1.0/0/1.jpg").shape == (32, 64)
    assert client.status("GET", f"{grid}/40/1.0/0/1.png") == 400


def test_overviews_need_the_bounds_of_a_completion(client, path):
    small = f"{path}/largeDataTileSource/64/32/small/1.0.jpg"
    assert client.status("GET", small) == 400
    client.complete(path)
    assert max(image(client, small).shape) == 192
    assert max(image(client, small, maxOverviewWidthAndHeight=50).shape) == 50


def test_raw_boxes_of_layers_and_groups(client, path):
    box = "dvid/imagetile/raw/xy/120_20/50_10_1"
    drawn = image(client, f"{path}/{box}/png")
    assert (drawn.shape, drawn[10, 10], drawn[10, 100]) == ((20, 120), 100, 200)
    only = image(client, f"{path}/group/a/{box}/png")
    assert (only[10, 10], only[10, 100]) == (100, 0)
    assert client.ok("GET", f"{path}/{box}/tile-count") == 2
    assert len(client.ok("GET", f"{path}/{box}/render-parameters")["tileSpecs"]) == 2
    assert len(client.ok("GET", f"{path}/group/b/{box}/render-parameters")["tileSpecs"]) == 1


def test_materialized_cells_are_given_as_they_are(connect, client, path, tmp_path):
    root = tmp_path / "boxes"
    file = root / "64x32" / "0" / "1" / "0" / "1.png"
    file.parent.mkdir(parents=True)
    cv2.imwrite(str(file), np.full((32, 64), 7, np.uint8))
    client.ok("PUT", f"{path}/materializedBoxRootPath", data=str(root), headers={"Content-Type": "text/plain"})
    cell = f"{path}/largeDataTileSource/64/32/0/1.0/0/1.png"
    assert client.send("GET", cell).content == file.read_bytes()
    assert image(client, cell, maxTileSpecsToRender=0)[16, 10] == 100
    assert image(client, cell.replace("0/1.png", "0/0.png"))[16, 10] == 100
    elsewhere = connect(image_roots=(tmp_path / "other",))
    assert elsewhere.status("GET", cell) == 403
