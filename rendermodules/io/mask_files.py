"""Masks as files, at every level of an image pyramid."""

from collections.abc import Callable, Iterable
from pathlib import Path

from rendermodules.io.images import Image, ImageSource, image_size, is_finished, read_image, write_image
from rendermodules.io.mipmaps import LevelSuffix, MipmapWriting, plane_suffix, write_mipmaps
from rendermodules.io.paths import path_below, url_of_path


def mask_urls(mask_file: str, mask_dir: str | None, levels: Iterable[int]) -> dict[int, str]:
    """Return the URL of a mask at each level, after writing those that are not there yet.

    Parameters
    ----------
    mask_file : path
        The mask at level 0.
    mask_dir : path or None
        Folder for the smaller ones; that of ``mask_file`` if None. Each pixel is the minimum of those that it stands
        for, so that what is hidden stays hidden.
    levels : iterable of int
        Level 0 is the file itself.

    Raises
    ------
    ValueError
        The mask is too small for a level.
    """
    folder = url_of_path(mask_dir or Path(mask_file).parent)
    smaller = sorted(set(levels) - {0})
    urls = write_mipmaps(
        url_of_path(mask_file), MipmapWriting(LevelSuffix(folder, "png"), smaller, method="minimum")
    ).urls
    missing = [level for level in smaller if level not in urls]
    if missing:
        raise ValueError(f"the mask is too small to have the levels {missing} that images have")
    return {0: url_of_path(mask_file), **urls}


def written_mask(source: ImageSource, folder: str, mask_of: Callable[[Image], Image | None]) -> Path | None:
    """Return the file of the mask that an image has in a folder, written unless it is there; None for no mask.

    Parameters
    ----------
    source : ImageSource
        The image.
    folder : path
        Masks go below it, by the paths of the images.
    mask_of : callable
        From an image to its mask, or None when it needs none.
    """
    path = path_below(folder, source.url)
    path = path.with_name(f"{path.name}{plane_suffix(source)}_mask.png")
    if is_finished(str(path), image_size(source), source):
        return path
    mask = mask_of(read_image(source))
    if mask is None:
        return None
    write_image(path, mask)
    return path
