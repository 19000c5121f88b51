"""Files of polygons in the world: where the tissue of a section lies."""

import re
from pathlib import Path
from typing import Any

import shapely
import shapely.geometry

from rendermodules.core.problems import InputError, Problems
from rendermodules.io.json_files import read_json

_KEYS = ("roi", "polygon", "geometry")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?!.*\d)")


def parsed_polygon(document: Any, source: str) -> shapely.Geometry:
    """Return the polygon that GeoJSON describes: a polygon, several, or an object with one as roi or geometry.

    Raises
    ------
    InputError
        It is none, or has no area; the message begins with ``source``.
    """
    found = document
    while isinstance(found, dict) and "coordinates" not in found:
        found = next((found[key] for key in _KEYS if key in found), None)
    try:
        polygon = shapely.geometry.shape(found)
    except (AttributeError, TypeError, ValueError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(f"{source}: no GeoJSON polygon ({error})") from None
    if not polygon.is_valid:
        polygon = shapely.buffer(polygon, 0)
    if not polygon.area:
        raise InputError(f"{source}: a polygon without area")
    return polygon


def read_section_polygons(folder: str | Path) -> dict[float, shapely.Geometry]:
    """Return the polygons of a folder by z.

    Parameters
    ----------
    folder : path
        Of files ``*.json`` with GeoJSON. Their ``z`` says of which section they are, or else the last number in the
        name. Several of one z are taken together.

    Raises
    ------
    InputError
        There is no file, or files are no polygons, or of no z; all are named.
    """
    files = sorted(Path(folder).glob("*.json"))
    problems = Problems(f"polygons in {folder}")
    polygons: dict[float, list[shapely.Geometry]] = {}
    for file in files:
        try:
            document = read_json(str(file))
            polygons.setdefault(_z(document, file), []).append(parsed_polygon(document, file.name))
        except InputError as error:
            problems.add("cannot be used", str(error))
    problems.raise_if_any()
    if not polygons:
        raise InputError(f"{folder} has no file of a polygon")
    return {z: shapely.union_all(polygons[z]) for z in sorted(polygons)}


def _z(document: Any, file: Path) -> float:
    given = document.get("z") if isinstance(document, dict) else None
    if isinstance(given, (int, float)):
        return float(given)
    found = _NUMBER.search(file.stem)
    if found is None:
        raise InputError(f"{file.name}: neither its z nor a number in its name says of which section it is")
    return float(found[1])
