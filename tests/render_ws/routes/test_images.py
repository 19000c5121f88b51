import cv2
import numpy as np
import pytest

from rendermodules.render_ws.settings import Limits


def decoded(answer):
    assert answer.status_code == 200, answer.text
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def write(tmp_path):
    """Function that writes an image of one gray and returns its URL."""
    (tmp_path / "images").mkdir()

    def write(name, gray, size=(80, 100)):
        file = tmp_path / "images" / f"{name}.png"
        cv2.imwrite(str(file), np.full(size, gray, np.uint8))
        return f"file://{file}"

    return write


@pytest.fixture
def stack(client, tile, write):
    """Gray 100, and over its right end gray 200."""
    path = client.create("s")
    levels = [{"0": {"imageUrl": write(name, gray)}} for name, gray in (("a", 100), ("b", 200))]
    client.put(path, tile("a", mipmapLevels=levels[0]), tile("b", x=90, mipmapLevels=levels[1]))
    return path


def test_boxes_are_drawn_in_every_format(client, stack):
    box = f"{stack}/z/1/box/40,10,100,40,0.5"
    kinds = {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "tiff": "image/tiff",
        "tiff16": "image/tiff",
        "png16": "image/png",
        "raw": "application/octet-stream",
        "raw16": "application/octet-stream",
    }
    for name, kind in kinds.items():
        answer = client.send("GET", f"{box}/{name}-image")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind), answer.text
    image = decoded(client.send("GET", f"{box}/png-image"))
    assert (image.shape, image[10, 10].tolist(), image[10, 40].tolist()) == (
        (20, 50, 4),
        [100] * 3 + [255],
        [200] * 3 + [255],
    )
    assert decoded(client.send("GET", f"{stack}/z/1/tiff16-image?scale=1"))[40, 150] == 200


def test_a_channel_that_is_alone_is_whole_whatever_its_weight(client, tile, write):
    path = client.create("s")
    channels = [
        {"name": name, "minIntensity": 0, "maxIntensity": 255, "mipmapLevels": {"0": {"imageUrl": write(name, gray)}}}
        for name, gray in (("A", 100), ("B", 200))
    ]
    client.put(path, tile("t", channels=channels, mipmapLevels={}))

    def gray(query):
        return decoded(client.send("GET", f"{path}/tile/t/png-image{query}"))[40, 50].tolist()

    assert gray("?channels=B__0.5") == [200, 200, 200, 255]
    assert gray("") == [100, 100, 100, 255]
    assert gray("?channels=A__0.5__B__0.5") == [150, 150, 150, 255]
    assert gray("?channels=none") == gray("?channels=") == [0, 0, 0, 0]


def test_clients_keep_images_until_the_stack_changes(client, strict_client, stack, tile):
    path = f"{stack}/z/1/box/0,0,50,50,1.0/png-image"
    first = client.send("GET", path)
    known = {"If-None-Match": f'"other", {first.headers["ETag"]}'}
    assert client.send("GET", path, headers=known).status_code == 304
    client.put(stack, tile("far", x=9000))
    assert client.send("GET", path, headers=known).status_code == 200
    # Java's tag knows changes of state only
    strict = strict_client.send("GET", path)
    client.put(stack, tile("further", x=9900))
    answer = strict_client.send("GET", path, headers={"If-None-Match": strict.headers["ETag"]})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (304, "no-transform, max-age=3600")


def test_too_many_tiles_are_outlined_or_refused(connect, client, stack):
    box = f"{stack}/z/1/box/0,0,190,80,1.0"
    image = decoded(client.send("GET", f"{box}/png-image?maxTileSpecsToRender=1"))
    assert (image[0, 50].tolist(), image[70, 50].tolist()) == ([0, 255, 0, 255], [0, 0, 0, 0])
    for name in ("jpeg", "tiff", "tiff16", "png16", "raw", "raw16"):
        assert client.status("GET", f"{box}/{name}-image?maxTileSpecsToRender=1") == 200
    for any_number in (0, -1, 2):
        assert decoded(client.send("GET", f"{box}/png-image?maxTileSpecsToRender={any_number}"))[40, 50, 0] == 100
    few = connect(limits=Limits(rendered_tiles=1))
    assert few.status("GET", f"{box}/png-image") == 413


def test_large_images_are_refused_before_they_are_drawn(connect, client, stack):
    small = connect(limits=Limits(image_pixels=1000))
    assert small.status("GET", f"{stack}/z/1/box/0,0,100,50,1.0/png-image") == 400
    assert small.status("GET", f"{stack}/z/1/box/0,0,100,50,0.1/png-image") == 200
    for wild in (
        "0,0,2000000000,2000000000,1.0",
        "0,0,10,10,1e9",
        "0,0,10,10,1e300",
        "1e300,0,10,10,1",
        "0,0,10,-10,1.0",
        "0,0,10,10,0",
    ):
        assert client.status("GET", f"{stack}/z/1/box/{wild}/png-image") in (200, 400), wild
        assert client.status("GET", f"{stack}/z/1/box/{wild}/png-image?maxTileSpecsToRender=1") in (200, 400), wild


@pytest.mark.parametrize("number", ["1e7", "-1e7", "1e308"])
def test_factors_out_of_all_proportion_are_refused(client, stack, number):
    for question in (f"png-image?scale={number}", f"withNeighbors/jpeg-image?heightFactor={number}"):
        answer = client.send("GET", f"{stack}/tile/a/{question}")
        assert (answer.status_code, "must not be beyond" in answer.text) == (400, True)
    assert client.status("GET", f"{stack}/z/1/box/0,0,10,10,{number}/png-image") == 400


def test_large_images_are_refused_before_they_are_read(connect, stack):
    small = connect(limits=Limits(decoded_pixels=1000))
    answer = small.send("GET", f"{stack}/z/1/box/0,0,10,10,1/png-image")
    assert (answer.status_code, "more than the 1000 that are read" in answer.text) == (400, True)


def test_patterns_of_mipmaps_cannot_take_for_ever(client, stack, tile, tmp_path):
    builder = {"rootPath": "/m", "numberOfLevels": 3, "extension": "tif", "imageMipmapPatternString": "(a*)*(b)"}
    assert client.status("PUT", f"{stack}/mipmapPathBuilder", builder) == 400
    level = {"imageUrl": f"file:{tmp_path}/images/a.png"}
    body = {"width": 9, "height": 9, "scale": 0.25, "mipmapPathBuilder": builder}
    body["tileSpecs"] = [tile("x", mipmapLevels={"0": level})]
    answer = client.send("PUT", "/owner/o/png-image", body)
    assert (answer.status_code, "repeats a group" in answer.text) == (400, True)


def test_images_are_read_below_the_roots_only(connect, stack, tile, tmp_path):
    outside = tmp_path / "outside.png"
    cv2.imwrite(str(outside), np.full((80, 100), 77, np.uint8))
    (tmp_path / "images" / "link.png").symlink_to(outside)
    guarded = connect(image_roots=(tmp_path / "images",))
    assert guarded.status("GET", f"{stack}/tile/a/png-image") == 200
    urls = (
        f"file://{outside}",
        f"file://{tmp_path}/images/../outside.png",
        f"file://{tmp_path}/images/link.png",
        "http://127.0.0.1:9/x.png",
    )
    for number, url in enumerate(urls):
        guarded.put(stack, tile(f"t{number}", mipmapLevels={"0": {"imageUrl": url}}))
        assert guarded.status("GET", f"{stack}/tile/t{number}/png-image") == 403, url
        assert guarded.status("GET", f"{stack}/tile/t{number}/validation-info") == 400
    web = connect(image_roots=("http://127.0.0.1:9/open",))
    for url, status in (("http://127.0.0.1:9/open/x.png", 400), ("http://127.0.0.1:9/open/../x.png", 403)):
        web.put(stack, tile("web", mipmapLevels={"0": {"imageUrl": url}}))
        assert web.status("GET", f"{stack}/tile/web/png-image") == status, url
    body = {"width": 9, "height": 9, "tileSpecs": [tile("x", mipmapLevels={"0": {"imageUrl": urls[0]}})]}
    assert guarded.status("PUT", "/owner/o/png-image", body) == 403


def test_missing_and_broken_images_are_named(client, stack, tile, tmp_path):
    (tmp_path / "images" / "text.png").write_text("no image")
    for name in ("none", "text"):
        client.put(stack, tile(name, mipmapLevels={"0": {"imageUrl": f"file://{tmp_path}/images/{name}.png"}}))
        answer = client.send("GET", f"{stack}/tile/{name}/png-image")
        assert (answer.status_code, f"{name}.png" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"tileSpecs": {}},
        {"tileSpecs": [7]},
        {"width": "x"},
        {"width": -1},
        {"scale": 0},
        {"channels": 7},
        {"quality": "x"},
        {"filterSpecs": 7},
        {"mipmapPathBuilder": 7},
        {"tileSpecs": [{"tileId": "t", "transforms": 7}]},
        {"tileSpecs": [{"tileId": "t", "width": 9, "height": 9, "mipmapLevels": {"x": {}}}]},
        {"tileSpecs": [{"tileId": "t", "width": 9, "height": 9, "mipmapLevels": {"0": {"imageUrl": 7}}}]},
    ],
)
def test_what_is_no_render_parameters_is_refused(client, body):
    answer = client.send("PUT", "/owner/o/png-image", body)
    assert answer.status_code == 400, answer.text


def test_materialized_files_are_served(connect, client, stack, tmp_path):
    client.complete(stack)
    cell = tmp_path / "images" / "boxes" / "64x32" / "1" / "1" / "0" / "2.png"
    cell.parent.mkdir(parents=True)
    cell.write_bytes(b"a file")
    headers = {"Content-Type": "text/plain"}
    client.ok("PUT", f"{stack}/materializedBoxRootPath", data=str(tmp_path / "images" / "boxes"), headers=headers)
    grid = f"{stack}/largeDataTileSource/64/32/1/1"
    assert client.send("GET", f"{grid}/0/2.png").content == b"a file"
    assert decoded(client.send("GET", f"{grid}/0/2.png?maxTileSpecsToRender=0")).shape == (32, 64, 4)
    assert decoded(client.send("GET", f"{grid}/0/1.png")).shape == (32, 64, 4)
    elsewhere = connect(image_roots=(tmp_path / "nothing",))
    assert elsewhere.status("GET", f"{grid}/0/2.png") == 403
    for wild in ("1/0/-1.png", "1/x/0.png", "99/0/0.png", "-1/0/0.png"):
        assert client.status(
            "GET", f"{stack}/largeDataTileSource/64/32/{wild.split('/')[0]}/1/{'/'.join(wild.split('/')[1:])}"
        ) in (200, 400)
