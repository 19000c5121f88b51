"""What has been drawn, before it becomes an image file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Canvas:
    """A drawn box.

    Attributes
    ----------
    pixels : (height, width) or (height, width, 3) array
        Values of the tiles, not yet mapped to their range; uint8, uint16, float32, or colour of uint8. May have one row
        and column more than ``size``.
    mask : (height, width) uint8 array, optional
        How opaque the pixels are; entirely if absent.
    size : (int, int)
        Width and height of the image, which is the upper left part of ``pixels``.
    low, high : float
        Range that is shown.
    background : int, optional
        Colour 0xRRGGBB that shines through where the canvas is transparent.
    fill_with_noise : bool, default: False
        Noise shines through instead.
    """

    pixels: Array
    mask: Array | None
    size: tuple[int, int]
    low: float
    high: float
    background: int | None = None
    fill_with_noise: bool = False

    @property
    def raw(self) -> Array:
        """The pixels as Java holds them: colour as one uint32 0xffRRGGBB for each pixel."""
        if self.pixels.ndim == 2:
            return self.pixels
        red, green, blue = (self.pixels[:, :, channel].astype(np.uint32) for channel in range(3))
        packed: Array = np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue
        return packed
