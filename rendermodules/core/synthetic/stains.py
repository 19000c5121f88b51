"""How a plane of tissue looks: as an electron micrograph, and in the channels of a fluorescence microscope.

Pictures are painted in layers. All functions take points of one plane and give one value per point, about 0 (black) to
1 (white).
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.synthetic.tissue import GRAINS, SYNAPSE, TissuePlane
from rendermodules.core.synthetic.tissue_kernels import (
    FAR,
    bins_of,
    cells_at,
    displaced,
    glow_at,
    nearest_discs,
    noise_at,
)

Values = NDArray[np.float32]

_NUCLEUS_MARGIN = 0.26
"""Cytoplasm around a nucleus, as part of the smaller half axis of its soma."""
_MARKED_SHARE = 0.4
"""Share of the synapses that one marker shows."""


def stained(plane: TissuePlane, channel: str, points: NDArray[np.float64], blur: float) -> Values:
    """Return the brightness of points in one channel.

    Parameters
    ----------
    plane : TissuePlane
        For a box around the points.
    channel : str
        ``EM``, ``DAPI``, or the name of a marker of synapses.
    points : (n, 2) float array
        x, y in tissue units.
    blur : float
        Standard deviation of the point spread of the light microscope in tissue units.

    Returns
    -------
    (n,) float32 array
        About 0 (black) to 1 (white).
    """
    around = _surroundings(plane, points)
    if channel == "EM":
        return _electron_micrograph(plane, around, noise_at(plane.fine, points))
    return _nuclear_stain(plane, around, blur) if channel == "DAPI" else _synapse_marker(plane, around, blur, channel)


@dataclass(frozen=True)
class _Surroundings:
    """What is around points, one value per point.

    ``points`` are wound; ``edge`` is the distance from the nearest membrane, ``surface`` from the soma ``soma`` (-1
    where none is near), ``nucleus`` from its nucleus, both negative inside; ``group`` is the cell, -1 in a soma;
    ``tint`` is the brightness of the cell.
    """

    points: NDArray[np.float64]
    bins: NDArray[np.int32]
    medium: Values
    coarse: Values
    broad: Values
    edge: Values
    surface: Values
    nucleus: Values
    soma: NDArray[np.int32]
    group: NDArray[np.int64]
    tint: Values


def _surroundings(plane: TissuePlane, points: NDArray[np.float64]) -> _Surroundings:
    """Return what lies around points."""
    points = displaced(plane.winding, points)
    medium, coarse, broad = (noise_at(grain, points) for grain in (plane.medium, plane.coarse, plane.broad))
    bins = bins_of(plane.grid, points)
    owner, edge = cells_at(plane.cells, bins, points)
    group = plane.cells.groups[owner]
    soma, surface, _ = nearest_discs(plane.somata, bins, points, group)
    surface = surface + np.float32(2.5) * coarse
    nucleus = surface + _NUCLEUS_MARGIN * _property(plane.somata.shapes[:, 5], soma)
    inside = surface < 0
    return _Surroundings(
        points=points,
        bins=bins,
        medium=medium,
        coarse=coarse,
        broad=broad,
        # inside of a soma there are no cells
        edge=np.where(inside, -surface, np.minimum(edge, surface)),
        surface=surface,
        nucleus=nucleus,
        soma=soma,
        group=np.where(inside, -1, group),
        tint=np.where(inside, np.float32(0.3), _property(plane.cells.looks[:, 0], owner)),
    )


def _electron_micrograph(plane: TissuePlane, around: _Surroundings, fine: Values) -> Values:
    """Return stained membranes and organelles, dark on bright cytoplasm.

    The finest texture is that of the points before they are wound: it would be drawn out to streaks.
    """
    value = 0.63 + 0.16 * around.tint + 0.030 * around.medium + 0.045 * fine + 0.015 * around.coarse
    value += 0.02 * around.broad
    # cisternae of the endoplasmic reticulum follow the level lines of the coarse texture
    cisternae = _line(np.abs(around.coarse - 0.8) - 0.12, 0.07) * _smooth_step(5, 9, around.edge)
    value -= 0.16 * cisternae * (around.tint > 0.5)

    deep = _smooth_step(-12, 0, around.nucleus) + 0.6 * around.coarse + 0.3 * around.medium
    chromatin = 0.68 - 0.26 * _smooth_step(-0.2, 1.1, deep) + 0.04 * fine + 0.025 * around.medium
    value = np.where(around.nucleus < 0, chromatin, value)
    value -= 0.26 * (_line(around.nucleus - 2.6, 1.4) + _line(around.nucleus + 2, 1.4))

    value = _with_vesicles(value, plane, around)
    value = _with_mitochondria(value, plane, around, fine)

    membrane = _line(around.edge, 2.4)
    _, synapse, _ = nearest_discs(plane.synapses, around.bins, around.points, np.full(len(value), -1))
    density = _smooth_step(2, -6, synapse) * _line(around.edge, 5.5)
    return value - 0.40 * membrane * (1 + 0.12 * around.medium) - 0.30 * density * (1 - membrane)


def _with_vesicles(value: Values, plane: TissuePlane, around: _Surroundings) -> Values:
    """Return the picture with small rings, a few of them filled."""
    found, distance, _ = nearest_discs(plane.vesicles, around.bins, around.points, around.group)
    ring = -0.20 * _line(distance, 1.4)
    filling = np.where(_property(plane.vesicles.looks[:, 0], found) < 0.93, 0.05, -0.22) * (distance < -1)
    return np.where(around.nucleus > 7, value + ring + filling, value).astype(np.float32)


def _with_mitochondria(value: Values, plane: TissuePlane, around: _Surroundings, fine: Values) -> Values:
    """Return the picture with dark bodies that hold folded membranes; they yield to the membrane of their cell."""
    found, distance, along = nearest_discs(plane.mitochondria, around.bins, around.points, around.group)
    first, second = (_property(plane.mitochondria.looks[:, number], found) for number in (0, 1))
    distance = np.maximum(distance + 1.2 * around.coarse, 5.5 - around.edge)
    distance = np.where((found >= 0) & (around.nucleus > 7), distance, FAR)
    turns = along / (6.5 + 4 * first) + 0.5 * around.medium + 0.45 * around.coarse
    folds = _smooth_step(-0.1, 0.9, np.sin(2 * np.pi * turns)) * _smooth_step(-1.5, -4, distance)
    matrix = 0.46 - 0.10 * second - 0.10 * folds + 0.03 * fine + 0.02 * around.medium
    body = _smooth_step(1.2, -1.2, distance)
    return value * (1 - body) + matrix * body - 0.24 * _line(distance, 1.5)


def _nuclear_stain(plane: TissuePlane, around: _Surroundings, blur: float) -> Values:
    """Return bright nuclei over the faint light that all tissue gives."""
    softness = 1.5 + 2 * blur
    brightness = 0.40 + 0.35 * _property(plane.somata.looks[:, 0], around.soma)
    texture = 0.25 * _seen(GRAINS[2], blur) * around.coarse + 0.08 * _seen(GRAINS[1], blur) * around.medium
    nuclei = brightness * (1 + texture)
    # of the nuclei above and below the section
    halo = 0.08 * _smooth_step(60, 0, around.nucleus)
    return _autofluorescence(around, blur) + halo + nuclei * _smooth_step(softness, -softness, around.nucleus)


def _synapse_marker(plane: TissuePlane, around: _Surroundings, blur: float, name: str) -> Values:
    """Return bright spots at some synapses; markers of different names share some of theirs, as real ones do."""
    synapses = plane.synapses
    # the start of the name's interval on a circle of synapses
    start = zlib.crc32(name.encode()) / 2**32
    chosen = (synapses.looks[:, 0] - start) % 1 < _MARKED_SHARE
    # cut near its pole a synapse is small and faint
    size = np.square(synapses.shapes[:, 5] / SYNAPSE.half_axis[1])
    peaks = (0.25 + 0.65 * synapses.looks[:, 1]) * np.minimum(1.5 * size, 1)
    spreads = 16 * size + blur**2
    return _autofluorescence(around, blur) + glow_at(synapses, chosen, peaks, spreads, around.bins, around.points)


def _autofluorescence(around: _Surroundings, blur: float) -> Values:
    """Return what tissue shows in every channel of a light microscope."""
    cytoplasm = 0.10 * around.tint * _smooth_step(0, 8, around.edge)
    nucleoplasm = 1 - 0.5 * _smooth_step(3, -3, around.nucleus)
    texture = 0.025 * around.broad
    texture += 0.025 * _seen(GRAINS[2], blur) * around.coarse + 0.015 * _seen(GRAINS[1], blur) * around.medium
    return (0.11 + texture + cytoplasm) * nucleoplasm


def _seen(spacing: float, blur: float) -> float:
    """Return how much of the contrast of noise a Gaussian point spread leaves.

    What is independent from node to node has a period of about two.
    """
    return math.exp(-0.5 * (2 * math.pi * blur / (2 * spacing)) ** 2)


def _property(table: NDArray, index: NDArray) -> Values:
    """Return the values of a table at indices, 0 at index -1."""
    return np.append(table, 0).astype(np.float32)[index]


def _smooth_step(low: float, high: float, value: Values) -> Values:
    """Return 0 up to ``low``, 1 from ``high`` on (or the other way round), without corners between."""
    share = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return share * share * (3 - 2 * share)


def _line(distance: Values, half_width: float) -> Values:
    """Return the profile of a line: 1 on it, falling to 0 like a Gaussian."""
    return np.exp(-np.square(distance * np.float32(1 / half_width)))
