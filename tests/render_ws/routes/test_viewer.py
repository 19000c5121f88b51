"""The pages and the data that they ask for, in process."""

import cv2
import numpy as np
import pytest
import tifffile

from rendermodules.io.paths import url_of_path
from rendermodules.render_ws.adapter import EMBEDDED_URL

SECTION = "/viewer/data/owner/owner/project/project/stack/{stack}/z/{z}"


@pytest.fixture
def get(client):
    """Function that asks for a path of a section, or of the service."""

    def get(path, stack="raw", z=1, **options):
        url = path if path.startswith("/") else f"{SECTION.format(stack=stack, z=z)}/{path}"
        return client.session.get(EMBEDDED_URL + url, allow_redirects=False, **options)

    return get


@pytest.fixture
def image(tmp_path):
    """URL of an image of 100 x 80 pixels, all 200."""
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, np.full((80, 100), 200, np.uint8))
    return url_of_path(path)


@pytest.fixture
def two_tiles(client, tile, image):
    """Stack ``raw``: tiles a and b beside each other at z 1, tile c at z 2."""
    path = client.create("raw")
    levels = {"mipmapLevels": {"0": {"imageUrl": image}}}
    client.put(path, tile("a", **levels), tile("b", x=90.0, **levels), tile("c", z=2.0, x=5.0, **levels))
    client.complete(path)
    return path


def pixels(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_the_way_to_the_first_page(get):
    for path in ("/", "/viewer", "/viewer/"):
        answer = get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/viewer/index.html")


def test_a_page_is_safe_and_kept_by_the_browser(get):
    answer = get("/viewer/index.html", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = get("/viewer/index.html", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_is_no_page(get):
    for path in ("/viewer/nothing.html", "/viewer/..%2fapp.py", "/viewer/__init__.py"):
        assert get(path).status_code == 404


def test_outlines(get, two_tiles):
    answer = get("outlines").json()
    assert answer["tileIds"] == ["a", "b"]
    assert answer["corners"] == [0, 0, 100, 0, 100, 80, 0, 80, 90, 0, 190, 0, 190, 80, 90, 80]
    assert answer["sectionIds"] == ["1.0"]


def test_a_section_without_tiles(get, two_tiles):
    for path in ("outlines", "missing-images", "matches/m"):
        answer = get(path, z=7)
        assert answer.status_code == 400
        assert "7" in answer.text


def test_a_stack_that_is_being_written(client, get, tile, image):
    client.put(client.create("half"), tile("a", mipmapLevels={"0": {"imageUrl": image}}))
    assert get("outlines", "half").json()["tileIds"] == ["a"]
    assert pixels(get("thumbnail", "half")).max() > 190


def test_thumbnails(get, two_tiles, monkeypatch):
    from rendermodules.render_ws.routes import viewer

    picture = pixels(get("thumbnail?size=95"))
    assert picture.shape == (40, 95)
    assert picture.min() > 190
    monkeypatch.setattr(viewer, "MOST_THUMBNAIL_TILES", 1)
    shape = pixels(get("thumbnail?size=95"))
    assert shape.shape == (40, 95)
    assert abs(int(shape[20, 50]) - 110) < 3
    assert get("thumbnail?size=99999").status_code == 400


def test_a_stack_that_does_not_exist(get):
    answer = get("outlines", "nowhere")
    assert answer.status_code == 404
    assert "nowhere" in answer.text


def test_a_service_without_a_token_needs_no_session(get, client):
    answer = client.session.post(f"{EMBEDDED_URL}/viewer/session")
    assert answer.status_code == 204
    assert "Set-Cookie" not in answer.headers
    assert get("/favicon.ico").headers["Content-Type"] == "image/svg+xml"


def test_images_that_are_missing(client, get, tile, image, tmp_path):
    path = client.create("torn")
    (tmp_path / "empty.tif").touch()
    empty = {"mipmapLevels": {"0": {"imageUrl": url_of_path(tmp_path / "empty.tif")}}}
    client.put(path, tile("a", mipmapLevels={"0": {"imageUrl": image}}), tile("b"), tile("c", **empty))
    assert get("missing-images", "torn").json() == {"missing": [1, 2], "lookedAt": 3}
    assert pixels(get("thumbnail?size=100", "torn")).max() > 190
