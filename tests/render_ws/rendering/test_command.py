import json
import subprocess
import sys

import numpy as np
import pytest

from rendermodules.io.image_formats import decoded
from rendermodules.io.images import read_image
from rendermodules.render_ws.rendering.command import loaded_parameters, main


@pytest.fixture
def parameters(tiles, texture, tmp_path):
    """A file of render parameters for one tile, its image at a placeholder."""
    tile = tiles.tile(texture(1), mask=np.full((150, 200), 200, np.uint8))
    spec = {"width": 200, "height": 150, "tileSpecs": [tile]}
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(spec).replace(str(tiles.folder), "@IMAGES@"))
    return path


def test_files_are_drawn(parameters, tiles, texture, tmp_path):
    out, raw = tmp_path / "out" / "box.png", tmp_path / "raw.npz"
    assert main([str(parameters), str(out), "--image-root", str(tiles.folder), "--raw", str(raw)]) == 0
    assert read_image(out).shape == (150, 200, 3)
    with np.load(raw) as arrays:
        assert np.array_equal(arrays["raw"], texture(1))
        assert (arrays["mask"] == 200).all()


@pytest.mark.parametrize(
    ("kind", "name", "shape", "depth"),
    [("argb", "o.jpg", 3, np.uint8), ("gray", "o.png", 2, np.uint8), ("short", "o.tif", 2, np.uint16),
     ("argb", "o.tif", 3, np.uint8), ("short", "o.png", 2, np.uint16), ("gray", "o.jpeg", 2, np.uint8)],
)  # fmt: skip
def test_kinds_and_formats(parameters, tiles, tmp_path, kind, name, shape, depth):
    arguments = [str(parameters), str(tmp_path / name), "--kind", kind, "--image-root", str(tiles.folder)]
    assert main(arguments) == 0
    image = decoded((tmp_path / name).read_bytes())
    assert image.ndim == shape
    assert image.dtype == depth


def test_strict_draws_what_java_draws(parameters, tiles, tmp_path):
    for number, options in enumerate(([], ["--strict"], ["--threads", "2"])):
        arguments = [str(parameters), str(tmp_path / f"{number}.png"), "--raw", str(tmp_path / f"{number}.npz")]
        assert main([*arguments, "--image-root", str(tiles.folder), *options]) == 0
    plain, strict, threads = (np.load(tmp_path / f"{number}.npz")["raw"] for number in range(3))
    assert plain[-1].all()
    assert not strict[-1].any()
    assert np.array_equal(plain, threads)


def test_a_small_box_needs_no_compiler_at_any_scale(parameters, tiles, tmp_path):
    """In a process of its own: others may have loaded it."""
    parameters.write_text(parameters.read_text().replace('"width"', '"scale": 0.25, "width"', 1))
    script = """
import sys
from rendermodules.render_ws.rendering.command import main
assert main(sys.argv[1:]) == 0
assert "numba" not in sys.modules and "scipy" not in sys.modules
"""
    arguments = [str(parameters), str(tmp_path / "o.png"), "--image-root", str(tiles.folder)]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True)
    assert read_image(tmp_path / "o.png").shape == (37, 50, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("@IMAGES@", "/elsewhere"), "outside of the places"),
        (lambda text: text.replace("tile.tif", "absent.tif"), "absent.tif: No such file"),
        (lambda text: text.replace("200", "0"), r"width \(0\)"),
        (lambda text: text[:-1], "is no JSON"),
        (lambda text: "[]", "are a JSON object"),
    ],
)
def test_what_cannot_be_drawn_leaves_no_file(parameters, tiles, tmp_path, capsys, change, message):
    parameters.write_text(change(parameters.read_text()))
    out, raw = tmp_path / "out.png", tmp_path / "raw.npz"
    assert main([str(parameters), str(out), "--image-root", str(tiles.folder), "--raw", str(raw)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert __import__("re").search(message, error)
    assert not out.exists()
    assert not raw.exists()


def test_formats_that_cannot_hold_an_image_are_refused(parameters, tiles, tmp_path, capsys):
    for name, kind in (("o.jpg", "short"), ("o.gif", "argb")):
        arguments = [str(parameters), str(tmp_path / name), "--kind", kind, "--image-root", str(tiles.folder)]
        assert main(arguments) == 1
        assert "are written as .png or .tif" in capsys.readouterr().err


def test_missing_parameters_are_told(tmp_path, capsys):
    assert main([str(tmp_path / "absent.json"), str(tmp_path / "o.png")]) == 1
    assert "absent.json: No such file" in capsys.readouterr().err


def test_parameters_may_lie_elsewhere(parameters, tmp_path):
    spec = json.loads(parameters.read_text())
    (tmp_path / "tiles.json").write_text(json.dumps(spec.pop("tileSpecs")))
    parameters.write_text(json.dumps({**spec, "tileSpecUrl": str(tmp_path / "tiles.json")}))
    (tmp_path / "outer.json").write_text(json.dumps({"width": 7, "parametersUrl": str(parameters)}))
    loaded = loaded_parameters(str(tmp_path / "outer.json"))
    assert (loaded["width"], loaded["height"]) == (7, 150)
    assert loaded["tileSpecs"][0]["tileId"] == "tile"
