"""Patterns such as ``folder/*.json`` and the files that they stand for, here and in object stores."""

from collections.abc import Iterable
from glob import glob, has_magic

from rendermodules.core.problems import InputError
from rendermodules.io.paths import is_local, local_path, remote_place


def expanded_places(patterns: Iterable[str]) -> list[str]:
    """Return the files and folders that patterns stand for, each once, those of one pattern sorted.

    Raises
    ------
    InputError
        A pattern stands for no file.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        places = _expanded(pattern)
        if not places:
            raise InputError(f"there is no file {pattern}")
        found.update(dict.fromkeys(places))
    return list(found)


def _expanded(pattern: str) -> list[str]:
    if is_local(pattern):
        path = local_path(pattern)
        # a file may be called a[1].tif; the pattern may be in any part of the path, which Path.glob does not take
        return [str(path)] if path.exists() else sorted(glob(str(path)))  # noqa: PTH207
    if not has_magic(pattern):
        return [pattern]
    import fsspec

    files, place = fsspec.core.url_to_fs(remote_place(pattern))
    return sorted(files.unstrip_protocol(name) for name in files.glob(place))
