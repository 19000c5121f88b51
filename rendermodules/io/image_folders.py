"""Folders of images, on this machine and in object stores."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from rendermodules.core.problems import InputError, listed
from rendermodules.core.tables import Table
from rendermodules.io.paths import is_local, joined_url, local_path, remote_place, scheme, url_of_path, url_of_place

IMAGE_SUFFIXES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm"})


def image_urls(names: Iterable[str], folder: str) -> list[str]:
    """Return the URLs of images that a table names: by URLs, by absolute paths, or by paths below ``folder``."""
    base = url_of_place(folder)
    return [_image_url(name, base) for name in names]


def _image_url(name: str, base: str) -> str:
    if name.startswith("/"):
        return url_of_path(name)
    return name if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name) else joined_url(base, name)


def file_names(folder: str, *, deep: bool = False) -> list[str]:
    """Return the files of a folder, or of all folders below it, relative to it, ``tile2`` before ``tile10``.

    Parameters
    ----------
    folder : str
        A path, or a URL that fsspec knows, such as ``s3://bucket/run 7``.
    deep : bool, default: False
        Look into the folders in it as well.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    if is_local(folder):
        root = local_path(folder)
        found = root.rglob("*") if deep else root.iterdir()
        names = [path.relative_to(root).as_posix() for path in found if path.is_file()]
    else:
        import fsspec

        files, root_in_store = fsspec.core.url_to_fs(remote_place(folder))
        below = files.find(root_in_store, maxdepth=None if deep else 1)
        names = [PurePosixPath(name).relative_to(root_in_store).as_posix() for name in below]
        if not names and not files.exists(root_in_store):
            raise FileNotFoundError(f"there is no folder {folder}")
    return sorted(names, key=_natural)


def missing_images(urls: Iterable[str]) -> set[str]:
    """Return those of the images that do not exist.

    Every folder is listed once, which on a file server or in an object store is far cheaper than asking for
    each file.
    """
    by_folder: dict[str, list[tuple[str, str]]] = {}
    for url in dict.fromkeys(urls):
        folder, _, name = _place(url).rpartition("/")
        by_folder.setdefault(folder, []).append((name, url))
    missing: set[str] = set()
    for folder, files in by_folder.items():
        try:
            present = set(file_names(folder or "/"))
        except FileNotFoundError:
            present = set()
        missing.update(url for name, url in files if name not in present)
    return missing


def _place(url: str) -> str:
    return local_path(url).absolute().as_posix() if is_local(url) else remote_place(url)


def images_of_pattern(folder: str, pattern: str | None) -> Table:
    """Return a table of the images in a folder, with a column for every named group of a pattern.

    Parameters
    ----------
    folder : str
        Path or URL.
    pattern : str, optional
        Regular expression that fits the whole name of an image, or its path below the folder if there is a ``/``
        in the pattern. By default all images of the folder, without further columns.

    Raises
    ------
    InputError
        The pattern is no regular expression, or fits no file.
    """
    try:
        expression = re.compile(pattern) if pattern is not None else None
    except re.error as error:
        raise InputError(f"the pattern {pattern!r} is no regular expression: {error}") from None
    names = file_names(folder, deep=pattern is not None and "/" in pattern)
    # the halves of files that Macs put beside them (._s1.tif), and what a killed program left, are no images
    names = [name for name in names if not PurePosixPath(name).name.startswith(".")]
    if expression is None:
        names = [name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]
        if not names:
            raise InputError(f"{folder}: there is no image, that is no file ending in {listed(sorted(IMAGE_SUFFIXES))}")
        return _table(folder, names, {})
    matches = [(name, expression.fullmatch(name)) for name in names]
    fitting = [(name, match.groupdict()) for name, match in matches if match]
    if not fitting:
        raise InputError(f"{folder}: no file fits the pattern {pattern}; there are {listed(names, 5) or 'none'}")
    groups: dict[str, Sequence[str | None]] = {
        group: [values[group] for _, values in fitting] for group in expression.groupindex
    }
    return _table(folder, [name for name, _ in fitting], groups)


def _table(folder: str, names: list[str], groups: dict[str, Sequence[str | None]]) -> Table:
    return Table(folder, {"file": names, **groups}, names)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sorting key in which numbers count by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def default_image_folder(table_file: str | Path, said: object = None) -> str:
    """Return where the images of a table of positions are: the folder that it says, relative to it, or its own."""
    folder = Path(table_file).absolute().parent
    if isinstance(said, str) and said:
        return said if scheme(said) != "file" else str(folder / local_path(said))
    return str(folder)
