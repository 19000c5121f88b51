"""Tables of positions as acquired images: which rows are a tile, where it lies, what it is called."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rendermodules.core.acquisitions import AcquiredImage, id_text, translation
from rendermodules.core.problems import InputError, Problems
from rendermodules.core.tables import Table

SYNONYMS: dict[str, tuple[str, ...]] = {
    "file": ("file", "file name", "image file", "image name", "image", "name", "path", "full path", "image url", "url"),
    "x": ("x", "pos x", "position x", "x pos", "x px"),
    "y": ("y", "pos y", "position y", "y pos", "y px"),
    "z": ("z", "pos z", "position z"),
    "row": ("row", "image row"),
    "col": ("col", "column", "image col", "image column"),
    "section": ("section", "section id"),
    "channel": ("channel", "channel name", "ch", "ch name"),
    "tileId": ("tile id", "id"),
    "width": ("width",),
    "height": ("height",),
    "pixelsize": ("pixelsize", "pixel size nm"),
    "mask": ("mask", "mask file", "mask url"),
    "minIntensity": ("min intensity",),
    "maxIntensity": ("max intensity",),
    "rotation": ("rotation",),
    "stageX": ("stage x",),
    "stageY": ("stage y",),
    "camera": ("camera", "camera id"),
    "temca": ("temca", "scope", "scope id"),
}
"""What a column of a table of positions means, by what it may be called."""

NANOMETRES = {"nm": 1.0, "um": 1e3, "mm": 1e6}

_LAYOUT_NUMBERS = ("pixelsize", "rotation", "stageX", "stageY")


@dataclass(frozen=True)
class PlacementRules:
    """How rows become tiles where the table leaves it open.

    Attributes
    ----------
    z_start : float, default: 0
        z of the first section where no column says it.
    unit : str, default: pixels
        Unit of x and y: ``pixels``, ``nm``, ``um`` or ``mm``.
    pixelsize : float, optional
        Nanometres per pixel where no column says it.
    overlap : float, default: 0
        Part of a tile that its neighbour covers too, where rows and columns stand for positions.
    invert_x, invert_y : bool, default: False
        Positions count to the left, or upwards.
    tile_id, section_id : str
        Formats of the ids; their fields are ``stem`` (of the first channel's file), ``z``, ``index`` (row of the
        table, from 0) and the columns of the table. A table with a column of that name goes before.
    layout : dict
        Fields of Render's layout for all tiles.
    """

    z_start: float = 0.0
    unit: str = "pixels"
    pixelsize: float | None = None
    overlap: float = 0.0
    invert_x: bool = False
    invert_y: bool = False
    tile_id: str = "{stem}.{z}"
    section_id: str = "{z}"
    layout: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageShape:
    """What a file says of its image without being decoded.

    Attributes
    ----------
    width, height : int
        Size in pixels.
    white : float
        Greatest value of its type: 255 or 65535.
    """

    width: int
    height: int
    white: float


def sizes_in_table(table: Table) -> list[tuple[int, int] | None]:
    """Return width and height that each row says; None where it says none.

    Raises
    ------
    InputError
        A width or height is no whole number.
    """
    problems = Problems(table.source)
    widths, heights = (table.integers(name, problems) for name in ("width", "height"))
    problems.raise_if_any()
    return [
        None if width is None or height is None else (width, height)
        for width, height in zip(widths, heights, strict=True)
    ]


def positioned_images(
    table: Table,
    urls: Sequence[str],
    shapes: Sequence[ImageShape],
    rules: PlacementRules,
    intensities: tuple[float | None, float | None] = (None, None),
    mask_urls: Sequence[str | None] | None = None,
) -> list[AcquiredImage]:
    """Return the image of every row of a table of positions, with its tile, place and section.

    Rows of one place (``tileId``; else z, section, row and column; else z, section, x and y) and
    of several channels are one tile.

    Parameters
    ----------
    table : Table
        Columns named as in `SYNONYMS`.
    urls : list of str
        The image of every row.
    shapes : list of ImageShape
        Its size and type.
    rules : PlacementRules
        What the table leaves open.
    intensities : (float or None, float or None)
        Values shown as black and white where the table does not say them; by default 0 and the greatest value of
        the image's type.
    mask_urls : list of str or None, optional
        Mask of every row.

    Raises
    ------
    InputError
        Cells are no numbers, or the ids' formats ask for columns that are not there.
    """
    problems = Problems(table.source)
    zs = _z_of_rows(table, rules.z_start, problems)
    affines = _affines(table, shapes, rules, problems)
    low, high = (table.numbers(name, problems) for name in ("minIntensity", "maxIntensity"))
    layouts = _layouts(table, rules, problems)
    problems.raise_if_any()
    ids, sections = _ids(table, zs, affines, rules)
    channels = table.texts("channel")
    masks = mask_urls or [None] * len(table)
    return [
        AcquiredImage(
            place=table.places[row],
            url=urls[row],
            z=zs[row],
            tile_id=ids[row],
            section_id=sections[row],
            affine=affines[row],
            width=shape.width,
            height=shape.height,
            min_intensity=_first_of(low[row], intensities[0], 0.0),
            max_intensity=_first_of(high[row], intensities[1], shape.white),
            channel=channels[row],
            mask_url=masks[row],
            layout=layouts[row],
        )
        for row, shape in enumerate(shapes)
    ]


def _first_of(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _z_of_rows(table: Table, z_start: float, problems: Problems) -> list[float]:
    """Return the z column; else the sections' numbers, or their order; else one section, or one for each image."""
    if "z" in table.columns:
        return [z or 0.0 for z in table.numbers("z", problems, filled=True)]
    if "section" in table.columns:
        names = [name or "" for name in table.texts("section")]
        numbers = [_number(name) for name in names]
        if all(number is not None for number in numbers):
            return [float(number) for number in numbers if number is not None]
        order = {name: index for index, name in enumerate(dict.fromkeys(names))}
        return [z_start + order[name] for name in names]
    if {"x", "y", "row", "col"} & table.columns.keys():
        return [z_start] * len(table)
    seen: Counter[str | None] = Counter()
    zs_by_order = []
    for channel in table.texts("channel"):
        zs_by_order.append(z_start + seen[channel])
        seen[channel] += 1
    return zs_by_order


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _affines(
    table: Table, shapes: Sequence[ImageShape], rules: PlacementRules, problems: Problems
) -> list[tuple[float, ...]]:
    signs = (-1.0 if rules.invert_x else 1.0, -1.0 if rules.invert_y else 1.0)
    if "x" in table.columns or "y" in table.columns:
        table.require("x", "y")
        scales = _pixels_per_unit(table, rules, problems)
        places = [
            [
                scale * (value or 0.0)
                for value, scale in zip(table.numbers(name, problems, filled=True), scales, strict=True)
            ]
            for name in ("x", "y")
        ]
    elif "row" in table.columns or "col" in table.columns:
        step = 1.0 - rules.overlap
        cols, rows = (table.integers(name, problems) for name in ("col", "row"))
        places = [
            [step * shape.width * (col or 0) for shape, col in zip(shapes, cols, strict=True)],
            [step * shape.height * (row or 0) for shape, row in zip(shapes, rows, strict=True)],
        ]
    else:
        places = [[0.0] * len(table)] * 2
    return [translation(signs[0] * x, signs[1] * y) for x, y in zip(*places, strict=True)]


def _pixels_per_unit(table: Table, rules: PlacementRules, problems: Problems) -> list[float]:
    if rules.unit == "pixels":
        return [1.0] * len(table)
    sizes = [rules.pixelsize if size is None else size for size in table.numbers("pixelsize", problems)]
    for place, size in zip(table.places, sizes, strict=True):
        if not size or size <= 0:
            problems.add(f"positions are in {rules.unit} and there is no pixelsize", place)
    return [NANOMETRES[rules.unit] / (size or 1.0) for size in sizes]


def _layouts(table: Table, rules: PlacementRules, problems: Problems) -> list[dict[str, Any]]:
    common = dict(rules.layout)
    if rules.pixelsize is not None:
        common["pixelsize"] = rules.pixelsize
    columns: dict[str, Sequence[Any]] = {
        **{name: table.numbers(name, problems) for name in _LAYOUT_NUMBERS if name in table.columns},
        **{
            key: table.integers(name, problems)
            for name, key in (("row", "imageRow"), ("col", "imageCol"))
            if name in table.columns
        },
        **{name: table.texts(name) for name in ("camera", "temca") if name in table.columns},
    }
    return [
        {**common, **{key: values[row] for key, values in columns.items() if values[row] is not None}}
        for row in range(len(table))
    ]


def _ids(
    table: Table, zs: Sequence[float], affines: Sequence[tuple[float, ...]], rules: PlacementRules
) -> tuple[list[str], list[str]]:
    """Return tile ids and section ids; rows of one place get the id that the first of them makes."""
    given, named, files = table.texts("tileId"), table.texts("section"), table.texts("file")
    grid = list(zip(table.texts("row"), table.texts("col"), strict=True))
    asked_for = {name: cells for name, cells in table.columns.items() if name in rules.tile_id + rules.section_id}
    ids, sections = [], []
    of_place: dict[tuple[Any, ...], str] = {}
    for row, z in enumerate(zs):
        values = {name: cells[row] for name, cells in asked_for.items()}
        values.update(stem=_stem(files[row] or ""), z=z, index=row)
        section = named[row] or _formatted(rules.section_id, values, table)
        where = grid[row] if grid[row] != (None, None) else affines[row][4:]
        # rows without a channel never share a tile: two of one place are two tiles
        place = (z, section, *where) if "channel" in table.columns else (row,)
        if given[row] is None and place not in of_place:
            of_place[place] = id_text(_formatted(rules.tile_id, values, table))
        ids.append(given[row] or of_place[place])
        sections.append(section)
    return ids, sections


def _stem(name: str) -> str:
    file = name.rpartition("/")[2]
    return file.rpartition(".")[0] or file


def _formatted(pattern: str, values: Mapping[str, Any], table: Table) -> str:
    try:
        return pattern.format_map(values)
    except (KeyError, IndexError, AttributeError) as error:
        raise InputError(
            f"the format {pattern} asks for {error}; there are stem, z, index, {', '.join(table.columns)}"
        ) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"the format {pattern} does not fit its values: {error}") from None
