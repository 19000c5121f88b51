"""Ranges of intensity: which grey value of an image is to be black and which white.

Ranges are found from counts of grey values, so that several images count as one by adding up their counts.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""How many pixels have the grey values 0, 1, 2 ...: 256 or 65536 numbers."""


class IntensityRangeError(ValueError):
    """Images that show no range of intensity: empty, of one grey value, or without the histogram that is looked for."""


class IntensityRange(NamedTuple):
    """Grey values that are shown black and white: ``minIntensity`` and ``maxIntensity`` of a tile or channel."""

    low: float
    high: float


def value_counts(image: NDArray[Any], mask: NDArray[Any] | None = None) -> Counts:
    """Return how many pixels of an image have each grey value.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8 or uint16; colours are counted together.
    mask : (rows, columns) array, optional
        Pixels where it is 0 do not count.

    Raises
    ------
    ValueError
        The image is of another type, or the mask of another size.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"grey values of {image.dtype} cannot be counted")
    if mask is not None:
        if mask.shape != image.shape[:2]:
            raise ValueError(f"a mask of shape {mask.shape} does not fit an image of shape {image.shape}")
        image = image[mask > 0]
    return np.bincount(image.ravel(), minlength=np.iinfo(image.dtype).max + 1)


def percentile_range(counts: Counts, low: float = 0.5, high: float = 99.5, ends: bool = True) -> IntensityRange:
    """Return the grey values below which ``low`` and ``high`` percent of the pixels are.

    Parameters
    ----------
    counts : int array
        Of one image or the sum of several.
    low, high : float
        Percent, 0 to 100. A little above 0 and below 100 keeps dust and hot pixels from deciding.
    ends : bool, default: True
        Whether the smallest and the largest grey value that can be count; False where they mean "no picture" (padding)
        and "saturated".

    Raises
    ------
    IntensityRangeError
        There are no pixels, or all that count are of one grey value.
    ValueError
        The percents are upside down or out of range.
    """
    if not 0 <= low < high <= 100:
        raise ValueError(f"percents must be 0 <= low < high <= 100, not {low} and {high}")
    counts = counts.copy()
    if not ends:
        counts[[0, -1]] = 0
    total = counts.sum()
    if not total:
        raise IntensityRangeError("there are no pixels that count")
    # of all pixels in order, the one at this place
    places = np.array([low, high]) / 100 * (total - 1)
    black, white = np.searchsorted(np.cumsum(counts), np.floor(places), side="right").tolist()
    if black == white:
        raise IntensityRangeError(f"nearly all pixels have the grey value {black}")
    return IntensityRange(float(black), float(white))


def background_range(
    counts: Counts, bin_width: int = 128, log_count_cut: float = 4.0, below_mode: float = 500.0
) -> IntensityRange:
    """Return the range of a picture of few bright things on a wide background, as fluorescence is.

    Towards the bright end the histogram falls about as a power. Black is a little below the mode; white is where a line
    through its logarithms reaches a count that is as good as none.

    Parameters
    ----------
    counts : int array
        Of one image.
    bin_width : int, default: 128
        Grey values that are counted as one; 128 suits 16 bit, 1 suits 8.
    log_count_cut : float, default: 4.0
        Natural logarithm of the count in a bin below which it plays no part.
    below_mode : float, default: 500.0
        Black is this many grey values below the middle of the fullest bin, at least 0.

    Raises
    ------
    IntensityRangeError
        Fewer than two bins above the mode are full enough, or the counts do not fall.
    """
    bins = np.add.reduceat(counts, np.arange(0, len(counts), bin_width)) if len(counts) else counts
    if not bins.sum():
        raise IntensityRangeError("there are no pixels")
    centres = (np.arange(len(bins)) + 0.5) * bin_width
    mode = centres[bins.argmax()]
    with np.errstate(divide="ignore"):
        logarithms = np.log(bins)
    # the logarithm of the count falls with that of the grey value
    tail = (centres > mode) & (logarithms > log_count_cut)
    if tail.sum() < 2:
        raise IntensityRangeError("the picture is too small or too even to have a tail of bright pixels")
    slope, offset = np.polyfit(np.log(centres[tail]), logarithms[tail], 1)
    if slope >= 0:
        raise IntensityRangeError("the counts do not fall towards bright pixels")
    white = float(np.exp((log_count_cut - offset) / slope))
    return IntensityRange(max(0.0, float(mode) - below_mode), min(white, float(len(counts) - 1)))


def median_range(ranges: Iterable[IntensityRange]) -> IntensityRange:
    """Return the medians of the lows and of the highs, which a few odd images do not move.

    Raises
    ------
    IntensityRangeError
        There are no ranges.
    """
    table = np.array(list(ranges), dtype=float).reshape(-1, 2)
    if not len(table):
        raise IntensityRangeError("there are no images")
    low, high = np.median(table, axis=0).tolist()
    return IntensityRange(low, high)


def sampled(items: Sequence[Any], number: int, seed: int = 1) -> list[Any]:
    """Return ``number`` different items, drawn at random and in their order; all if there are no more.

    The draw is the same for the same seed and number of items.
    """
    if len(items) <= number:
        return list(items)
    chosen = np.random.default_rng(seed).choice(len(items), number, replace=False)
    return [items[index] for index in np.sort(chosen).tolist()]
