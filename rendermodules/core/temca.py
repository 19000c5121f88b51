"""Montages of the TEMCA microscopes: their metadata as acquired images."""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from rendermodules.core.acquisitions import AcquiredImage, move_to_origin, translation
from rendermodules.core.problems import InputError, Problems


def temca_images(content: Any, source: str, z: float, *, section_id: str, tile_ids_with_z: bool) -> list[AcquiredImage]:
    """Return the images of one montage; ``url`` is the file's name as the metadata have it.

    The stage's place of each image, in pixels, is turned by its angle, cut to whole numbers, and shifted so
    that the least of each axis is 0. Sizes are 0 where the camera's are not told.

    Parameters
    ----------
    content : JSON value
        A list of objects, one with ``metadata`` and one with ``data``.
    source : str
        The file, for messages.
    z : float
        Place of the section in the stack.
    section_id : str
        Render's name of the section.
    tile_ids_with_z : bool
        Put z behind the file's name in the ids of tiles.

    Raises
    ------
    InputError
        Something is missing or called otherwise; the message names all of it.
    """
    metadata, data = _parts(content, source)
    problems = Problems(source)
    if not data:
        problems.add("there is no image", "data")
    camera = metadata.get("camera_info") or {}
    layout = {
        "temca": str(metadata.get("temca_id", "")),
        "camera": str(camera.get("camera_id", "")),
        "pixelsize": _numbers(metadata, "calibration.highmag.x_nm_per_pix", 1, "metadata", problems)[0],
    }
    sizes = [_numbers(camera, key, 1, "camera_info", problems)[0] if camera else 0.0 for key in ("width", "height")]
    images = []
    for index, item in enumerate(data, start=1):
        name = item.get("img_path")
        place = f"image {index} ({name})"
        if not isinstance(name, str):
            problems.add(_missing("img_path", "img_path", item), place)
            continue
        corner, own_layout = _placement(item, place, problems)
        stem = name.rpartition("/")[2].rpartition(".")[0]
        images.append(
            AcquiredImage(
                place=place,
                url=name,
                z=z,
                tile_id=f"{stem}.{z}" if tile_ids_with_z else stem,
                section_id=section_id,
                affine=translation(*corner),
                width=int(sizes[0]),
                height=int(sizes[1]),
                layout={**layout, **own_layout},
            )
        )
    problems.raise_if_any()
    move_to_origin(images)
    return images


def _parts(content: Any, source: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    parts: dict[str, Any] = {}
    for part in content if isinstance(content, list) else []:
        parts.update(part if isinstance(part, dict) else {})
    metadata, data = parts.get("metadata"), parts.get("data")
    if not isinstance(metadata, dict) or not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise InputError(
            f'{source}: not a list of an object with "metadata" and one with "data", a list of images; '
            f"found {', '.join(parts) or 'neither'}"
        )
    return metadata, data


def _placement(
    item: Mapping[str, Any], place: str, problems: Problems
) -> tuple[tuple[int, int], dict[str, float | int]]:
    """Return where the stage was, in whole pixels along the axes of the picture, and what the layout tells of it."""
    stage = _numbers(item, "img_meta.stage_pos", 2, place, problems)
    (angle,) = _numbers(item, "img_meta.angle", 1, place, problems)
    column, row = _numbers(item, "img_meta.raster_pos", 2, place, problems)
    sizes = [_numbers(item, f"img_meta.pixel_size_{axis}_move", 1, place, problems)[0] for axis in "xy"]
    if 0.0 in sizes:
        problems.add("a pixel has no size", place)
        sizes = [1.0, 1.0]
    x, y = (position / size for position, size in zip(stage, sizes, strict=True))
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    # cut towards 0 and not rounded, as in all montages that were imported before
    corner = int(x * cosine + y * sine), int(-x * sine + y * cosine)
    return corner, {
        "imageRow": int(row),
        "imageCol": int(column),
        "stageX": stage[0],
        "stageY": stage[1],
        "rotation": angle,
    }


def _numbers(item: Mapping[str, Any], path: str, count: int, place: str, problems: Problems) -> list[float]:
    """Return so many numbers at a dotted path; zeros, with a note, where they are not."""
    value: Any = item
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            problems.add(_missing(path, key, value if isinstance(value, Mapping) else {}), place)
            return [0.0] * count
        value = value[key]
    values = value if isinstance(value, list) else [value]
    if len(values) != count or not all(_is_number(number) for number in values):
        problems.add(f"{path} is not {count} number{'s' if count > 1 else ''}", f"{place} ({value})")
        return [0.0] * count
    return [float(number) for number in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _missing(path: str, key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"{path} is missing" + (f" (there is {near[0]})" if near else "")
