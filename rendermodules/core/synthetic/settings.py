"""What a synthetic data set shall be like."""

import math
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SyntheticSettings:
    """Everything that decides a synthetic data set; equal settings give equal pixels.

    Lengths are pixels of the tile images unless said otherwise; ranges written +- are drawn evenly from
    minus to plus the value.

    Attributes
    ----------
    seed : int, default: 1
        Which tissue, and how it was cut.
    session : int, default: 0
        Which visit to the microscope. Sets that differ in this alone show the same tissue on the same deformed
        sections, placed, distorted by the stage and illuminated anew.
    sections, rows, columns : int, default: 3
        Number of sections, and tiles of each.
    first_z : float, default: 0.0
        ``z`` of the first section; the others follow in steps of 1.
    tile_width, tile_height : int, default: 768
        Size of an image.
    overlap : float, default: 0.1
        Part of a tile that it shares with its neighbour to the right and below.
    channels : tuple of str, default: ("EM",)
        ``EM`` is an electron micrograph, ``DAPI`` shows nuclei; any other name is a fluorescence channel with puncta at
        synapses, each name at a selection of its own.
    bit_depth : {8, 16}, default: 8
        Unsigned bits of a pixel.
    black_level, white_level : float, optional
        Grey values of the dark and bright end of the picture; by default 0 and 255 for 8 bit, 1000 and 21000 for 16.
    pixel_size : float, default: 1.0
        Tissue units per pixel. 1 resolves membranes (about 5 nm); 8 is a light microscope on the same tissue.
    section_thickness : float, default: 6.0
        Distance of neighbouring sections in tissue units; about 6 gives the correlation of serial sections of 40 nm.
    stage_jitter : float, default: 8.0
        How far a tile is from where the microscope believes it, +- along x and along y.
    tile_rotation : float, default: 0.1
        Rotation of a tile about its centre, +- degrees.
    section_rotation : float, default: 2.0
        Rotation of a section about its centre, +- degrees.
    section_shift : float, default: 30.0
        Translation of a section, +- along x and along y.
    deformation : float, default: 2.0
        Root mean square length of the smooth deformation of a section.
    deformation_wavelength : float, default: 4000.0
        Shortest wavelength of that deformation.
    lens_distortion : float, default: 0.0
        Radial distortion that all tiles of a session share: how far a corner moves outward.
    gain : float, default: 0.06
        Contrast of a tile is 1 +- this.
    bias : float, default: 0.02
        Brightness of a tile, +- part of the range from black to white.
    vignetting : float, default: 0.06
        Part of the signal that is missing in the corners.
    noise : float, default: 0.02
        Standard deviation of the noise as part of the range from black to white; different in every image.
    folds : int, default: 0
        Folds across each section.
    fold_width : float, default: 24.0
        Widest extent of a fold across its line, in the image.
    fold_depth : float, default: 40.0
        Extent of the tissue that the fold swallows at its widest.

    Raises
    ------
    ValueError
        A value is out of its range; the message names it.
    """

    seed: int = 1
    session: int = 0
    sections: int = 3
    rows: int = 3
    columns: int = 3
    first_z: float = 0.0
    tile_width: int = 768
    tile_height: int = 768
    overlap: float = 0.1
    channels: tuple[str, ...] = ("EM",)
    bit_depth: int = 8
    black_level: float | None = None
    white_level: float | None = None
    pixel_size: float = 1.0
    section_thickness: float = 6.0
    stage_jitter: float = 8.0
    tile_rotation: float = 0.1
    section_rotation: float = 2.0
    section_shift: float = 30.0
    deformation: float = 2.0
    deformation_wavelength: float = 4000.0
    lens_distortion: float = 0.0
    gain: float = 0.06
    bias: float = 0.02
    vignetting: float = 0.06
    noise: float = 0.02
    folds: int = 0
    fold_width: float = 24.0
    fold_depth: float = 40.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{name} must be between {low} and {high}, not {value}")
        if self.bit_depth not in (8, 16):
            raise ValueError(f"bit_depth must be 8 or 16, not {self.bit_depth}")
        if not self.channels or len(set(self.channels)) != len(self.channels):
            raise ValueError(f"channels must be different names and at least one, not {self.channels}")
        # far from folding back on itself: the inverse is found by iteration
        if self.deformation * 2 * math.pi > 0.05 * self.deformation_wavelength:
            raise ValueError(
                f"deformation {self.deformation} is too strong for its wavelength {self.deformation_wavelength}"
            )
        if self.lens_distortion > 0.3 * self.corner_radius or self.lens_distortion < -0.1 * self.corner_radius:
            raise ValueError(f"lens_distortion {self.lens_distortion} is too strong for the tile size")
        black, white = self.grey_range
        if not 0 <= black < white <= self.largest_grey:
            raise ValueError(f"black_level {black} and white_level {white} do not fit {self.bit_depth} bit")

    @property
    def zvalues(self) -> list[float]:
        """The z of every section, ascending."""
        return [self.first_z + index for index in range(self.sections)]

    @property
    def step(self) -> tuple[int, int]:
        """Distance of neighbouring tiles along x and along y in pixels, as the microscope believes it."""
        keep = 1 - self.overlap
        return max(1, round(self.tile_width * keep)), max(1, round(self.tile_height * keep))

    @property
    def section_size(self) -> tuple[int, int]:
        """Width and height in pixels of a section without jitter."""
        step_x, step_y = self.step
        return step_x * (self.columns - 1) + self.tile_width, step_y * (self.rows - 1) + self.tile_height

    @property
    def corner_radius(self) -> float:
        """Distance of a tile's corner pixel from its centre."""
        return max(math.hypot(self.tile_width - 1, self.tile_height - 1) / 2, 0.5)

    @property
    def largest_grey(self) -> int:
        """The largest grey value that an image can hold."""
        return 2**self.bit_depth - 1

    @property
    def grey_range(self) -> tuple[float, float]:
        """Grey values of the dark and of the bright end."""
        black, white = (0.0, 255.0) if self.bit_depth == 8 else (1000.0, 21000.0)
        return (
            black if self.black_level is None else self.black_level,
            white if self.white_level is None else self.white_level,
        )

    def section_index(self, z: float) -> int:
        """Return which section ``z`` is, counted from 0.

        Raises
        ------
        ValueError
            There is no section of that ``z``.
        """
        index = z - self.first_z
        if not (0 <= index < self.sections and index == int(index)):
            raise ValueError(f"no section z={z}: there are {self.sections} from z={self.first_z}")
        return int(index)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {**asdict(self), "channels": list(self.channels)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "SyntheticSettings":
        """Return the settings that :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            An unknown name.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        return cls(**values)


_UNBOUNDED = 1e9
_RANGES = (
    ("seed", 0, 2**63 - 1),
    ("session", 0, 2**31 - 1),
    ("sections", 1, 10**6),
    ("rows", 1, 10**5),
    ("columns", 1, 10**5),
    ("first_z", -_UNBOUNDED, _UNBOUNDED),
    ("tile_width", 2, 32767),
    ("tile_height", 2, 32767),
    ("overlap", 0, 0.9),
    ("pixel_size", 0.01, 64),
    ("section_thickness", 0, 1e6),
    ("stage_jitter", 0, _UNBOUNDED),
    ("tile_rotation", 0, 180),
    ("section_rotation", 0, 180),
    ("section_shift", 0, _UNBOUNDED),
    ("deformation", 0, _UNBOUNDED),
    ("deformation_wavelength", 1, _UNBOUNDED),
    ("gain", 0, 0.9),
    ("bias", 0, 0.5),
    ("vignetting", 0, 0.9),
    ("noise", 0, 1),
    ("folds", 0, 100),
    ("fold_width", 1, _UNBOUNDED),
    ("fold_depth", 0, _UNBOUNDED),
)


def random_generator(settings: SyntheticSettings, purpose: str, *numbers: int) -> np.random.Generator:
    """Return the random numbers kept for one purpose, so that drawing more for another never changes these."""
    key = (zlib.crc32(purpose.encode()), *numbers)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(settings.seed, spawn_key=key)))
