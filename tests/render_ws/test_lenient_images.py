"""Images with gaps where files are gone."""

import cv2
import numpy as np
import pytest
import tifffile

from rendermodules.io.paths import url_of_path
from rendermodules.render_ws.adapter import EMBEDDED_URL

SECTION = "/viewer/data/owner/owner/project/project/stack/{stack}/z/{z}"
PICTURE = "/render-ws/v1/owner/owner/project/project/stack/{stack}/z/{z}"


@pytest.fixture
def get(client):
    """Function that asks for a picture of a section, or for what is said about its images."""

    def get(path, stack="raw", z=1, **options):
        below = PICTURE if path.startswith("box/") else SECTION
        return client.session.get(f"{EMBEDDED_URL}{below.format(stack=stack, z=z)}/{path}", **options)

    return get


@pytest.fixture
def image(tmp_path):
    """URL of an image of 100 x 80 pixels, all 200."""
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, np.full((80, 100), 200, np.uint8))
    return url_of_path(path)


@pytest.fixture
def two_tiles(client, tile, image):
    """Stack ``raw``: tiles a and b beside each other at z 1."""
    path = client.create("raw")
    levels = {"mipmapLevels": {"0": {"imageUrl": image}}}
    client.put(path, tile("a", **levels), tile("b", x=90.0, **levels))


def pixels(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_a_picture(get, two_tiles):
    picture = pixels(get("box/0,0,200,100,1.0/jpeg-image?skipUnreadable=true"))
    assert picture.shape == (100, 200)
    assert abs(int(picture[40, 50]) - 200) < 3
    assert picture[90, 50] < 5


def test_a_picture_of_a_box_outside(get, two_tiles):
    assert pixels(get("box/5000,5000,64,64,1.0/jpeg-image?skipUnreadable=true")).max() == 0
    assert pixels(get("box/0,0,64,64,1.0/jpeg-image?skipUnreadable=true", z=7)).max() == 0


def test_intensities(get, two_tiles):
    assert pixels(get("box/0,0,64,64,1.0/jpeg-image?skipUnreadable=true&minIntensity=200&maxIntensity=255")).max() < 5


def test_a_tile_whose_image_is_gone_leaves_a_gap(client, get, tile, image, tmp_path):
    path = client.create("torn")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "spoilt.tif").write_bytes(b"II*\0 no picture")
    client.put(
        path,
        tile("whole", mipmapLevels={"0": {"imageUrl": image}}),
        tile("gone", x=100.0),
        tile("empty", x=200.0, mipmapLevels={"0": {"imageUrl": url_of_path(tmp_path / "empty.tif")}}),
        tile("spoilt", x=300.0, mipmapLevels={"0": {"imageUrl": url_of_path(tmp_path / "spoilt.tif")}}),
    )
    assert get("missing-images", "torn").json() == {"missing": [0, 1], "lookedAt": 4}
    picture = pixels(get("box/0,0,400,80,1.0/jpeg-image?skipUnreadable=true", "torn"))
    assert picture[40, 50] > 190
    assert picture[:, 120:].max() < 10
    assert pixels(get("thumbnail?size=100", "torn")).shape == (20, 100)


def test_an_image_that_came_back_is_shown(client, get, tile, image, tmp_path):
    client.put(client.create("torn"), tile("gone", mipmapLevels={"0": {"imageUrl": url_of_path(tmp_path / "x.tif")}}))
    answer = get("box/0,0,64,64,1.0/jpeg-image?skipUnreadable=true", "torn")
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    (tmp_path / "image.tif").rename(tmp_path / "x.tif")
    answer = get("box/0,0,64,64,1.0/jpeg-image?skipUnreadable=true", "torn")
    assert pixels(answer).min() > 190
    assert "ETag" in answer.headers


def test_a_stack_without_any_image(client, get, tile):
    client.put(client.create("torn"), tile("gone"))
    assert pixels(get("box/0,0,64,64,1.0/jpeg-image?skipUnreadable=true", "torn")).max() == 0


def test_images_elsewhere_are_not_shown(connect, tile, image, tmp_path):
    client = connect(image_roots=(tmp_path / "allowed",))
    client.put(client.create("raw"), tile("a", mipmapLevels={"0": {"imageUrl": image}}))
    picture = EMBEDDED_URL + PICTURE.format(stack="raw", z=1) + "/box/0,0,64,64,1.0/jpeg-image"
    assert client.session.get(picture).status_code == 403
    assert pixels(client.session.get(f"{picture}?skipUnreadable=true")).max() == 0
    url = EMBEDDED_URL + SECTION.format(stack="raw", z=1)
    assert client.session.get(f"{url}/missing-images").json()["missing"] == [0]


def test_too_large_a_picture(get, two_tiles):
    answer = get("box/0,0,2000000,2000000,1.0/jpeg-image?skipUnreadable=true")
    assert answer.status_code in (400, 413)
    assert "pixels" in answer.text
