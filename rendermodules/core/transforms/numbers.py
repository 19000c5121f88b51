"""Numbers of data strings: to text and back without loss, and the packed form that large transforms use."""

import base64
import binascii
import math
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.transforms.base import TransformError

_BIG_ENDIAN = np.dtype(">f8")


def numbers(text: str | Sequence[str]) -> list[float]:
    """Return the numbers of a text with blanks between them, or of its fields.

    Raises
    ------
    TransformError
        A field is no number, or NaN or infinite.
    """
    fields = text.split() if isinstance(text, str) else text
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise TransformError(f"not a list of numbers: {error}") from None
    if not all(map(math.isfinite, values)):
        raise TransformError("holds numbers that are not finite")
    return values


def expected_numbers(text: str | Sequence[str], count: int, meaning: str) -> list[float]:
    """Return the numbers of a text that must hold ``count`` of them, which are ``meaning``."""
    values = numbers(text)
    if len(values) != count:
        raise TransformError(f"must have {count} numbers ({meaning}) but has {len(values)}")
    return values


def single_precision(values: Iterable[float]) -> list[float]:
    """Return numbers as Java's ``float`` holds them, for the classes that parse their data that way."""
    with np.errstate(over="ignore"):
        singles = np.array(list(values), dtype=np.float64).astype(np.float32).astype(np.float64)
    if not np.isfinite(singles).all():
        raise TransformError("holds numbers that are too large for single precision")
    return [float(value) for value in singles]


def text_of(values: Iterable[float]) -> str:
    """Return numbers as the shortest text that gives the same double back, blanks between them."""
    return " ".join(repr(float(value)) for value in values)


def single_precision_text(values: Iterable[float]) -> str:
    """Return numbers as the shortest text that gives the same ``float`` back, blanks between them."""
    return " ".join(str(np.float32(value)) for value in values)


def packed(values: NDArray[np.float64]) -> str:
    """Return numbers as base64 of their big-endian bytes, deflated if that is shorter, else marked by ``@``."""
    content = np.ascontiguousarray(values, dtype=_BIG_ENDIAN).tobytes()
    deflated = zlib.compress(content)
    if len(deflated) < len(content):
        return base64.b64encode(deflated).decode("ascii")
    return "@" + base64.b64encode(content).decode("ascii")


def unpacked(text: str, count: int, meaning: str) -> NDArray[np.float64]:
    """Return the ``count`` numbers of a packed block.

    Raises
    ------
    TransformError
        The block is damaged, holds another number of values or some that are not finite.
    """
    size = count * _BIG_ENDIAN.itemsize
    try:
        content = base64.b64decode(text.removeprefix("@"), validate=True)
        if not text.startswith("@"):
            # one byte more than is wanted is enough to see that a block is too long, however far it would inflate
            content = zlib.decompressobj().decompress(content, size + 1)
    except (binascii.Error, zlib.error) as error:
        raise TransformError(f"the block of {meaning} is damaged: {error}") from None
    if len(content) != size:
        raise TransformError(f"the block of {meaning} must hold {count} numbers")
    values = np.frombuffer(content, dtype=_BIG_ENDIAN).astype(np.float64)
    if not np.isfinite(values).all():
        raise TransformError(f"the block of {meaning} holds numbers that are not finite")
    return values


def frozen(values: object, shape: tuple[int, ...], meaning: str) -> NDArray[np.float64]:
    """Return a copy of an array that cannot be written; -1 in ``shape`` stands for any length.

    Raises
    ------
    TransformError
        The array has another shape or holds numbers that are not finite.
    """
    array = np.array(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(want in (-1, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        raise TransformError(f"{meaning} must have shape {shape} but has {array.shape}")
    if not np.isfinite(array).all():
        raise TransformError(f"{meaning} holds numbers that are not finite")
    array.flags.writeable = False
    return array
