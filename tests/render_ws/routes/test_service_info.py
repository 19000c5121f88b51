"""The service itself."""

import re

from rendermodules import __version__


def test_ids_are_unique_and_look_like_javas(client):
    first, second = (client.send("GET", "/likelyUniqueId").text for _ in range(2))
    assert re.fullmatch("[0-9a-f]{24}", first)
    assert first != second


def test_version_limits_and_filters(client, strict_client):
    assert client.ok("GET", "/versionInfo") == {"name": "rendermodules", "version": __version__, "strict": False}
    assert strict_client.ok("GET", "/versionInfo")["strict"] is True
    assert int(client.ok("GET", "/serverProperties")["properties"]["webService.maxImagePixels"]) > 0
    assert "default" in client.ok("GET", "/namedFilterSpecLists")["namedFilterSpecLists"]


def test_forgotten_images_are_read_again(client, tile, tmp_path):
    import cv2
    import numpy as np

    file = tmp_path / "a.png"
    cv2.imwrite(str(file), np.full((80, 100), 50, np.uint8))
    path = client.create("s")
    client.put(path, tile("a", mipmapLevels={"0": {"imageUrl": f"file:{file}"}}))

    def gray():
        content = client.send("GET", f"{path}/tile/a/png-image").content
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)[40, 50]

    assert gray() == 50
    client.ok("DELETE", "/imageProcessorCache/allEntries")
    cv2.imwrite(str(file), np.full((80, 100), 60, np.uint8))
    client.ok("DELETE", "/imageProcessorCache/allEntries")
    assert gray() == 60
