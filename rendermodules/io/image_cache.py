"""Decoded images and other costly values, kept as long as they fit into a number of bytes, shared by threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from rendermodules.core.resampling import halved
from rendermodules.io.image_formats import LARGEST_IMAGE
from rendermodules.io.image_loaders import ImageError, ImageSource, loader_of
from rendermodules.io.images import Image, check_readable, file_stamp, image_size, read_image
from rendermodules.io.paths import ReadPolicy

Value = TypeVar("Value")

DEFAULT_IMAGE_BYTES = 1 << 30
_FEW_BYTES = 200


class BytesBoundedCache(Generic[Value]):
    """Values by key; those not used for longest go when all together are too large.

    Threads that ask for one missing value at a time wait for the first of them to make it.

    Parameters
    ----------
    max_bytes : int
        What the kept values may take. A value larger than this is returned but not kept. While values are being made
        and used they take memory beside.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """What the kept values take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)

    def value(self, key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        """Return the value of ``key``, made by ``make`` if it is not kept; ``size`` tells how many bytes it takes.

        What ``make`` raises goes to the caller, and nothing is kept.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key][0]
            try:
                value = make()
                self._keep(key, value, size(value) + _FEW_BYTES)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def _keep(self, key: Hashable, value: Value, size: int) -> None:
        with self._lock:
            if size > self.max_bytes:
                return
            self._bytes += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = (value, size)
            while self._bytes > self.max_bytes:
                _, (_, freed) = self._values.popitem(last=False)
                self._bytes -= freed

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()
            self._bytes = 0


class ImageCache:
    """Decoded images, reduced or not, and their sizes; and the rule of which places may be read.

    A local file that has been changed is read again. Images are shared and cannot be written.

    Parameters
    ----------
    max_bytes : int, default: 1 GiB
        What the kept images may take.
    allowed : callable, optional
        Tells which places may be read; all if absent.
    max_pixels : int, default: 2**30
        Most pixels of an image that is decoded. Files of a megabyte can hold some thousand times as much.
    """

    def __init__(
        self,
        max_bytes: int = DEFAULT_IMAGE_BYTES,
        allowed: ReadPolicy | None = None,
        max_pixels: int = LARGEST_IMAGE,
    ) -> None:
        self.allowed = allowed
        self.max_pixels = max_pixels
        self._images: BytesBoundedCache[Image] = BytesBoundedCache(max_bytes)
        self._sizes: BytesBoundedCache[tuple[int, int]] = BytesBoundedCache(16 << 20)

    @property
    def bytes(self) -> int:
        """What the kept images take."""
        return self._images.bytes

    def image(self, source: ImageSource, halvings: int = 0) -> Image:
        """Return an image, reduced ``halvings`` times by averages of 2 x 2 pixels.

        Raises
        ------
        ImageError
            It cannot be had, may not be read, or has too many pixels.
        """
        key = (source, file_stamp(source), halvings)
        return self._images.value(key, lambda: self._made(source, halvings), lambda image: image.nbytes)

    def _made(self, source: ImageSource, halvings: int) -> Image:
        # the steps between are kept as well: the next coarser level is often asked for next
        image = halved(self.image(source, halvings - 1)) if halvings else self._read(source)
        image.flags.writeable = False
        return image

    def _read(self, source: ImageSource) -> Image:
        # any other image is refused by what reads it
        if self.max_pixels < LARGEST_IMAGE:
            width, height = self.size(source)
            if width * height > self.max_pixels:
                size = f"{width} x {height} pixels, more than the {self.max_pixels} that are read"
                raise ImageError(f"{source.url}: is an image of {size}")
        return read_image(source, self.allowed)

    def derived(self, source: ImageSource, halvings: int, recipe: Hashable, make: Callable[[Image], Image]) -> Image:
        """Return an image made by ``make`` from another, kept like that one; ``recipe`` tells what ``make`` does."""

        def made() -> Image:
            image = make(self.image(source, halvings))
            image.flags.writeable = False
            return image

        key = (source, file_stamp(source), halvings, recipe)
        return self._images.value(key, made, lambda image: image.nbytes)

    def size(self, source: ImageSource) -> tuple[int, int]:
        """Return width and height of an image, read from its header if it is not kept."""
        key = (source, file_stamp(source))
        return self._sizes.value(key, lambda: image_size(source, self.allowed), lambda size: 0)

    def check_readable(self, source: ImageSource) -> None:
        """Raise ``ImageError`` if an image is missing, empty, or may not be read, as far as that is quickly seen."""
        loader_of(source)
        check_readable(source, self.allowed)

    def clear(self) -> None:
        """Forget all images, so that remote ones are fetched again."""
        self._images.clear()
        self._sizes.clear()
