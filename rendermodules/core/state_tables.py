"""State tables of array tomography: what was acquired, a row for each image, as acquired images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rendermodules.core.acquisitions import AcquiredImage, chosen_channel
from rendermodules.core.problems import InputError, Problems, listed
from rendermodules.core.tables import Table

AFFINE_COLUMNS = ("a00", "a10", "a01", "a11", "a02", "a12")
"""Columns of a tile's affine in the order of Render's data string."""

REQUIRED_COLUMNS = ("ribbon", "section", "ch_name", "full_path", "z", "tileID", *AFFINE_COLUMNS)

SECTIONS_PER_RIBBON = 1000
"""A section's id is the number of its ribbon times this, plus its own within the ribbon."""


@dataclass(frozen=True)
class StateTableRow:
    """One image of a state table.

    Attributes
    ----------
    ribbon, section, session : int
        Where and when it was taken.
    frame : int
        Its tile within the section.
    image : AcquiredImage
        The image; ``url`` is the path as the table has it.
    """

    ribbon: int
    section: int
    session: int
    frame: int
    image: AcquiredImage


def state_table_rows(table: Table, *, zstack: int, temca: str, camera: str) -> list[StateTableRow]:
    """Return the images of a state table.

    Parameters
    ----------
    table : Table
        Columns ``ribbon, section, ch_name, full_path, z, tileID, a00, a10, a01, a11, a02, a12``, and if they are
        there ``session, frame, zstack, xstage, ystage, scale_x, width, height``.
    zstack : int
        Rows of other planes of focus are left out.
    temca, camera : str
        Microscope and camera, for the tiles' layout.

    Raises
    ------
    InputError
        Columns are missing, or cells are empty or no numbers; all are named.
    """
    table.require(*REQUIRED_COLUMNS)
    problems = Problems(table.source)
    if "zstack" in table.columns:
        table = table.selected([plane == zstack for plane in table.integers("zstack", problems)])
    whole = {name: table.integers(name, problems, filled=True) for name in ("ribbon", "section")}
    loose = {name: table.integers(name, problems) for name in ("session", "frame", "width", "height")}
    numbers = {name: table.numbers(name, problems, filled=True) for name in ("z", *AFFINE_COLUMNS)}
    layout = {name: table.numbers(name, problems) for name in ("xstage", "ystage", "scale_x")}
    texts = {name: table.filled_texts(name) for name in ("full_path", "ch_name", "tileID")}
    problems.raise_if_any()
    rows = []
    for index, place in enumerate(table.places):
        ribbon, section = whole["ribbon"][index] or 0, whole["section"][index] or 0
        image = AcquiredImage(
            place=place,
            url=texts["full_path"][index],
            z=numbers["z"][index] or 0.0,
            tile_id=texts["tileID"][index],
            section_id=str(SECTIONS_PER_RIBBON * ribbon + section),
            affine=tuple(numbers[name][index] or 0.0 for name in AFFINE_COLUMNS),
            width=loose["width"][index] or 0,
            height=loose["height"][index] or 0,
            channel=texts["ch_name"][index],
            layout=_layout({name: values[index] for name, values in layout.items()}, temca, camera),
        )
        rows.append(StateTableRow(ribbon, section, loose["session"][index] or 0, loose["frame"][index] or 0, image))
    return rows


def _layout(values: Mapping[str, float | None], temca: str, camera: str) -> dict[str, Any]:
    named = {"stageX": values["xstage"], "stageY": values["ystage"], "pixelsize": values["scale_x"]}
    return {
        "temca": temca,
        "camera": camera,
        "imageRow": 0,
        "imageCol": 0,
        "rotation": 0.0,
        **{key: value for key, value in named.items() if value is not None},
    }


def selected_rows(
    rows: Sequence[StateTableRow],
    *,
    ribbons: Iterable[int] | None = None,
    sections: Iterable[int] | None = None,
    sessions: Iterable[int] | None = None,
    channels: Iterable[str] | None = None,
) -> list[StateTableRow]:
    """Return the rows of certain ribbons, sections, sessions and channels; None takes all.

    Raises
    ------
    InputError
        Something asked for is not in the table, or nothing is left.
    """
    kept = list(rows)
    for name, wanted in (("ribbon", ribbons), ("section", sections), ("session", sessions), ("channel", channels)):
        if wanted is None:
            continue
        values = [row.image.channel if name == "channel" else getattr(row, name) for row in kept]
        absent = [value for value in wanted if value not in values]
        if absent:
            raise InputError(f"no row has {name} {listed(absent)}; there are {listed(sorted(set(values), key=str))}")
        kept = [row for row, value in zip(kept, values, strict=True) if value in set(wanted)]
    if not kept:
        raise InputError("no row is left of the state table")
    return kept


def channel_stacks(rows: Sequence[StateTableRow], prefix: str) -> dict[str, list[AcquiredImage]]:
    """Return the images of one stack for each channel, ``<prefix>_<channel>``."""
    stacks: dict[str, list[AcquiredImage]] = {}
    for row in rows:
        stacks.setdefault(f"{prefix}_{row.image.channel}", []).append(row.image)
    for images in stacks.values():
        for image in images:
            image.channel = None
    return stacks


def session_stacks(
    rows: Sequence[StateTableRow], prefix: str, reference_channel: str
) -> dict[str, list[AcquiredImage]]:
    """Return the images of one stack of several channels for each session, ``<prefix>Session<number>``.

    Rows of one ribbon, section and frame become one tile, with the id, affine and layout of that whose channel
    contains ``reference_channel``; it comes first.

    Raises
    ------
    InputError
        A session has no such channel, or a tile lacks it; all are named.
    """
    sessions: dict[int, list[StateTableRow]] = {}
    for row in rows:
        sessions.setdefault(row.session, []).append(row)
    problems = Problems("the state table")
    stacks: dict[str, list[AcquiredImage]] = {}
    for session, members in sessions.items():
        reference = chosen_channel([row.image for row in members], reference_channel)
        first = {_tile(row): row.image for row in members if row.image.channel == reference}
        for row in members:
            if _tile(row) in first:
                row.image.tile_id = first[_tile(row)].tile_id
            else:
                problems.add(f"the tile has no channel {reference}", row.image.place)
        ordered = sorted(members, key=lambda row: row.image.channel != reference)
        stacks[f"{prefix}Session{session}"] = [row.image for row in ordered]
    problems.raise_if_any()
    return stacks


def _tile(row: StateTableRow) -> tuple[int, int, int]:
    return row.ribbon, row.section, row.frame
