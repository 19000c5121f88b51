"""Scapes: pictures of whole sections as tiles, one for each section, for the rough alignment of sections."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rendermodules.core.acquisitions import affine_spec
from rendermodules.core.sections import Section, TileSpec


@dataclass(frozen=True)
class Canvas:
    """The part of the world that a picture shows.

    Attributes
    ----------
    x, y : float
        Upper left corner in world pixels.
    width, height : int
        Size in world pixels.
    """

    x: float
    y: float
    width: int
    height: int

    def picture_size(self, scale: float) -> tuple[int, int]:
        """Return width and height of the picture at a scale, as Render cuts them, in pixels."""
        return int(self.width * scale), int(self.height * scale)


def canvas_of_section(section: Section) -> Canvas:
    """Return the canvas around all tiles of a section, as Render's section client has it.

    Raises
    ------
    ValueError
        A tile has no bounding box.
    """
    edges = ("minX", "minY", "maxX", "maxY")
    if not section.tiles or not all(edge in tile for tile in section.tiles for edge in edges):
        raise ValueError(f"the tiles of z={section.z} have no bounding boxes")
    boxes = [[tile[edge] for edge in edges] for tile in section.tiles]
    left, top = (min(box[axis] for box in boxes) for axis in (0, 1))
    right, bottom = (max(box[axis] for box in boxes) for axis in (2, 3))
    return Canvas(left, top, int(right - left + 0.5), int(bottom - top + 0.5))


def new_z_of_scapes(zs: Sequence[float], mode: str, start: float) -> dict[float, float]:
    """Return the z of each section's scape.

    Parameters
    ----------
    zs : list of float
        Sections, ascending.
    mode : {"keep", "offset", "consecutive"}
        The same; moved so that the first is at ``start`` and gaps stay; ``start``, ``start`` + 1 ... without gaps.
    start : float
        See ``mode``.
    """
    if mode == "consecutive":
        return {z: start + index for index, z in enumerate(zs)}
    return {z: start + (z - zs[0]) if mode == "offset" else z for z in zs}


def scape_tile(
    section: Section,
    z: float,
    url: str,
    canvas: Canvas,
    scale: float,
    *,
    apply_scale: bool,
    apply_offset: bool,
    intensities: tuple[float, float],
    prefix: str,
) -> TileSpec:
    """Return the tile of a scape, made after the first tile of its section.

    Parameters
    ----------
    section : Section
        What the scape shows.
    z : float
        z of the scape.
    url : str
        The picture.
    canvas : Canvas
        What part of the world it shows.
    scale : float
        Pixels of the picture per world pixel.
    apply_scale : bool
        Whether it is as large in the world as the section, or as it has pixels.
    apply_offset : bool
        Whether it lies where the section does, or begins at 0, 0.
    intensities : (float, float)
        Values shown as black and white.
    prefix : str
        What stands before the first tile's id in that of the scape.
    """
    first = section.tiles[0]
    width, height = canvas.picture_size(scale)
    size = 1.0 / scale if apply_scale else 1.0
    place = (canvas.x * scale * size, canvas.y * scale * size) if apply_offset else (0.0, 0.0)
    layout: dict[str, Any] = {**(first.get("layout") or {}), "sectionId": str(float(z))}
    return {
        "tileId": f"{prefix}{first['tileId']}",
        "z": float(z),
        "width": width,
        "height": height,
        "minIntensity": intensities[0],
        "maxIntensity": intensities[1],
        "layout": layout,
        "mipmapLevels": {"0": {"imageUrl": url}},
        "transforms": {"type": "list", "specList": [affine_spec((size, 0.0, 0.0, size, *place))]},
    }


def scape_prefix(identity: Mapping[str, Any], length: int) -> str:
    """Return a prefix of so many hexadecimal digits for the id of a scape, the same whenever it is the same scape."""
    text = "\n".join(f"{key}={identity[key]}" for key in sorted(identity))
    return f"ds{hashlib.sha256(text.encode()).hexdigest()[:length]}_"
