"""What an operator may set about a service."""

from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on what one request may ask for; beyond them the answer is 413 (or 400 in the URL).

    Attributes
    ----------
    body_bytes : int, default: 1 GiB
        Size of a request body.
    image_pixels : int, default: 2**28
        Pixels of one rendered image.
    decoded_pixels : int, default: 2**28
        Pixels of one image that is read.
    tiles : int, default: 200 000
        Tile specs in one answer.
    rendered_tiles : int, default: 20 000
        Tiles drawn into one image.
    points : int, default: 1 000 000
        Coordinates in one batch.
    image_cache_bytes : int, default: 256 MiB
        Decoded tile images kept in memory, by each process.
    """

    body_bytes: int = 1024 * MEBIBYTE
    image_pixels: int = 1 << 28
    decoded_pixels: int = 1 << 28
    tiles: int = 200_000
    rendered_tiles: int = 20_000
    points: int = 1_000_000
    image_cache_bytes: int = 256 * MEBIBYTE


@dataclass(frozen=True)
class Settings:
    """Everything that tells one service from another; picklable.

    Attributes
    ----------
    store : Path
        The store file.
    strict : bool, default: False
        Answer to the letter as Java Render does, where that is plainly broken too; see ROUTES.md.
    image_roots : tuple of str or None, default: None
        Folders and URLs below which images may be read; None does not restrict them, which suits a
        store used within one's own process.
    token : str or None, default: None
        What clients must send as ``Authorization: Bearer``; None asks for nothing.
    host_names : tuple of str or None, default: None
        Names, beside addresses and localhost, that requests may be sent to, in small letters; None allows any, which
        suits a service that asks for a token.
    limits : Limits
    render_threads : int, default: 1
        Threads that draw one image.
    access_log : str or None, default: None
        File for one JSON object a request; "-" is standard error.
    """

    store: Path
    strict: bool = False
    image_roots: tuple[str, ...] | None = None
    token: str | None = None
    host_names: tuple[str, ...] | None = None
    limits: Limits = field(default_factory=Limits)
    render_threads: int = 1
    access_log: str | None = None
