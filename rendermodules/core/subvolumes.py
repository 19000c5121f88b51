"""Parts of sections."""

from collections.abc import Mapping
from dataclasses import replace

from rendermodules.core.sections import Section


def section_in_box(section: Section, box: Mapping[str, float | None]) -> Section:
    """Return the section with the tiles alone whose bounding boxes overlap a box.

    Parameters
    ----------
    section : Section
        Its tiles have ``minX``, ``minY``, ``maxX`` and ``maxY``, as Render's answers do.
    box : mapping
        Of the same keys, in world pixels; None or absent is no limit. Tiles that only touch it are left out.
    """
    low, high = float("-inf"), float("inf")
    limits = {key: box[key] for key in box if box[key] is not None}
    tiles = [
        tile
        for tile in section.tiles
        if all(
            tile[f"min{axis}"] < limits.get(f"max{axis}", high) and tile[f"max{axis}"] > limits.get(f"min{axis}", low)
            for axis in "XY"
        )
    ]
    return replace(section, tiles=tiles)
