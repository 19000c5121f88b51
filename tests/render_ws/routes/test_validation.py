import cv2
import numpy as np
import pytest

CHECK = "/owner/o/validate-json"


@pytest.fixture
def good(tile, tmp_path):
    file = tmp_path / "image.png"
    cv2.imwrite(str(file), np.zeros((80, 100), np.uint8))
    return tile("good", mipmapLevels={"0": {"imageUrl": f"file://{file}"}})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mipmapLevels": {"0": {"imageUrl": "file:/nowhere/x.png"}}}, "/nowhere/x.png"),
        ({"mipmapLevels": {}}, "does not contain any mipmapLevel"),
        ({"mipmapLevels": {"0": {}}}, "no imageUrl"),
        ({"transforms": {"specList": [{"className": "none", "dataString": ""}]}}, "none"),
        ({"transforms": {"specList": [{"type": "ref", "refId": "lens"}]}}, "lens"),
        ({"transforms": 7}, ""),
        ({"mipmapLevels": 7}, ""),
        ({"mipmapLevels": {"zero": {}}}, ""),
    ],
)
def test_tiles_that_cannot_be_rendered(client, good, changes, reason):
    assert client.send("PUT", f"{CHECK}/tile", good).text.startswith("Successfully parsed")
    answer = client.send("PUT", f"{CHECK}/tile", {**good, **changes})
    assert (answer.status_code, reason in answer.text) == (400, True), answer.text
    assert client.status("PUT", f"{CHECK}/tile-array", [good, {**good, **changes}]) == 400
    assert client.status("PUT", f"{CHECK}/render", {"tileSpecs": [{**good, **changes}]}) == 400


def test_other_kinds(client, good, translation):
    assert client.status("PUT", f"{CHECK}/tile-array", [good]) == 200
    assert client.status("PUT", f"{CHECK}/render", {"tileSpecs": [good], "width": 9, "height": 9}) == 200
    assert client.status("PUT", f"{CHECK}/transform", translation(1, 2)) == 200
    assert client.status("PUT", f"{CHECK}/transform", {"type": "list", "specList": [translation(1, 2)]}) == 200
    assert client.status("PUT", f"{CHECK}/transform-array", [translation(1, 2)]) == 200
    for wrong in ({}, [], {"className": 7}, {"type": "ref"}, {"type": "list", "specList": 7}):
        assert client.status("PUT", f"{CHECK}/transform", wrong) == 400, wrong
    assert client.status("PUT", f"{CHECK}/transform-array", {}) == 400
