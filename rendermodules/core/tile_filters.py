"""Filters for the images of electron microscopes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

_BILATERAL_DIAMETER = 3
_BILATERAL_SIGMA = 20.0
"""In grey values of 8 bit, and in pixels."""


class FilterError(ValueError):
    """An image without the range of intensities that a filter needs."""


def filtered(
    image: Image,
    *,
    invert: bool,
    saturated_percent: float,
    contrast: float,
    clahe_grid: int,
    clahe_clip_limit: float,
    reapply_mask: bool,
    flip: bool,
) -> Image:
    """Return an image stretched, smoothed and locally equalised; 0 means "no picture" in it.

    In this order: inverted; the range of intensities without its ends stretched to all that the type holds; the
    contrast changed about the middle; smoothed by a bilateral filter of 3 pixels (sigma 20 grey values of 8 bit);
    equalised by CLAHE; what was 0 set to 0 again; turned upside down.

    Parameters
    ----------
    image : (rows, columns) uint8 or uint16 array
    invert : bool
    saturated_percent : float
        Share of the pixels that become black, and that become white.
    contrast : float
        Factor about the middle of the range.
    clahe_grid : int
        Number of tiles of CLAHE along each side.
    clahe_clip_limit : float
        As in OpenCV; 0 leaves CLAHE out.
    reapply_mask : bool
        Set what was 0 to 0 again; inversion has made it white.
    flip : bool
        Last row first.

    Returns
    -------
    array of the same shape and type

    Raises
    ------
    FilterError
        The image is of another type, or all its pixels have nearly the same intensity.
    """
    import cv2

    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise FilterError(f"grey images of 8 or 16 bit can be filtered, not {image.dtype} of shape {image.shape}")
    top = int(np.iinfo(image.dtype).max)
    shown = image > 0
    picture = top - image if invert else image
    low, high = _range(picture[shown], saturated_percent, top)
    values = (picture.astype(np.float32) - low) * (top / (high - low))
    middle = (top + 1) / 2
    values = np.clip((values - middle) * contrast + middle, 0, top)
    # the bilateral filter of OpenCV takes 8 bit, or float with its sigma in the same unit
    smoothed = cv2.bilateralFilter(
        np.rint(values).astype(np.uint8) if top == 255 else values,
        _BILATERAL_DIAMETER,
        _BILATERAL_SIGMA * (top / 255),
        _BILATERAL_SIGMA,
    )
    result = np.rint(smoothed).astype(image.dtype)
    if clahe_clip_limit:
        result = cv2.createCLAHE(clipLimit=clahe_clip_limit, tileGridSize=(clahe_grid, clahe_grid)).apply(result)
    if reapply_mask:
        result = np.where(shown, result, 0).astype(image.dtype)
    return np.ascontiguousarray(result[::-1]) if flip else result


def _range(values: Image, saturated_percent: float, top: int) -> tuple[float, float]:
    """Return the intensities below and above which a share of the pixels lies."""
    counts = np.bincount(values.ravel(), minlength=top + 1)
    total = counts.sum()
    if not total:
        raise FilterError("the image is all 0")
    cumulative = np.cumsum(counts) / total
    share = saturated_percent / 100
    low = int(np.searchsorted(cumulative, share, side="right"))
    high = int(np.searchsorted(cumulative, 1 - share, side="left"))
    if low >= high:
        raise FilterError(f"nearly all pixels of the image have the intensity {low}")
    return float(low), float(high)
