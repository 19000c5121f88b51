import json

import numpy as np
import pytest

from rendermodules.io.images import read_image, write_image
from rendermodules.render_ws.clients.__main__ import main


@pytest.fixture
def tiles(drawn_tile, tmp_path):
    (tmp_path / "tiles.json").write_text(json.dumps([drawn_tile("a", x=10, y=20)]))
    return tmp_path / "tiles.json"


def render(*words, name="ArgbRenderer", status=0):
    assert main(["1G", f"org.janelia.alignment.{name}", *map(str, words)]) == status


@pytest.mark.parametrize("name", ["ArgbRenderer", "Render"])
def test_tile_specs(tiles, tmp_path, name):
    out = tmp_path / "out.tif"
    box = ["--x", 10, "--y", 20, "--width", 100, "--height", 80, "--res", 32, "--threads", 2]
    render("--tile_spec_url", tiles, "--out", out, *box, name=name)
    np.testing.assert_array_equal(read_image(out)[:, :, 0], read_image(tmp_path / "a.png"))


def test_render_parameters(tiles, tmp_path):
    base = {"x": 10.0, "y": 20.0, "width": 100, "height": 80, "tileSpecUrl": str(tiles), "convertToGray": True}
    (tmp_path / "base.json").write_text(json.dumps(base))
    more = {"parametersUrl": str(tmp_path / "base.json"), "scale": 0.5, "out": str(tmp_path / "out.png")}
    (tmp_path / "more.json").write_text(json.dumps(more))
    render("--parameters_url", tmp_path / "more.json")
    assert read_image(tmp_path / "out.png").shape == (40, 50)
    render("--parameters_url", tmp_path / "more.json", "--x", 0, "--scale", 1, "--background_color", "0x102030")
    image = read_image(tmp_path / "out.png")
    assert image.shape == (80, 100)
    np.testing.assert_array_equal(image[:, 10:], read_image(tmp_path / "a.png")[:, :90])


def test_over_a_picture(tiles, tmp_path):
    write_image(tmp_path / "under.png", np.full((50, 60), 9, np.uint8))
    mask = np.zeros((80, 100), np.uint8)
    mask[:, :20] = 255
    write_image(tmp_path / "mask.png", mask)
    (spec,) = json.loads(tiles.read_text())
    spec["mipmapLevels"]["0"]["maskUrl"] = str(tmp_path / "mask.png")
    tiles.write_text(json.dumps([spec]))
    words = ["--tile_spec_url", tiles, "--in", tmp_path / "under.png", "--out", tmp_path / "out.png"]
    render(*words, "--width", 60, "--height", 50)
    image = read_image(tmp_path / "out.png")
    assert (image[:20] == 9).all()
    assert (image[:, 31:] == 9).all()
    np.testing.assert_array_equal(image[20:, 10:30, 1], read_image(tmp_path / "a.png")[:30, :20])
    render(*words, "--width", 61, "--height", 50, status=1)


def test_routes_of_a_service(client, drawn_tile, base_url, tmp_path):
    path = client.create("s")
    client.put(path, drawn_tile("b", x=1000))
    url = f"{base_url}{path}/tile/b/render-parameters"
    render("--parameters_url", url, "--out", tmp_path / "out.png", "--gray", "True")
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), read_image(tmp_path / "b.png"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there are no tiles"),
        (["--background_color", "red"], "0xRRGGBB"),
        (["--parameters_url", "/nowhere.json"], "No such file"),
    ],
)
def test_refusals(words, message, tmp_path, capsys):
    render(*words, "--out", tmp_path / "out.png", status=1)
    assert message in capsys.readouterr().err


def test_the_result_needs_a_place(tiles, capsys):
    render("--tile_spec_url", tiles, status=1)
    assert "--out is missing" in capsys.readouterr().err
    render("--tile_spec_url", tiles, "--out", "out.bmp", status=1)
    assert "no image format .bmp: there are tif" in capsys.readouterr().err
