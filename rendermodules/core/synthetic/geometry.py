"""Where a pixel of a tile truly is: lens, stage, section, volume.

Frames, each exact in both directions::

    tile       pixel x, y of the image; pixel centres are at integers
      | lens        the radial distortion that all tiles share
      | stage       rotation about the centre of the tile, then translation
    section    the flat section under the microscope, in pixels
      | folds       tissue swallowed along a line
      | deformation smooth, different in every section
      | rotation about the centre of the section, translation
    world      the tissue as it was before it was cut, in pixels; one section above the other

Tissue units, in which the texture is defined, are world pixels times ``pixel_size``.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""(..., 2) x, y."""


def rotated(points: Points, degrees: ArrayLike, centre: ArrayLike) -> Points:
    """Return points (..., n, 2) turned about ``centre``, positive from x towards y.

    Angles (...,) may be one for all or one for each of the leading axes.
    """
    radians = np.deg2rad(degrees)
    cosine, sine = np.cos(radians), np.sin(radians)
    # for points as rows, so the transpose of the usual matrix
    matrix = np.stack([np.stack([cosine, sine], axis=-1), np.stack([-sine, cosine], axis=-1)], axis=-2)
    return (points - np.asarray(centre, dtype=float)) @ matrix + centre


@dataclass(frozen=True)
class Lens:
    """A radial distortion: a point at distance r of the centre belongs at r + shift (r / corner)^3.

    Attributes
    ----------
    width, height : int
        Size of the image in pixels.
    corner_shift : float, default: 0.0
        How far outward a corner pixel belongs, in pixels.
    """

    width: int
    height: int
    corner_shift: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the image, pixel centres at integers."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    @property
    def strength(self) -> float:
        """Factor of the cube of the distance from the centre, in 1 / px^2."""
        return self.corner_shift / max(math.hypot(*self.centre), 0.5) ** 3

    def undistorted(self, points: Points) -> Points:
        """Return where pixels (..., 2) would be in the picture of a perfect lens."""
        if not self.corner_shift:
            return points
        offset = points - self.centre
        squared = np.square(offset).sum(axis=-1, keepdims=True)
        return points + self.strength * squared * offset

    def distorted(self, points: Points) -> Points:
        """Return the pixels (..., 2) whose undistorted places are ``points``."""
        if not self.corner_shift:
            return points
        offset = points - self.centre
        far = np.sqrt(np.square(offset).sum(axis=-1, keepdims=True))
        near = far
        for _ in range(8):
            # Newton for the one real root of a monotone cubic; quadratic from so near a start
            near = near - (near + self.strength * near**3 - far) / (1 + 3 * self.strength * near**2)
        return self.centre + offset * np.divide(near, far, out=np.ones_like(far), where=far > 0)


@dataclass(frozen=True)
class Fold:
    """A line across which tissue is doubled over: a dark band that holds more tissue than its width.

    Attributes
    ----------
    x, y : float
        Middle of the fold in its section, pixels.
    direction : float
        Of the line, degrees from x towards y.
    length : float
        From end to end in pixels; the fold tapers off towards both.
    width : float
        Of the band in its middle, pixels.
    depth : float
        How much tissue is swallowed in its middle, pixels.
    """

    x: float
    y: float
    direction: float
    length: float
    width: float
    depth: float

    def band(self, points: Points) -> tuple[Points, Points, Points]:
        """Return the frame of the fold: distance across the line, width and depth there, each (...,), pixels."""
        local = rotated(points, -self.direction, (self.x, self.y)) - (self.x, self.y)
        along = np.clip(local[..., 0] / self.length, -0.5, 0.5)
        taper = np.square(np.cos(np.pi * along))
        return local[..., 1], self.width * taper, self.depth * taper

    def unfolded(self, points: Points) -> Points:
        """Return where section points (..., 2) were before the tissue was folded."""
        across, width, depth = self.band(points)
        share = np.clip(across / np.maximum(width, 1e-9) + 0.5, 0, 1)
        return points + (depth * share)[..., np.newaxis] * self._normal

    def folded(self, points: Points) -> Points:
        """Return where unfolded points (..., 2) lie in the section."""
        across, width, depth = self.band(points)
        # linear in three pieces, so the inverse is too
        share = np.clip((across + width / 2) / np.maximum(width + depth, 1e-9), 0, 1)
        return points - (depth * share)[..., np.newaxis] * self._normal

    def cover(self, points: Points) -> Points:
        """Return 1 in the middle of the fold, falling to 0 at its edges and beyond, (...,)."""
        across, width, _ = self.band(points)
        return np.clip(1 - np.square(2 * across / np.maximum(width, 1e-9)), 0, 1)

    @property
    def _normal(self) -> tuple[float, float]:
        radians = math.radians(self.direction)
        return -math.sin(radians), math.cos(radians)


@dataclass(frozen=True)
class Wave:
    """One plane wave of a smooth deformation: displacement = amplitude sin(2 pi (frequency . point + phase)).

    Attributes
    ----------
    frequency : (float, float)
        Turns per pixel along x and y.
    phase : float
        Turns.
    amplitude : (float, float)
        Largest displacement along x and y, pixels.
    """

    frequency: tuple[float, float]
    phase: float
    amplitude: tuple[float, float]


@dataclass(frozen=True)
class SectionTruth:
    """How one section lies under the microscope.

    Attributes
    ----------
    z : float
        z of the section.
    depth : float
        Where the tissue was cut, in tissue units.
    pixel_size : float
        Tissue units per pixel.
    centre : (float, float)
        Of the rotation, pixels of the section.
    rotation : float
        Section to world, degrees from x towards y.
    shift : (float, float)
        Section to world, pixels.
    waves : tuple of Wave
        The deformation; its displacements add up.
    folds : tuple of Fold
        From the last made to the first made.
    """

    z: float
    depth: float = 0.0
    pixel_size: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    waves: tuple[Wave, ...] = ()
    folds: tuple[Fold, ...] = ()

    def to_world(self, points: Points) -> Points:
        """Return the world pixels of section points (..., 2)."""
        for fold in self.folds:
            points = fold.unfolded(points)
        return rotated(points + self._deformation(points), self.rotation, self.centre) + self.shift

    def from_world(self, points: Points) -> Points:
        """Return the section points of world pixels (..., 2)."""
        straight = rotated(points - self.shift, -self.rotation, self.centre)
        points = straight
        # a contraction by 0.2 at worst (see the settings), usually by 0.01: far below rounding after these
        for _ in range(24 if self.waves else 0):
            points = straight - self._deformation(points)
        for fold in reversed(self.folds):
            points = fold.folded(points)
        return points

    def fold_cover(self, points: Points) -> Points:
        """Return how much section points (..., 2) lie in a fold, 0 to 1, (...,)."""
        cover = np.zeros(points.shape[:-1])
        for fold in self.folds:
            np.maximum(cover, fold.cover(points), out=cover)
        return cover

    def _deformation(self, points: Points) -> Points:
        if not self.waves:
            return np.zeros_like(points)
        frequencies = np.array([wave.frequency for wave in self.waves])
        turns = points @ frequencies.T + [wave.phase for wave in self.waves]
        return np.sin(2 * np.pi * turns) @ np.array([wave.amplitude for wave in self.waves])


@dataclass(frozen=True)
class TileTruth:
    """Where one tile was truly taken and how bright it is.

    Attributes
    ----------
    tile_id : str
        Unique in the set.
    section : SectionTruth
        The section that it shows.
    lens : Lens
        Its size and distortion.
    row, column : int
        Place in the grid of its section.
    nominal_x, nominal_y : float
        Where the microscope believes the top left pixel, pixels of the section.
    x, y : float
        Where an undistorted, unturned tile would have its top left pixel, pixels of the section.
    rotation : float, default: 0.0
        Tile to section about the middle of the tile, degrees from x towards y.
    gain : float, default: 1.0
        Contrast.
    bias : float, default: 0.0
        Brightness as part of the range from black to white.
    """

    tile_id: str
    section: SectionTruth = field(repr=False)
    lens: Lens = field(repr=False)
    row: int
    column: int
    nominal_x: float
    nominal_y: float
    x: float
    y: float
    rotation: float = 0.0
    gain: float = 1.0
    bias: float = 0.0

    @property
    def z(self) -> float:
        """The z of its section."""
        return self.section.z

    @property
    def width(self) -> int:
        """Columns of the image."""
        return self.lens.width

    @property
    def height(self) -> int:
        """Rows of the image."""
        return self.lens.height

    @property
    def motion(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Undistorted tile to section as a matrix: m00, m01, m02 and m10, m11, m12."""
        cosine, sine = math.cos(math.radians(self.rotation)), math.sin(math.radians(self.rotation))
        x, y = self.lens.centre
        return (
            (cosine, -sine, self.x + x - cosine * x + sine * y),
            (sine, cosine, self.y + y - sine * x - cosine * y),
        )

    def to_section(self, points: ArrayLike) -> Points:
        """Return the section points of tile pixels (..., 2)."""
        straight = self.lens.undistorted(np.asarray(points, dtype=float))
        return rotated(straight, self.rotation, self.lens.centre) + (self.x, self.y)

    def from_section(self, points: ArrayLike) -> Points:
        """Return the tile pixels of section points (..., 2), inside or outside of the image."""
        moved = np.asarray(points, dtype=float) - (self.x, self.y)
        return self.lens.distorted(rotated(moved, -self.rotation, self.lens.centre))

    def to_world(self, points: ArrayLike) -> Points:
        """Return the world pixels of tile pixels (..., 2)."""
        return self.section.to_world(self.to_section(points))

    def from_world(self, points: ArrayLike) -> Points:
        """Return the tile pixels of world pixels (..., 2), inside or outside of the image."""
        return self.from_section(self.section.from_world(np.asarray(points, dtype=float)))
