"""The pictures of a report, as Render draws them."""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from renderapi.render import Render, format_baseurl

from rendermodules.command.places import answer, quoted
from rendermodules.command.report.numbers import Seam
from rendermodules.command.survey import path_of_stack
from rendermodules.module.errors import RenderModuleError

THUMBNAIL_PIXELS = 320
SEAM_PIXELS = 300


class Picture(NamedTuple):
    """A picture of a box of the world.

    Attributes
    ----------
    source : str
        What an ``img`` element shows: the picture itself; empty where there is none.
    x, y : float
        Left and upper edge in world pixels.
    width, height : int
        Of the box in world pixels.
    caption : str
        What it is, or why there is none.
    """

    source: str
    x: float
    y: float
    width: int
    height: int
    caption: str


def thumbnail(render: Render, stack: str, z: float) -> Picture:
    """Return a small picture of a section."""
    try:
        bounds = answer(render, *path_of_stack(render, stack), "z", repr(float(z)), "bounds")
    except RenderModuleError as error:
        return Picture("", 0.0, 0.0, THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, str(error))
    width, height = int(bounds["maxX"] - bounds["minX"]), int(bounds["maxY"] - bounds["minY"])
    scale = min(1.0, THUMBNAIL_PIXELS / max(width, height, 1))
    return _drawn(render, stack, z, (bounds["minX"], bounds["minY"], max(width, 1), max(height, 1)), scale)


def seam_pictures(render: Render, stack: str, seam: Seam) -> Sequence[Picture]:
    """Return pictures at full resolution of where two tiles meet: one, or one of each section."""
    half = SEAM_PIXELS // 2
    box = (round(seam.x) - half, round(seam.y) - half, SEAM_PIXELS, SEAM_PIXELS)
    return [_drawn(render, stack, z, box, 1.0) for z in dict.fromkeys((seam.p_z, seam.q_z))]


def _drawn(render: Render, stack: str, z: float, box: tuple[float, float, int, int], scale: float) -> Picture:
    x, y, width, height = box
    place = ("z", repr(float(z)), "box", f"{x},{y},{width},{height},{scale!r}", "jpeg-image")
    url = f"{format_baseurl(render.DEFAULT_HOST, render.DEFAULT_PORT)}/{quoted(*path_of_stack(render, stack), *place)}"
    # Java Render knows nothing of skipUnreadable, and ignores it
    response = render.session.get(url, params={"skipUnreadable": "true"})
    caption = f"{stack}, z {z:g}"
    if response.status_code >= 400:
        return Picture("", x, y, width, height, f"{caption}: {response.text[:200].strip()}")
    return Picture(
        f"data:image/jpeg;base64,{base64.b64encode(response.content).decode()}", x, y, width, height, caption
    )
