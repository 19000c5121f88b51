"""Synthetic data sets as files: what a microscope leaves behind, and the truth beside it."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from rendermodules.core.synthetic import (
    SyntheticSettings,
    TileTruth,
    section_tiles,
    tile_image,
    truth_from_json,
    truth_to_json,
)
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.images import ImageError, image_size, write_image

TRUTH_FILE = "truth.json"
POSITIONS_FILE = "positions.csv"
# the names that import_image_directory expects
POSITION_COLUMNS = ("file", "tileId", "z", "row", "col", "channel", "x", "y")

Picture = tuple[TileTruth, str]
"""A tile and one of its channels."""

MapPictures = Callable[[Callable[[Picture], bool], Iterable[Picture]], Iterable[bool]]
"""Like the built-in ``map``: calls a function for each picture, here or in workers."""


def write_synthetic_files(
    settings: SyntheticSettings,
    folder: str | os.PathLike[str],
    suffix: str = ".tif",
    map_pictures: MapPictures = map,
) -> int:
    """Write the images of a data set, the positions that a microscope would tell, and the truth.

    ``truth.json`` comes first and ``positions.csv`` last, so that a folder with positions is complete. A run that was
    stopped is started again and makes only the images that are missing.

    Parameters
    ----------
    settings : SyntheticSettings
        The data set.
    folder : path
        Made if it does not exist.
    suffix : str, default: ".tif"
        Kind of the images: ``.tif``, ``.png`` or, for 8 bit, ``.jpg``.
    map_pictures : callable, optional
        Spreads the work; the built-in ``map`` if absent. The function that it calls can be pickled.

    Returns
    -------
    int
        How many images were made; the others were there.

    Raises
    ------
    ValueError
        The folder holds another data set.
    """
    folder = Path(folder)
    sections = {z: section_tiles(settings, z) for z in settings.zvalues}
    _write_truth(settings, sections, folder)
    make = partial(_make_image, settings, folder, suffix)
    made = sum(map_pictures(make, _pictures(settings, sections)))
    write_bytes_whole(folder / POSITIONS_FILE, _positions(settings, sections, suffix).encode())
    return made


def read_truth(folder: str | os.PathLike[str]) -> tuple[SyntheticSettings, dict[float, list[TileTruth]]]:
    """Return the settings of a data set and its tiles by z.

    Raises
    ------
    ValueError
        The folder's ``truth.json`` is not that of a synthetic data set; the message begins with its path.
    """
    path = Path(folder, TRUTH_FILE)
    try:
        return truth_from_json(json.loads(path.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def image_name(settings: SyntheticSettings, tile: TileTruth, channel: str, suffix: str = ".tif") -> str:
    """Return the path of an image below the folder of its data set."""
    return f"images/z{settings.section_index(tile.z):04d}/{tile.tile_id}_{channel}{suffix}"


def _pictures(settings: SyntheticSettings, sections: Mapping[float, Sequence[TileTruth]]) -> Iterator[Picture]:
    for tiles in sections.values():
        for tile in tiles:
            for channel in settings.channels:
                yield tile, channel


def _write_truth(settings: SyntheticSettings, sections: Mapping[float, Sequence[TileTruth]], folder: Path) -> None:
    """Write the truth, or see that the same is there."""
    path = folder / TRUTH_FILE
    if not path.exists():
        write_bytes_whole(path, json.dumps(truth_to_json(settings, sections)).encode())
    elif read_truth(folder)[0] != settings:
        raise ValueError(f"{folder} holds a synthetic data set with other settings")


def _make_image(settings: SyntheticSettings, folder: Path, suffix: str, picture: Picture) -> bool:
    """Write one image unless it is there; return whether it was written."""
    tile, channel = picture
    path = folder / image_name(settings, tile, channel, suffix)
    if path.exists():
        try:
            if image_size(path) == (tile.width, tile.height):
                return False
        except ImageError:
            # not ours, or damaged since: made again
            pass
    write_image(path, tile_image(settings, tile, channel))
    return True


def _positions(settings: SyntheticSettings, sections: Mapping[float, Sequence[TileTruth]], suffix: str) -> str:
    """Return one line per image: nominal places of top left pixels, no jitter."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(POSITION_COLUMNS)
    for tile, channel in _pictures(settings, sections):
        name = image_name(settings, tile, channel, suffix)
        writer.writerow((name, tile.tile_id, tile.z, tile.row, tile.column, channel, tile.nominal_x, tile.nominal_y))
    return table.getvalue()
