"""The truth of a data set as plain values, for files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rendermodules.core.synthetic.geometry import Fold, Lens, SectionTruth, TileTruth, Wave
from rendermodules.core.synthetic.settings import SyntheticSettings


def truth_to_json(settings: SyntheticSettings, sections: Mapping[float, Sequence[TileTruth]]) -> dict[str, Any]:
    """Return settings, sections and tiles as JSON values, from which :func:`truth_from_json` restores them exactly."""
    return {"settings": settings.to_json(), "sections": [_section_json(tiles) for tiles in sections.values()]}


def truth_from_json(values: Mapping[str, Any]) -> tuple[SyntheticSettings, dict[float, list[TileTruth]]]:
    """Return the settings and the tiles of each section by z.

    Raises
    ------
    ValueError
        The values are not those that :func:`truth_to_json` writes.
    """
    try:
        settings = SyntheticSettings.from_json(values["settings"])
        sections = {float(section["z"]): _section_tiles(section) for section in values["sections"]}
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the truth of a synthetic data set: {error!r}") from error
    return settings, sections


def _section_json(tiles: Sequence[TileTruth]) -> dict[str, Any]:
    """Return a section with its tiles; what they share is written once."""
    own = []
    for tile in tiles:
        fields = vars(tile).copy()
        del fields["section"], fields["lens"]
        own.append(fields)
    return {**asdict(tiles[0].section), "lens": asdict(tiles[0].lens), "tiles": own}


def _section_tiles(values: Mapping[str, Any]) -> list[TileTruth]:
    shared = dict(values)
    tiles = shared.pop("tiles")
    lens = Lens(**shared.pop("lens"))
    waves = tuple(
        Wave(_pair(wave["frequency"]), wave["phase"], _pair(wave["amplitude"])) for wave in shared.pop("waves")
    )
    folds = tuple(Fold(**fold) for fold in shared.pop("folds"))
    centre, shift = _pair(shared.pop("centre")), _pair(shared.pop("shift"))
    section = SectionTruth(**shared, centre=centre, shift=shift, waves=waves, folds=folds)
    return [TileTruth(**tile, section=section, lens=lens) for tile in tiles]


def _pair(values: Sequence[float]) -> tuple[float, float]:
    x, y = values
    return x, y
