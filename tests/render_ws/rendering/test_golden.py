"""Strict rendering against what the Java renderer drew.

The cases of this project always run. All others lie in a folder of recorded data that is not part of it; they are
skipped where that is absent.
"""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from rendermodules.io.image_cache import ImageCache
from rendermodules.io.images import ImageError
from rendermodules.render_ws.rendering import Renderer, RenderingError, RenderParameters
from rendermodules.render_ws.rendering.output import argb, deep, gray
from rendermodules.render_ws.rendering.sources import channel_source
from rendermodules.render_ws.rendering.tiles import placed_tile

OWN = Path(__file__).parents[2] / "data" / "golden"
SHARED = Path(os.environ.get("RENDERMODULES_SHARED", Path(__file__).parents[4] / "shared")) / "golden"

OWN_CASES = json.loads((OWN / "cases.json").read_text())
SHARED_CASES = json.loads((SHARED / "index.json").read_text())["cases"] if SHARED.is_dir() else []
FAILS_IN_JAVA = {"level_only1_1.0", "channel_nonsquare"}
SAVED = {"argb": argb, "gray": gray, "short": deep}

RENDERER = Renderer(ImageCache(), strict=True)


def with_folder(parameters, folder):
    return json.loads(json.dumps(parameters).replace("@GOLDEN@", str(folder)))


def check_canvas(canvas, raw, mask):
    assert canvas.raw.dtype == raw.dtype
    np.testing.assert_array_equal(canvas.raw, raw)
    assert (canvas.mask is None) == (mask is None)
    if mask is not None:
        np.testing.assert_array_equal(canvas.mask, mask)


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: case["id"])
def test_synthetic_canvases_are_those_of_java(case):
    parameters = with_folder(case["parameters"], OWN)
    if not case["draws"]:
        with pytest.raises(RenderingError):
            RENDERER.render(parameters)
        return
    canvas = RENDERER.render(parameters)
    with np.load(OWN / "canvases.npz") as canvases:
        if case["id"].startswith("empty"):
            assert not argb(canvas).any()
            return
        check_canvas(canvas, canvases[f"{case['id']}/raw"], canvases.get(f"{case['id']}/mask"))


@pytest.mark.parametrize("case", [case for case in OWN_CASES if case["draws"]], ids=lambda case: case["id"])
@pytest.mark.parametrize("strict", [True, False])
def test_levels_are_those_that_java_chose(case, strict):
    parameters = RenderParameters.of(with_folder(case["parameters"], OWN))
    for tile, expected in zip(parameters.tiles, case["tiles"], strict=True):
        source = channel_source(tile, None, parameters)
        placed = placed_tile(tile, source, parameters, RENDERER.images, RENDERER._geometry, strict)
        assert placed.level == expected["mipmapLevel"]
        if strict:
            assert len(placed.placement.corners) == expected["numberOfTriangles"]


@pytest.mark.skipif(not SHARED_CASES, reason="the recorded canvases are not here")
@pytest.mark.parametrize("case", SHARED_CASES, ids=lambda case: case["id"])
def test_recorded_canvases_are_those_of_java(case, tmp_path):
    parameters = with_folder(json.loads((SHARED / case["params"]).read_text()), SHARED)
    if "mipmapPathBuilder" in parameters:
        parameters["mipmapPathBuilder"]["rootPath"] = str(pyramid_with_paths_of_today(tmp_path))
    if case["id"] in FAILS_IN_JAVA:
        with pytest.raises((RenderingError, ImageError)):
            RENDERER.render(parameters)
        return
    canvas = RENDERER.render(parameters)
    raw = SHARED / "cases" / case["id"] / "raw.npz"
    if raw.exists():
        with np.load(raw) as arrays:
            check_canvas(canvas, arrays["raw"], arrays.get("mask"))
    kind = "gray" if parameters.get("convertToGray") else case["kind"]
    check_saved(SAVED[kind](canvas), cv2.imread(str(SHARED / case["output"]), cv2.IMREAD_UNCHANGED))


def pyramid_with_paths_of_today(folder):
    """Return the root of mipmaps whose names hold the path of the recorded data as it is now."""
    image = SHARED.absolute() / "images" / "em_600x500.png"
    for level in ("1", "2"):
        mipmap = folder / level / str(image)[1:]
        mipmap.parent.mkdir(parents=True)
        (recorded,) = (SHARED / "images" / "pyr" / level).rglob("em_600x500.png.png")
        mipmap.with_name(mipmap.name + ".png").symlink_to(recorded)
    return folder


def check_saved(image, expected):
    if expected.ndim == 3:
        expected = cv2.cvtColor(expected, cv2.COLOR_BGRA2RGBA)
        # Java's graphics lose grey levels where the image is half transparent
        opacity = expected[:, :, 3]
        np.testing.assert_array_equal(image[:, :, 3], opacity)
        firm = (opacity == 0) | (opacity == 255)
        image, expected = image[firm], expected[firm]
    np.testing.assert_array_equal(image, expected)
