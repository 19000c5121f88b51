"""Images of one depth as images of another, and as they are shown, by ImageJ's rules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
Bytes = NDArray[np.uint8]

DEFAULT_RANGE = (0.0, 255.0)
"""Range of tiles that do not state one, whatever their depth."""


def shown(image: Image, low: float, high: float) -> Bytes:
    """Return an image as it is shown: ``low`` black and ``high`` white, 8 bit.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8, uint16, or float; colour is uint8, and each colour is treated alone.
    low, high : float
        Values of the image. For uint8 a range that is upside down counts as 0 to 255.

    Notes
    -----
    Java: ij.process.ByteProcessor.setMinAndMax, ShortProcessor.create8BitImage, FloatProcessor.create8BitImage. They
    differ in how they round.
    """
    if image.dtype == np.uint8:
        if (low, high) == DEFAULT_RANGE or high < low:
            return image
        return _byte_table(low, high)[image]
    if image.dtype == np.uint16:
        return _short_table(low, high)[image]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = (image - np.float32(low)) * np.float32(np.float64(255.0) / (high - low)) + np.float32(0.5)
    return np.nan_to_num(np.clip(values, 0, 255)).astype(np.uint8)


def _byte_table(low: float, high: float) -> Bytes:
    values = np.arange(256.0)
    if high == low:
        return np.where(values < low, 0, 255).astype(np.uint8)
    inside = np.clip(np.trunc(256.0 * (values - low) / (high - low)), 0, 255)
    return np.where(values < low, 0, np.where(values > high, 255, inside)).astype(np.uint8)


def _short_table(low: float, high: float) -> Bytes:
    low, high = float(int(np.clip(low, 0, 65535))), float(int(np.clip(high, 0, 65535)))
    values = np.maximum(np.arange(65536.0) - low, 0)
    # a range that is upside down by one would divide by 0
    factor = 256.0 / (high - low + 1) if high - low != -1 else np.inf
    with np.errstate(invalid="ignore"):
        return np.clip(np.nan_to_num(np.trunc(values * factor + 0.5)), 0, 255).astype(np.uint8)


def luminance(image: Image) -> Image:
    """Return a colour image as gray: the mean of red, green and blue; other images as they are."""
    if image.ndim == 2:
        return image
    total = image.astype(np.uint16).sum(axis=2, dtype=np.uint16)
    return (total / 3.0).astype(np.uint8)


def as_kind_of(image: Image, model: Image, low: float, high: float) -> Image:
    """Return an image in the depth and colours of another, as Render does for the tiles behind the first.

    To 8 bit by the range ``low`` to ``high`` of the image itself, to more bits as it is, to colour by way of 8 bit.
    """
    if image.ndim == model.ndim and image.dtype == model.dtype:
        return image
    if model.ndim == 3:
        gray = shown(image, low, high)
        return np.ascontiguousarray(np.broadcast_to(gray[:, :, None], (*gray.shape, 3)))
    if image.ndim == 3:
        image = luminance(image)
    if model.dtype == np.uint8:
        return shown(image, low, high)
    if model.dtype == np.uint16:
        return np.clip(image, 0, 65535).astype(np.uint16)
    return image.astype(np.float32)


def with_range(image: Image, low: float, high: float, new_low: float, new_high: float) -> Image:
    """Return an image whose values ``low`` and ``high`` are ``new_low`` and ``new_high``, the others in proportion.

    Whole numbers are rounded and clipped to what their type holds.
    """
    if (low, high) == (new_low, new_high) or high == low:
        return image
    factor = (new_high - new_low) / (high - low)
    if not np.issubdtype(image.dtype, np.integer):
        return ((image - low) * factor + new_low).astype(image.dtype)
    largest = np.iinfo(image.dtype).max
    table = np.clip(np.floor((np.arange(largest + 1.0) - low) * factor + new_low + 0.5), 0, largest)
    return table.astype(image.dtype)[image]
