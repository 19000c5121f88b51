"""Zarr containers of which only some files may be read."""

from pathlib import Path
from typing import Any

from zarr.storage import LocalStore

from rendermodules.io.image_loaders import check_allowed
from rendermodules.io.paths import ReadPolicy


class CheckedStore(LocalStore):
    """A container in a folder; a link within it that leads to where nothing may be read is refused.

    Parameters
    ----------
    root : str
        The folder, links in its path followed.
    allowed : callable
        Tells which places may be read, see ``rendermodules.io.paths.allowed_below``.
    """

    def __init__(self, root: str, allowed: ReadPolicy) -> None:
        super().__init__(root, read_only=True)
        self._allowed = allowed

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Return what the container holds under a key, or None.

        Raises
        ------
        RefusedImageError
        """
        self._check(key)
        return await super().get(key, prototype, byte_range)

    def get_sync(self, key: str, **options: Any) -> Any:
        """Return the same as `get`."""
        self._check(key)
        return super().get_sync(key, **options)

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> Any:
        """Return parts of what the container holds, as `get`."""
        wanted = list(key_ranges)
        for key, _ in wanted:
            self._check(key)
        return await super().get_partial_values(prototype, wanted)

    def with_read_only(self, read_only: bool = False) -> "CheckedStore":
        """Return the store itself, which nothing can be written to."""
        return self

    def _check(self, key: str) -> None:
        path = Path(self.root) / key
        check_allowed(str(path), str(path.resolve()), self._allowed)
