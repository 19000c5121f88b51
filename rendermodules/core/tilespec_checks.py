"""What is wrong with tile specs that come from files."""

import math
from collections.abc import Iterator
from typing import Any

from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section, TransformSpec, channels, shared_transforms_of

_REQUIRED = ("tileId", "z", "width", "height", "transforms")


def check_tilespecs(section: Section, place: str, problems: Problems) -> None:
    """Note tiles that lack something, are not finite, show no image, or refer to transforms that are not there."""
    whole = []
    for tile in section.tiles:
        where = f"{place} ({tile.get('tileId')})"
        missing = [name for name in _REQUIRED if tile.get(name) is None]
        if missing:
            problems.add(f"{', '.join(missing)} missing", where)
            continue
        if not all(_is_finite(tile[name]) for name in ("z", "width", "height")):
            problems.add("z, width or height is not a finite number", where)
            continue
        specs = tile["transforms"].get("specList") if isinstance(tile["transforms"], dict) else None
        if not isinstance(specs, list):
            problems.add("transforms have no specList", where)
            continue
        if not all(part.get("mipmapLevels") for part in channels(tile)):
            problems.add("no image", where)
        if any("nan" in data.lower() for spec in specs for data in _data_strings(spec)):
            problems.add("a transform is not a number", where)
        whole.append(tile)
    try:
        shared_transforms_of(whole, section.transforms)
    except ValueError as error:
        problems.add("transforms cannot be used", f"{place} ({error})")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _data_strings(spec: TransformSpec) -> Iterator[str]:
    if "dataString" in spec:
        yield str(spec["dataString"])
    for part in (*spec.get("specList", ()), *(spec[side] for side in "ab" if isinstance(spec.get(side), dict))):
        yield from _data_strings(part)
