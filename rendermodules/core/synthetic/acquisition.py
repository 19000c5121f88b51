"""What the microscope does with the tissue: sections, tiles and their images."""

import math

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.synthetic.geometry import Fold, Lens, Points, SectionTruth, TileTruth, Wave
from rendermodules.core.synthetic.settings import SyntheticSettings, random_generator

_WAVES = 4
_BAND_PIXELS = 32768
"""Points that are looked up at a time: the intermediate values of a band fit into the cache."""


def section_truth(settings: SyntheticSettings, z: float) -> SectionTruth:
    """Return how the section at ``z`` lies under the microscope.

    Raises
    ------
    ValueError
        There is no such section.
    """
    index = settings.section_index(z)
    placement = random_generator(settings, "placement", settings.session, index)
    width, height = settings.section_size
    shift_x, shift_y, rotation = placement.uniform(-1, 1, 3).tolist()
    return SectionTruth(
        z=float(z),
        depth=index * settings.section_thickness,
        pixel_size=settings.pixel_size,
        centre=((width - 1) / 2, (height - 1) / 2),
        rotation=settings.section_rotation * rotation,
        shift=(settings.section_shift * shift_x, settings.section_shift * shift_y),
        waves=_waves(settings, index),
        folds=_folds(settings, index),
    )


def section_tiles(settings: SyntheticSettings, z: float) -> list[TileTruth]:
    """Return the tiles of the section at ``z``, row by row.

    Parameters
    ----------
    settings : SyntheticSettings
        The data set.
    z : float
        Of the section.

    Returns
    -------
    list of TileTruth
        ``rows * columns``, about 1 microsecond each.

    Raises
    ------
    ValueError
        There is no such section.
    """
    section = section_truth(settings, z)
    index = settings.section_index(z)
    lens = Lens(settings.tile_width, settings.tile_height, settings.lens_distortion)
    random = random_generator(settings, "tiles", settings.session, index)
    spread = random.uniform(-1, 1, (settings.rows, settings.columns, 5))
    spread *= (settings.stage_jitter, settings.stage_jitter, settings.tile_rotation, settings.gain, settings.bias)
    step_x, step_y = settings.step
    return [
        TileTruth(
            tile_id=f"s{settings.session}_z{index:04d}_r{row:03d}_c{column:03d}",
            section=section,
            lens=lens,
            row=row,
            column=column,
            nominal_x=float(column * step_x),
            nominal_y=float(row * step_y),
            x=column * step_x + jitter_x,
            y=row * step_y + jitter_y,
            rotation=rotation,
            gain=1 + gain,
            bias=bias,
        )
        for row, tiles in enumerate(spread.tolist())
        for column, (jitter_x, jitter_y, rotation, gain, bias) in enumerate(tiles)
    ]


def tile_image(settings: SyntheticSettings, tile: TileTruth, channel: str | None = None) -> NDArray:
    """Return the image of a tile in one channel.

    Parameters
    ----------
    settings : SyntheticSettings
        The data set.
    tile : TileTruth
        One of :func:`section_tiles`.
    channel : str, optional
        By default the first of the settings.

    Returns
    -------
    (rows, columns) uint8 or uint16 array
        The same for the same settings, whichever tiles were asked for before and by whom. Peak memory is about 10 times
        the image and 10 bytes per square tissue unit that it covers.

    Raises
    ------
    ValueError
        The settings have no such channel.
    """
    channel = settings.channels[0] if channel is None else channel
    if channel not in settings.channels:
        raise ValueError(f"no channel {channel}: there are {', '.join(settings.channels)}")
    brightness = _brightness(settings, tile, channel)
    brightness *= _vignette(settings)
    brightness *= tile.gain
    key = (settings.session, settings.section_index(tile.z), tile.row, tile.column, settings.channels.index(channel))
    noise = random_generator(settings, "noise", *key).standard_normal(brightness.shape, dtype=np.float32)
    black, white = settings.grey_range
    noise *= settings.noise
    brightness += noise
    brightness += tile.bias
    grey = np.rint(black + (white - black) * brightness)
    return np.clip(grey, 0, settings.largest_grey).astype(np.uint8 if settings.bit_depth == 8 else np.uint16)


def _waves(settings: SyntheticSettings, index: int) -> tuple[Wave, ...]:
    """Return the deformation of a section, which belongs to the section whichever session looks at it."""
    if not settings.deformation:
        return ()
    random = random_generator(settings, "deformation", index)
    # every wave has a mean square length of half its squared amplitude
    amplitude = settings.deformation * math.sqrt(2 / _WAVES)
    directions = 2 * np.pi * (np.arange(_WAVES) + random.uniform(0, 1, _WAVES)) / _WAVES
    frequencies = 1 / (settings.deformation_wavelength * random.uniform(1, 2, _WAVES))
    angles, phases = 2 * np.pi * random.uniform(0, 1, _WAVES), random.uniform(0, 1, _WAVES)
    return tuple(
        Wave(
            (frequency * math.cos(direction), frequency * math.sin(direction)),
            phase,
            (amplitude * math.cos(angle), amplitude * math.sin(angle)),
        )
        for direction, frequency, angle, phase in zip(
            directions.tolist(), frequencies.tolist(), angles.tolist(), phases.tolist(), strict=True
        )
    )


def _folds(settings: SyntheticSettings, index: int) -> tuple[Fold, ...]:
    """Return the folds of a section."""
    random = random_generator(settings, "folds", index)
    width, height = settings.section_size
    folds = []
    for x, y, direction, length, strength in random.uniform(0, 1, (settings.folds, 5)).tolist():
        folds.append(
            Fold(
                x=width * (0.15 + 0.7 * x),
                y=height * (0.15 + 0.7 * y),
                direction=180 * direction,
                length=(0.4 + 0.8 * length) * max(width, height),
                width=settings.fold_width * (0.6 + 0.4 * strength),
                depth=settings.fold_depth * (0.6 + 0.4 * strength),
            )
        )
    return tuple(folds)


def _brightness(settings: SyntheticSettings, tile: TileTruth, channel: str) -> NDArray[np.float32]:
    """Return what a perfect camera would see, about 0 to 1, (rows, columns)."""
    # compiled code: not to be loaded by those who only want the truth
    from rendermodules.core.synthetic.stains import stained
    from rendermodules.core.synthetic.tissue import TissuePlane

    pixel_size = settings.pixel_size
    blur = max(1.7, 0.9 * pixel_size)
    # large pixels show the mean of the tissue, not its value in their middle; of light it is mixed by the lens
    fine = max(1, round(pixel_size)) if channel == "EM" else 1
    plane = TissuePlane(settings.seed, tile.section.depth, _tissue_box(tile), blur)
    folded = 0.55 if channel == "EM" else -0.8
    image = np.empty((tile.height, tile.width), dtype=np.float32)
    rows = max(1, _BAND_PIXELS // (tile.width * fine * fine))
    for top in range(0, tile.height, rows):
        bottom = min(top + rows, tile.height)
        in_section = tile.to_section(_pixel_points(tile.width, top, bottom, fine))
        band = stained(plane, channel, tile.section.to_world(in_section) * pixel_size, blur)
        if tile.section.folds:
            # more tissue lets fewer electrons through, and gives more light
            band = band * (1 - folded * tile.section.fold_cover(in_section)).astype(np.float32)
        image[top:bottom] = band.reshape(bottom - top, fine, tile.width, fine).mean(axis=(1, 3))
    return image


def _pixel_points(width: int, top: int, bottom: int, fine: int) -> Points:
    """Return the tile pixels (n, 2) of rows ``top`` to ``bottom``, each divided ``fine`` times along both axes."""
    x = (np.arange(width * fine) + 0.5) / fine - 0.5
    y = (np.arange(top * fine, bottom * fine) + 0.5) / fine - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _tissue_box(tile: TileTruth) -> tuple[float, float, float, float]:
    """Return a box in tissue units that holds the tile."""
    x, y = (np.linspace(-1, size, 33) for size in (tile.width, tile.height))
    points = tile.to_world(np.stack(np.meshgrid(x, y), axis=-1)).reshape(-1, 2)
    # between the points the map bends by much less, but in a fold, which moves the tissue by its depth at most
    margin = 2 + sum(fold.depth for fold in tile.section.folds)
    left, top = (points.min(axis=0) - margin) * tile.section.pixel_size
    right, bottom = (points.max(axis=0) + margin) * tile.section.pixel_size
    return float(left), float(top), float(right), float(bottom)


def _vignette(settings: SyntheticSettings) -> NDArray[np.float32]:
    """Return the part of the signal that arrives at each pixel, (rows, columns)."""
    centre_x, centre_y = (settings.tile_width - 1) / 2, (settings.tile_height - 1) / 2
    x, y = np.arange(settings.tile_width) - centre_x, np.arange(settings.tile_height) - centre_y
    squared = (np.square(x) + np.square(y)[:, np.newaxis]) / settings.corner_radius**2
    return (1 - settings.vignetting * squared).astype(np.float32)
