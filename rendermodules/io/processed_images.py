"""Images made of other images: where they are, and how they are written once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rendermodules.io.images import Image, ImageSource, image_size, is_finished, read_image, write_image
from rendermodules.io.mipmaps import plane_suffix
from rendermodules.io.paths import is_local, path_below, path_of_url, url_of_path


@dataclass(frozen=True)
class ImageProcessing:
    """What is made of images, and where it goes.

    Attributes
    ----------
    folder : str
        Images go below it, by the paths of those that they are made of: no two have the same name.
    process : callable
        From an image to one of the same size; a function that can be sent to workers.
    compression : str, optional
        Of the TIFF files: ``deflate``, ``lzw`` or ``zstd``; none if absent.
    redo : bool, default: False
        Whether files that are there are made again.
    """

    folder: str
    process: Callable[[Image], Image]
    compression: str | None = None
    redo: bool = False

    def path(self, source: ImageSource) -> Path:
        """Return where the image goes that is made of ``source``: a TIFF file.

        Raises
        ------
        ValueError
            ``source`` is itself in the folder: it would be processed twice.
        """
        folder = Path(self.folder).absolute()
        if is_local(source.url) and path_of_url(source.url.partition("?")[0]).absolute().is_relative_to(folder):
            raise ValueError(f"{source.url} is in {self.folder} already, so it has been processed")
        path = path_below(folder, source.url)
        name = path.name + plane_suffix(source)
        if Path(name).suffix.lower() not in (".tif", ".tiff"):
            name += ".tif"
        return path.with_name(name)

    def url(self, source: ImageSource) -> str:
        """Return the URL of `path`."""
        return url_of_path(self.path(source))


def write_processed_image(source: ImageSource, processing: ImageProcessing) -> bool:
    """Write what is made of an image; return whether that was needed.

    A file that is there, whole, of the same size and not older than its source is kept.

    Raises
    ------
    ImageError
        The image cannot be read, or the result cannot be written.
    ValueError
        The image has been processed already, or cannot be.
    """
    path = processing.path(source)
    if not processing.redo and is_finished(url_of_path(path), image_size(source), source):
        return False
    write_image(path, processing.process(read_image(source)), compression=processing.compression)
    return True


def deleted_originals(urls: Iterable[str], processing: ImageProcessing) -> tuple[list[str], dict[str, str]]:
    """Delete images of which others have been made.

    Parameters
    ----------
    urls : iterable of str
        The originals.
    processing : ImageProcessing
        How they were processed.

    Returns
    -------
    list of str, dict of str to str
        Those that were deleted; and those that were not, with the reason: what was made of them is not there, whole
        and of the same size, or they are not files of this machine.
    """
    deleted, kept = [], {}
    for url in urls:
        source = ImageSource(url)
        try:
            if not is_local(url):
                kept[url] = "it is not on this machine"
            elif not is_finished(processing.url(source), image_size(source), source):
                kept[url] = f"{processing.path(source)} is not there or not whole"
            else:
                path_of_url(url).unlink()
                deleted.append(url)
        except (OSError, ValueError) as error:
            kept[url] = str(error)
    return deleted, kept
