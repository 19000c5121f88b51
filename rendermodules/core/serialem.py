"""Montages of SerialEM: its metadata files as acquired images."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rendermodules.core.acquisitions import AcquiredImage, id_text, move_to_origin, translation
from rendermodules.core.problems import Problems

COORDINATES = {
    "aligned": ("AlignedPieceCoordsVS", "AlignedPieceCoords"),
    "piece": ("PieceCoordinates",),
    "stage": ("StagePosition",),
}
"""Keys that say where an image lies: pieces in pixels, aligned by SerialEM or not, and the stage in micrometres."""

ANGSTROM_PER_NM = 10.0
_BLOCK = re.compile(r"\[\s*(\w+)\s*=\s*(.*?)\s*\]$")
_IMAGE_BLOCKS = ("Image", "ZValue")


@dataclass(frozen=True)
class MetadataBlock:
    """What a file says of one image.

    Attributes
    ----------
    kind : str
        ``Image``, a file of its own, or ``ZValue``, an image in a file of many.
    name : str
        The file, or the image's number in it, from 0.
    line : int
        Where the block begins in the metadata file.
    values : dict of str to str
        Its entries.
    """

    kind: str
    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The block in words."""
        return f"line {self.line} ([{self.kind} = {self.name}])"

    def numbers(self, key: str) -> list[float] | None:
        """Return the numbers of an entry; None where it is not there or not finite numbers."""
        try:
            numbers = [float(text) for text in self.values.get(key, "").split()]
        except ValueError:
            return None
        return numbers if numbers and all(map(math.isfinite, numbers)) else None


@dataclass(frozen=True)
class MetadataFile:
    """An ``.idoc`` or ``.mdoc`` file.

    Attributes
    ----------
    values : dict of str to str
        Entries before the first block.
    blocks : list of MetadataBlock
        Its images.
    """

    values: dict[str, str]
    blocks: list[MetadataBlock]


def parsed_metadata(text: str, source: str) -> MetadataFile:
    """Return what the text of an ``.idoc`` or ``.mdoc`` file says.

    Raises
    ------
    InputError
        There are lines that are neither a block nor an entry, or no image.
    """
    values: dict[str, str] = {}
    blocks: list[MetadataBlock] = []
    current: dict[str, str] = values
    problems = Problems(source)
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        block = _BLOCK.match(stripped)
        if block and block[1] in _IMAGE_BLOCKS:
            blocks.append(MetadataBlock(block[1], block[2], number))
            current = blocks[-1].values
        elif block:
            # titles, summaries of montage sections, frame sets: nothing of an image
            current = {}
        elif "=" in stripped:
            key, _, value = stripped.partition("=")
            current[key.strip()] = value.strip()
        elif stripped:
            problems.add("neither a block nor an entry", f"line {number} ({stripped[:40]!r})")
    if not blocks and not problems:
        problems.add("no image", "there is no block [Image = ...] or [ZValue = ...]")
    problems.raise_if_any()
    return MetadataFile(values, blocks)


@dataclass(frozen=True)
class SerialEMRules:
    """How images become tiles.

    Attributes
    ----------
    coordinates : str
        A key of ``COORDINATES``, or ``auto`` for the first of them that all images have.
    z_start : float
        z of the first section.
    invert_y : bool
        y counts upwards, as SerialEM's pieces do.
    stage_rotation : float
        Degrees from the axes of the stage to those of the images.
    """

    coordinates: str
    z_start: float
    invert_y: bool
    stage_rotation: float


def serialem_images(metadata: MetadataFile, source: str, name: str, rules: SerialEMRules) -> list[AcquiredImage]:
    """Return the images of a metadata file, each section's least x and y at 0.

    ``url`` is the image's own file, or that of all; ``slice_number`` its number in a file of many. Sizes are 0
    where they are not told. Sections are numbered by the third piece coordinate, without gaps.

    Parameters
    ----------
    metadata : MetadataFile
        What the file says.
    source : str
        The file in words, for messages.
    name : str
        File of all images where the metadata do not name it; what stands before its point is in the ids of tiles.
    rules : SerialEMRules
        How images become tiles.

    Raises
    ------
    InputError
        Images lack coordinates, or these are no numbers; all are named.
    """
    problems = Problems(source)
    keys = _coordinate_keys(metadata.blocks, rules.coordinates)
    spacing = _pixel_spacing(metadata)
    if keys == COORDINATES["stage"] and not spacing:
        problems.add("stage positions need a PixelSpacing", "it is not there")
    places, layers = [], []
    for block in metadata.blocks:
        found = next((numbers for key in keys if (numbers := block.numbers(key))), None)
        if found is None or len(found) < 2:
            there = ", ".join(f"{key} = {block.values[key]}" for key in keys if key in block.values)
            problems.add(f"no coordinates ({' or '.join(keys)})", f"{block.place}{', ' + there if there else ''}")
            found = [0.0, 0.0]
        if block.kind == "ZValue" and not block.name.isdecimal():
            problems.add("not the number of an image", block.place)
        places.append(_pixels(found, keys, spacing, rules))
        layers.append(int([*(block.numbers("PieceCoordinates") or []), 0.0, 0.0, 0.0][2]))
    problems.raise_if_any()
    z_of_layer = {layer: rules.z_start + index for index, layer in enumerate(sorted(set(layers)))}
    images = [
        _image(block, metadata.values, name, z_of_layer[layer], place, spacing)
        for block, place, layer in zip(metadata.blocks, places, layers, strict=True)
    ]
    move_to_origin(images)
    return images


def _coordinate_keys(blocks: Sequence[MetadataBlock], coordinates: str) -> tuple[str, ...]:
    if coordinates != "auto":
        return COORDINATES[coordinates]
    for keys in COORDINATES.values():
        if all(any(key in block.values for key in keys) for block in blocks):
            return keys
    return tuple(key for keys in COORDINATES.values() for key in keys)


def _pixel_spacing(metadata: MetadataFile) -> float | None:
    """Return the size of a pixel in Angstrom."""
    for values in (metadata.values, metadata.blocks[0].values):
        numbers = MetadataBlock("", "", 0, values).numbers("PixelSpacing")
        if numbers and numbers[0] > 0:
            return numbers[0]
    return None


def _pixels(
    found: Sequence[float], keys: tuple[str, ...], spacing: float | None, rules: SerialEMRules
) -> tuple[float, float]:
    x, y = found[:2]
    if keys == COORDINATES["stage"]:
        scale = 1e4 / (spacing or 1.0)
        turn = math.radians(rules.stage_rotation)
        x, y = (
            scale * (x * math.cos(turn) - y * math.sin(turn)),
            scale * (x * math.sin(turn) + y * math.cos(turn)),
        )
    return x, -y if rules.invert_y else y


def _image(
    block: MetadataBlock,
    common: Mapping[str, str],
    name: str,
    z: float,
    place: tuple[float, float],
    spacing: float | None,
) -> AcquiredImage:
    width, height = _size(block, common)
    stage = block.numbers("StagePosition") or []
    layout = dict(zip(("stageX", "stageY"), stage, strict=False)) if len(stage) > 1 else {}
    if spacing:
        layout["pixelsize"] = spacing / ANGSTROM_PER_NM
    file, own_id = _file_name(block.name), _file_name(block.name).rpartition(".")[0]
    number = None
    if block.kind == "ZValue":
        file, number = _file_name(common.get("ImageFile") or name), int(block.name) + 1
        own_id = f"{name.rpartition('.')[0] or name}_{number:04d}"
    return AcquiredImage(
        place=block.place,
        url=file,
        z=z,
        tile_id=f"{id_text(own_id)}.{z}",
        section_id=str(z),
        affine=translation(*place),
        width=width,
        height=height,
        slice_number=number,
        layout=dict(layout),
    )


def _size(block: MetadataBlock, common: Mapping[str, str]) -> tuple[int, int]:
    numbers = block.numbers("ImageSize") or MetadataBlock("", "", 0, dict(common)).numbers("ImageSize") or []
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)


def _file_name(path: str) -> str:
    """Return the last part of a path of the microscope's Windows computer."""
    return re.split(r"[\\/]", path)[-1]
