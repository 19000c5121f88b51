"""Which intensities are shown black and white."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.image_owners import ImageOwner, with_image_owners
from rendermodules.core.sections import Section, TileSpec


def with_intensities(
    section: Section, minimum: float | None, maximum: float | None, channel_names: Sequence[str] | None
) -> Section:
    """Return the section with these intensities shown black and white.

    Parameters
    ----------
    section : Section
    minimum, maximum : float or None
        Of the pixels, in the range of the images; None leaves what the tiles have.
    channel_names : list of str or None
        The channels to change; None changes all, and the tiles themselves.

    Raises
    ------
    ValueError
        No tile has a channel that is named.
    """
    given = {"minIntensity": minimum, "maxIntensity": maximum}
    new = {key: value for key, value in given.items() if value is not None}

    def change(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        return {**owner, **new}

    return with_image_owners(section, change, channel_names)


def automatic_intensities(
    image: NDArray[Any], *, bin_width: float | None, log_count_cut: float, below_mode: float | None
) -> tuple[float, float] | None:
    """Return the intensities to show black and white, found in the histogram of an image.

    Fluorescence images are mostly background, and the count of brighter pixels falls as a power of the intensity: black
    is a little below the most frequent intensity, white where that power law leaves hardly a pixel.

    Parameters
    ----------
    image : (rows, columns) uint8, uint16 or float array
    bin_width : float or None
        Width of the bins of the histogram; 1 for 8 bit, otherwise 128, by default.
    log_count_cut : float
        Natural logarithm of the number of pixels in a bin that counts as hardly any.
    below_mode : float or None
        How far below the most frequent intensity black is; 2 for 8 bit, otherwise 500, by default.

    Returns
    -------
    (float, float) or None
        Minimum, not below 0, and maximum, not above what the type of the image can hold. None if the counts do not
        fall in the way that is assumed.
    """
    is_8_bit = image.dtype == np.uint8
    width = bin_width or (1.0 if is_8_bit else 128.0)
    below = (2.0 if is_8_bit else 500.0) if below_mode is None else below_mode
    highest = float(np.iinfo(image.dtype).max) if image.dtype.kind == "u" else float(image.max())
    counts, edges = np.histogram(image, bins=np.arange(0.0, highest + 1 + width, width))
    centres = (edges[:-1] + edges[1:]) / 2
    mode = centres[counts.argmax()]
    used = (centres > mode) & (counts > np.exp(log_count_cut))
    if np.count_nonzero(used) < 2:
        return None
    slope, offset = np.polyfit(np.log(centres[used]), np.log(counts[used]), 1)
    minimum = max(0.0, float(mode) - below)
    if slope >= 0:
        return None
    # the logarithm is cut before it could overflow
    maximum = min(highest, float(np.exp(min((log_count_cut - offset) / slope, np.log(highest)))))
    return (minimum, maximum) if minimum < maximum else None
