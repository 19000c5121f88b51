"""Images with the metadata of the Open Microscopy Environment, as acquired images."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rendermodules.core.acquisitions import AcquiredImage, id_text, move_to_origin, translation
from rendermodules.core.problems import Problems

NANOMETRES: dict[str, float] = {
    **dict.fromkeys(("m", "meter"), 1e9),
    **dict.fromkeys(("cm", "centimeter"), 1e7),
    **dict.fromkeys(("mm", "millimeter"), 1e6),
    **dict.fromkeys(("um", "\N{MICRO SIGN}m", "\N{GREEK SMALL LETTER MU}m", "micrometer", "micron"), 1e3),
    **dict.fromkeys(("nm", "nanometer"), 1.0),
    **dict.fromkeys(("\N{LATIN CAPITAL LETTER A WITH RING ABOVE}", "\N{ANGSTROM SIGN}", "angstrom"), 0.1),
    **dict.fromkeys(("pm", "picometer"), 1e-3),
}
"""Nanometres of a unit of length, by the names that OME-XML and OME-Zarr have for it."""

PIXELS = "pixels"
UNSAID = "unsaid"


@dataclass(frozen=True)
class OmePlane:
    """One plane of an image.

    Attributes
    ----------
    channel, z, time : int
        Which, from 0.
    url : str
        Where it is.
    loader_type, slice_number : str and int, optional
        How it is had where its file holds more.
    position : (float, float), optional
        x and y of the stage.
    unit : str
        Unit of the position: one of ``NANOMETRES``, ``PIXELS``, or ``UNSAID``.
    """

    channel: int
    z: int
    time: int
    url: str
    loader_type: str | None = None
    slice_number: int | None = None
    position: tuple[float, float] | None = None
    unit: str = UNSAID


@dataclass(frozen=True)
class OmeImage:
    """One image: a field of view with its channels, and perhaps several planes in z and time.

    Attributes
    ----------
    file : str
        The file that tells of it, for messages and for its section.
    name : str
        What tells it from others; the ids of tiles begin so.
    width, height : int
        Size in pixels.
    channels : tuple of str
        Names.
    pixelsize : (float, float), optional
        Nanometres per pixel along x and y.
    planes : list of OmePlane
        Its planes.
    ranges : dict of int to (float, float)
        Values shown as black and white, by channel, where that is told.
    """

    file: str
    name: str
    width: int
    height: int
    channels: tuple[str, ...]
    pixelsize: tuple[float, float] | None
    planes: list[OmePlane]
    ranges: dict[int, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class OmeRules:
    """How images become tiles.

    Attributes
    ----------
    z_start : float
        z of the first section where files have no number.
    section_pattern : str, optional
        Regular expression with a group ``section``, looked for in the files' places: files with one text are a section.
        Without it all are one.
    time : int
        Which time to take, from 0.
    unit : str
        Unit of positions that say none.
    pixelsize : float, optional
        Nanometres per pixel where the file does not say it.
    invert_x, invert_y : bool
        Whether the stage counts to the left, or upwards.
    """

    z_start: float = 0.0
    section_pattern: str | None = None
    time: int = 0
    unit: str = "um"
    pixelsize: float | None = None
    invert_x: bool = False
    invert_y: bool = False


def ome_images(images: Sequence[OmeImage], source: str, rules: OmeRules) -> list[AcquiredImage]:
    """Return the planes of images as images of tiles: channels of one plane make one tile, planes in z make sections.

    Every section begins at 0, 0. Images without channels' names, of one channel, make tiles without channels.

    Raises
    ------
    InputError
        Images have no position though a section has several, no size of a pixel though positions are lengths, or their
        place does not fit the pattern; all are named.
    """
    problems = Problems(source)
    z_of_file, section_of_file = _sections(images, rules, problems)
    several = len(images) > len(set(z_of_file.values()))
    if len(set(z_of_file.values())) > 1:
        for image in images:
            if any(plane.z for plane in image.planes):
                problems.add("several planes in z, in one of several sections", f"{image.file} ({image.name})")
    acquired = []
    for image in images:
        place = f"{image.file} ({image.name})"
        planes = [plane for plane in image.planes if plane.time == rules.time]
        if not planes:
            problems.add(f"no plane of time {rules.time}", place)
        size = image.pixelsize or ((rules.pixelsize, rules.pixelsize) if rules.pixelsize else None)
        for plane in planes:
            z = float(z_of_file[image.file] + plane.z)
            section = section_of_file[image.file]
            acquired.append(
                AcquiredImage(
                    place=place,
                    url=plane.url,
                    z=z,
                    tile_id=f"{id_text(image.name)}.{z}",
                    section_id=str(z) if section is None or plane.z else section,
                    affine=translation(*_pixels(plane, size, several, rules, place, problems)),
                    width=image.width,
                    height=image.height,
                    min_intensity=image.ranges.get(plane.channel, (None, None))[0],
                    max_intensity=image.ranges.get(plane.channel, (None, None))[1],
                    channel=image.channels[plane.channel] if any(image.channels) else None,
                    loader_type=plane.loader_type,
                    slice_number=plane.slice_number,
                    layout=_layout(plane, size),
                )
            )
    problems.raise_if_any()
    move_to_origin(acquired)
    return acquired


def _sections(
    images: Iterable[OmeImage], rules: OmeRules, problems: Problems
) -> tuple[dict[str, float], dict[str, str | None]]:
    """Return z and section id of every file; None stands for an id made of z."""
    files = list(dict.fromkeys(image.file for image in images))
    if rules.section_pattern is None:
        return dict.fromkeys(files, rules.z_start), dict.fromkeys(files)
    expression = re.compile(rules.section_pattern)
    names: dict[str, str | None] = {}
    for file in files:
        match = expression.search(file)
        names[file] = match["section"] if match else None
        if names[file] is None:
            problems.add(f"the pattern {rules.section_pattern} is not in the place", file)
    problems.raise_if_any()
    texts = sorted({name or "" for name in names.values()})
    if all(text.isdecimal() for text in texts):
        return {file: float(name or 0) for file, name in names.items()}, names
    order = {text: rules.z_start + index for index, text in enumerate(texts)}
    return {file: order[name or ""] for file, name in names.items()}, names


def _pixels(
    plane: OmePlane,
    size: tuple[float, float] | None,
    several: bool,
    rules: OmeRules,
    place: str,
    problems: Problems,
) -> tuple[float, float]:
    if plane.position is None:
        if several:
            problems.add("no position", place)
        return 0.0, 0.0
    x, y = plane.position
    unit = rules.unit if plane.unit == UNSAID else plane.unit
    if unit != PIXELS:
        if size is None:
            problems.add(f"positions are in {unit} and there is no size of a pixel", place)
            return 0.0, 0.0
        x, y = x * NANOMETRES[unit] / size[0], y * NANOMETRES[unit] / size[1]
    return (-x if rules.invert_x else x), (-y if rules.invert_y else y)


def _layout(plane: OmePlane, size: tuple[float, float] | None) -> dict[str, Any]:
    layout: dict[str, Any] = {}
    if plane.position is not None:
        layout.update(stageX=plane.position[0], stageY=plane.position[1])
    if size is not None:
        layout["pixelsize"] = size[0]
    return layout
