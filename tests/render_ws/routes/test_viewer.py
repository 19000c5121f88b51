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
    assert get("matches/m/pair?p=a&q=b&localTransforms=0", "lens").json()["p"]["world"] == [[30.0, 20.0]]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("matches/other", 404, "other"),
        ("matches/m/pair?p=a", 400, "name the tiles"),
        ("matches/m/pair?p=a&q=zzz", 404, "no tile 'zzz'"),
        ("matches/m?localTransforms=-1", 400, "localTransforms"),
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
