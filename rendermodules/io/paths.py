"""Places of files as Render writes them: URLs and plain paths, to and fro; and numbers as Java writes them in names."""

import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from rendermodules.io.expressions import BoundedExpression

ReadPolicy = Callable[[str], bool]
"""Tells whether a place may be read: an absolute path without links in it, or the URL of a remote object."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_UNQUOTED = "/~!$&'()*+,;=:@"


class UrlError(ValueError):
    """A URL that does not lead to a local file where one is needed."""


def scheme(url: str) -> str:
    """Return the scheme of a URL in small letters, ``file`` for a plain path."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else "file"


def is_local(url: str) -> bool:
    """Return whether a URL or plain path leads to a file of this machine."""
    return scheme(url) == "file"


@lru_cache(maxsize=8192)
def path_of_url(url: str) -> Path:
    """Return the path that a ``file:`` URL or a plain path leads to.

    ``file:/a``, ``file://a`` as Render's users write it for ``/a``, ``file:///a`` and ``file://localhost/a`` are the
    same. Percent-encoded characters are decoded in URLs, not in plain paths; a query is dropped from URLs.

    Raises
    ------
    UrlError
        The URL has another scheme.
    """
    match = _SCHEME.match(url)
    if not match:
        return Path(url)
    if match[1].lower() != "file":
        raise UrlError(f"{url} is not on this machine")
    rest = url[match.end() :].partition("?")[0]
    if rest.startswith("//"):
        rest = rest.removeprefix("//localhost").lstrip("/")
        rest = "/" + rest
    return Path(unquote(rest))


def remote_place(url: str) -> str:
    """Return how fsspec names a remote object: decoded, except on the web, where the URL itself is the name."""
    return url if scheme(url) in ("http", "https") else unquote(url)


def encoded_url(url: str) -> str:
    """Return the URL of a remote object percent-encoded, whether it was before or not; one of the web as it is."""
    return url if scheme(url) in ("http", "https") else quote(unquote(url), safe=_UNQUOTED)


def url_of_path(path: str | os.PathLike[str]) -> str:
    """Return the ``file:///`` URL of a path; relative paths are taken from the current folder."""
    absolute = Path(path).absolute().as_posix()
    return "file://" + quote(absolute, safe=_UNQUOTED)


def url_of_place(place: str) -> str:
    """Return the URL of what a user gave, a path or a URL, percent-encoded whether it was or not."""
    return url_of_path(local_path(place)) if is_local(place) else encoded_url(place)


def local_path(location: str | os.PathLike[str]) -> Path:
    """Return the path of what a user gave: a path, which may begin with ``~/``, or a ``file:`` URL.

    Raises
    ------
    UrlError
        The URL has another scheme.
    """
    place = os.fspath(location)
    return Path(place).expanduser() if place.startswith("~/") else path_of_url(place)


def joined_url(base: str, *names: str) -> str:
    """Return the URL or path of something below ``base``; ``names`` are plain and are encoded if ``base`` is a URL.

    A query at the end of ``base`` is not expected.
    """
    if not _SCHEME.match(base):
        return str(PurePosixPath(base, *names))
    parts = [quote(name.strip("/"), safe=_UNQUOTED) for name in names]
    return "/".join([base.rstrip("/"), *parts])


def folder_of(url: str) -> str:
    """Return the folder that holds what a URL or path leads to: a path for local ones, else a URL."""
    return str(path_of_url(url).absolute().parent) if is_local(url) else url.partition("?")[0].rpartition("/")[0]


def path_below(folder: str | os.PathLike[str], url: str) -> Path:
    """Return where something that belongs to ``url`` goes below a folder: by its path, so that no two meet."""
    place = url.partition("?")[0]
    path = path_of_url(place).absolute() if is_local(place) else Path(unquote(place.partition(":")[2]))
    return Path(folder).absolute() / path.relative_to(path.anchor)


def file_name(url: str) -> str:
    """Return the last part of a URL or path, decoded and without query."""
    if is_local(url):
        return path_of_url(url).name
    return unquote(PurePosixPath(urlsplit(url).path).name)


def mipmap_url(url: str, level: int, root: str, extension: str, pattern: str | None = None) -> str:
    """Return where Render's path builder expects a mipmap of an image.

    Parameters
    ----------
    url : str
        URL or path of the full-scale image.
    level : int
        0 is full scale, each further level half of it.
    root : str
        Folder or URL that holds one folder for each level.
    extension : str
        Ending of the files, without point.
    pattern : str, optional
        Regular expression with two groups that must match the whole ``url``; the result is then what the groups hold
        with the level between.

    Returns
    -------
    str
        ``root/level/path-of-the-image.extension``, or what the pattern gives; ``url`` if the pattern does not match.

    Raises
    ------
    ExpressionError
        The pattern is wrong, or could take for ever.

    Notes
    -----
    Java: org.janelia.alignment.spec.stack.MipmapPathBuilder.
    """
    if pattern is not None:
        match = BoundedExpression(pattern).fullmatch(url)
        return f"{match[1]}{level}{match[2]}" if match and match.re.groups == 2 else url
    path = url[url.find(":") + 1 :].lstrip("/")
    return f"{root.rstrip('/')}/{level}/{path}.{extension}"


def allowed_below(roots: Iterable[str | os.PathLike[str]]) -> ReadPolicy:
    """Return a policy that allows what lies in one of the folders, or whose URL begins with one of the URLs.

    Links are followed before a path is compared, so that a link out of a folder leads to a refusal.
    """
    folders: list[Path] = []
    urls: list[str] = []
    for root in [os.fspath(root) for root in roots]:
        if is_local(root):
            folders.append(path_of_url(root).resolve())
        else:
            urls.append(root.rstrip("/") + "/")

    def allowed(place: str) -> bool:
        if is_local(place):
            return any(Path(place).is_relative_to(folder) for folder in folders)
        # a remote path that climbs is not followed, for what it means is up to the server
        climbs = ".." in unquote(place).split("/")
        return not climbs and any(place.startswith(url) for url in urls)

    return allowed


def java_number(value: float) -> str:
    """Return a number as Java writes a double: ``3.0``, ``1020.1``, ``1.0E7``, ``5.0E-4``.

    Render's programs put z into names of files and sections this way.
    """
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(number)]
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        # repr has no exponent in this range
        return repr(number)
    digits, _, exponent = f"{number!r}".partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.removeprefix("-").partition(".")
    significant = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(significant)
    power = int(exponent or 0) + len(whole) - leading_zeros - 1
    significant = significant.rstrip("0")
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"
