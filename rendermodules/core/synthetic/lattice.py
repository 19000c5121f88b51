"""Randomness that belongs to places: the same for every tile, worker and order in which it is asked for.

Space is divided into cubes; a hash of the indices of a cube is all that decides what lies in it.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Smallest x, smallest y, largest x, largest y."""

_STREAM_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_AXIS_MULTIPLIERS = (np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642F), np.uint64(0xE7037ED1A0B428DB))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return values whose bits all depend on all bits of the input (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def cube_hashes(seed: int, stream: int, x: NDArray, y: NDArray, z: NDArray) -> NDArray[np.uint64]:
    """Return one number per cube, from its integer indices, which broadcast; ``stream`` tells purposes apart."""
    hashes = _mixed(np.full(1, seed, dtype=np.uint64) + np.full(1, stream + 1, dtype=np.uint64) * _STREAM_MULTIPLIER)
    for index, multiplier in zip((x, y, z), _AXIS_MULTIPLIERS, strict=True):
        hashes = _mixed(hashes + np.asarray(index, dtype=np.int64).astype(np.uint64) * multiplier)
    return hashes


def uniforms(hashes: NDArray[np.uint64], draw: int) -> NDArray[np.float64]:
    """Return numbers in [0, 1), one per hash; another ``draw`` gives independent ones."""
    fresh = _mixed(hashes + np.full(1, draw + 1, dtype=np.uint64) * _STREAM_MULTIPLIER)
    return (fresh >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class Sites:
    """One random point in every cube of a region.

    Attributes
    ----------
    x, y, z : (n,) float arrays
        In tissue units.
    hashes : (n,) uint64 array
        For further properties, by :func:`uniforms` with draws from 3 on.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    hashes: NDArray[np.uint64]

    def selected(self, choice: NDArray) -> "Sites":
        """Return the sites that a mask or an index array picks."""
        return Sites(self.x[choice], self.y[choice], self.z[choice], self.hashes[choice])


def sites(seed: int, stream: int, pitch: float, box: Box, depth: float, reach: float) -> Sites:
    """Return the points of cubes of edge ``pitch`` that may lie within ``reach`` of a box in the plane ``depth``."""
    indices = [
        np.arange(np.floor((low - reach) / pitch), np.floor((high + reach) / pitch) + 1).astype(np.int64)
        for low, high in ((box[0], box[2]), (box[1], box[3]), (depth, depth))
    ]
    z, y, x = (index.ravel() for index in np.meshgrid(indices[2], indices[1], indices[0], indexing="ij"))
    hashes = cube_hashes(seed, stream, x, y, z)
    found = Sites(
        (x + uniforms(hashes, 0)) * pitch, (y + uniforms(hashes, 1)) * pitch, (z + uniforms(hashes, 2)) * pitch, hashes
    )
    return found.selected(np.abs(found.z - depth) <= reach)


class Noise(NamedTuple):
    """A plane of smooth noise, to be interpolated between nodes.

    Attributes
    ----------
    values : (rows, columns, components) float32 array
        At the nodes.
    left, top : float
        Tissue units of node (0, 0).
    spacing : float
        Distance of nodes in tissue units.
    """

    values: NDArray[np.float32]
    left: float
    top: float
    spacing: float


LARGEST_NOISE = 2.45
"""No value of a plane of noise is farther from 0."""


def noise(seed: int, stream: int, wavelength: float, box: Box, depth: float, components: int = 1) -> Noise:
    """Return noise of one wavelength for a box in the plane ``depth``.

    It changes as slowly with depth as in the plane. Its nodes are independent, of mean 0 and standard deviation 1. Node
    1 is left of the box and there are two beyond it, as cubic splines need.
    """
    left, top, right, bottom = (math.floor(limit / wavelength) for limit in box)
    x, y = np.arange(left - 1, right + 4), np.arange(top - 1, bottom + 4)
    layer = math.floor(depth / wavelength)
    share = depth / wavelength - layer
    share = share * share * (3 - 2 * share)
    lower, upper = (
        np.stack(
            [uniforms(cube_hashes(seed, stream, x, y[:, np.newaxis], z), draw) for draw in range(components)], axis=-1
        )
        for z in (np.array(layer), np.array(layer + 1))
    )
    # a mean of independent values would be too tame half way between two layers
    scale = math.sqrt(12.0) / math.hypot(1 - share, share)
    values = ((lower - 0.5) * (1 - share) + (upper - 0.5) * share) * scale
    return Noise(values.astype(np.float32), float(x[0] * wavelength), float(y[0] * wavelength), wavelength)
