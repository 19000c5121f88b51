"""``rendermodules render``: draw one file of render parameters."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rendermodules.io.files import write_bytes_whole, written_whole
from rendermodules.io.image_cache import ImageCache
from rendermodules.io.image_formats import Image, jpeg_bytes, png_bytes, tiff_bytes
from rendermodules.io.image_loaders import ImageError, opened
from rendermodules.io.paths import allowed_below
from rendermodules.render_ws.rendering.canvas import Canvas
from rendermodules.render_ws.rendering.output import argb, colours, deep, gray
from rendermodules.render_ws.rendering.parameters import RenderingError
from rendermodules.render_ws.rendering.renderer import Renderer

KINDS: Mapping[str, Callable[[Canvas], Image]] = {"argb": argb, "gray": gray, "short": deep}
"""What is written of a canvas: colours with transparency, 8-bit gray as shown, or 16-bit values."""

_PLACEHOLDER = re.compile(r"@[A-Z_]+@")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 (cannot be drawn). Bad options exit with 2."""
    parser = argparse.ArgumentParser(
        prog="rendermodules render", description="Draw the box that a file of render parameters describes."
    )
    parser.add_argument("parameters", help="path or URL of the render parameters, as JSON")
    parser.add_argument("out", type=Path, help="the image: .png, .jpg or .tif")
    parser.add_argument("--strict", action="store_true", help="draw what Java draws, to the last bit")
    parser.add_argument(
        "--kind", choices=KINDS, default="argb", help="colours, 8-bit gray or 16-bit values (default: %(default)s)"
    )
    parser.add_argument("--raw", type=Path, help="also write the values before they are brought into a range, as .npz")
    parser.add_argument(
        "--image-root", type=Path, help="read images from this folder only; names like @ROOT@ in URLs stand for it"
    )
    parser.add_argument("--threads", type=int, default=1, help="how many threads draw (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        _draw(options)
    except (RenderingError, ImageError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _draw(options: argparse.Namespace) -> None:
    root = None if options.image_root is None else options.image_root.resolve()
    spec = loaded_parameters(options.parameters, root)
    allowed = None if root is None else allowed_below([root])
    renderer = Renderer(ImageCache(allowed=allowed), options.strict, options.threads)
    canvas = renderer.render(spec, keep_values=options.kind == "short")
    kind = "gray" if options.kind == "argb" and spec.get("convertToGray") else options.kind
    content = file_bytes(canvas, kind, options.out.suffix.lower(), float(spec.get("quality") or 0.85))
    if options.raw is not None:
        write_raw(canvas, options.raw)
    write_bytes_whole(options.out, content)


def loaded_parameters(place: str, root: Path | None = None) -> dict[str, Any]:
    """Return render parameters from a file, with those that it refers to.

    What ``parametersUrl`` leads to comes in where the file says nothing, and tile specs come from ``tileSpecUrl``.

    Parameters
    ----------
    place : str
        Path or URL of the JSON.
    root : path, optional
        What stands in for names like ``@ROOT@`` in the JSON.

    Raises
    ------
    RenderingError
        A file is no JSON, or not of the form that is expected.
    ImageError
        A file cannot be read.
    """
    spec = _json(place, root)
    if not isinstance(spec, dict):
        raise RenderingError(f"{place}: render parameters are a JSON object")
    further = spec.get("parametersUrl")
    if further:
        spec = {
            **loaded_parameters(further, root),
            **{key: value for key, value in spec.items() if key != "parametersUrl"},
        }
    if spec.get("tileSpecUrl"):
        spec = {**spec, "tileSpecs": _json(spec["tileSpecUrl"], root)}
    return spec


def _json(place: str, root: Path | None) -> Any:
    with opened(place, None) as file:
        text = file.read().decode("utf-8")
    if root is not None:
        text = _PLACEHOLDER.sub(lambda match: json.dumps(str(root))[1:-1], text)
    try:
        return json.loads(text)
    except ValueError as error:
        raise RenderingError(f"{place}: is no JSON: {error}") from None


def file_bytes(canvas: Canvas, kind: str, suffix: str, quality: float) -> bytes:
    """Return a canvas as a file.

    Parameters
    ----------
    canvas : Canvas
    kind : str
        One of ``KINDS``.
    suffix : str
        ``.png``, ``.jpg``, ``.jpeg``, ``.tif`` or ``.tiff``.
    quality : float
        Of JPEG, 0 to 1.

    Raises
    ------
    RenderingError
        The format cannot hold the kind, or is not known.
    """
    if suffix == ".png":
        return png_bytes(KINDS[kind](canvas))
    image = colours(canvas) if kind == "argb" else KINDS[kind](canvas)
    if suffix in (".tif", ".tiff"):
        return tiff_bytes(image)
    if suffix in (".jpg", ".jpeg") and kind != "short":
        return jpeg_bytes(image, quality)
    raise RenderingError(f"images of kind {kind} are written as .png or .tif, and others as .jpg, not {suffix!r}")


def write_raw(canvas: Canvas, path: Path) -> None:
    """Write the values of a canvas, ``raw``, and its mask, ``mask``, if it has one, to an ``.npz`` file."""
    arrays: dict[str, Any] = {"raw": canvas.raw} if canvas.mask is None else {"raw": canvas.raw, "mask": canvas.mask}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
