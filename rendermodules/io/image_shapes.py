"""Sizes and types of many images, read from their headers; everything wrong with them is said at once."""

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rendermodules.core.positions import ImageShape
from rendermodules.core.problems import Problems
from rendermodules.io.image_folders import missing_images
from rendermodules.io.images import ImageError, ImageSource, image_header, image_size

# headers come from file servers and object stores: the threads wait, they do not compute
_THREADS = 8
_IMAGES_PER_TASK = 32


def image_shape(source: ImageSource) -> ImageShape:
    """Return size and greatest value of an image; only its header is read where that is possible.

    Raises
    ------
    ImageError
        The image is missing, empty or damaged.
    """
    header = image_header(source)
    # floating values are shown in the range of bytes, as Render does where no range is given
    return ImageShape(header.width, header.height, 65535.0 if header.dtype == np.uint16 else 255.0)


def shapes_of_images(
    sources: Sequence[ImageSource],
    places: Sequence[str],
    kinds: Sequence[Hashable],
    problems: Problems,
    *,
    each: bool = True,
) -> list[ImageShape]:
    """Return size and type of every image, and note those that are missing or cannot be read.

    Parameters
    ----------
    sources : list of ImageSource
        The images; the slices of one file have one size.
    places : list of str
        Where the input names each, for messages.
    kinds : list
        Images of one kind, such as a channel, have one size and type if ``each`` is false.
    problems : Problems
        Where missing and unreadable images are noted; what is returned for them means nothing.
    each : bool, default: True
        Read the header of each image. Otherwise that of the first of each kind, and only look whether the others
        are there, which is one listing for each folder.
    """
    urls = [source.url for source in sources]
    first_of_kind: dict[Hashable, ImageSource] = {}
    for source, kind in zip(sources, kinds, strict=True):
        first_of_kind.setdefault(kind, source)
    read = {source.url: source for source in (sources if each else first_of_kind.values())}
    shapes = dict(zip(read, _shapes(list(read.values())), strict=True))
    missing = set() if each else missing_images(urls)
    found: list[ImageShape] = []
    for url, place, kind in zip(urls, places, kinds, strict=True):
        shape = shapes.get(url if each else first_of_kind[kind].url)
        if url in missing:
            problems.add("the image does not exist", f"{place} ({url})")
        elif isinstance(shapes.get(url), ImageError):
            problems.add("the image cannot be read", f"{place} ({shapes[url]})")
        found.append(shape if isinstance(shape, ImageShape) else ImageShape(0, 0, 0.0))
    return found


def _shapes(sources: Sequence[ImageSource]) -> list[ImageShape | ImageError]:
    tasks = [sources[start : start + _IMAGES_PER_TASK] for start in range(0, len(sources), _IMAGES_PER_TASK)]
    if len(tasks) < 2:
        return [_shape_or_error(source) for source in sources]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [
            shape for task in pool.map(lambda part: [_shape_or_error(one) for one in part], tasks) for shape in task
        ]


def _shape_or_error(source: ImageSource) -> ImageShape | ImageError:
    try:
        return image_shape(source)
    except ImageError as error:
        return error


def check_sizes(
    shapes: Sequence[ImageShape], said: Sequence[tuple[int, int] | None], places: Sequence[str], problems: Problems
) -> None:
    """Note images of another size than the input says; those without a size are unreadable and noted already."""
    for shape, size, place in zip(shapes, said, places, strict=True):
        found = (shape.width, shape.height)
        if size is not None and found not in ((0, 0), size):
            problems.add("the image is not as large as the input says", f"{place} ({found} instead of {size})")


def check_masks(
    masks: Sequence[str | None], sizes: Sequence[tuple[int, int]], places: Sequence[str], problems: Problems
) -> None:
    """Note masks that are missing, cannot be read, or are not as large as their image; each is read once.

    Images of size 0 are unreadable and noted already.
    """
    known: dict[str, tuple[int, int] | None] = {}
    for mask, size, place in zip(masks, sizes, places, strict=True):
        if mask is None:
            continue
        if mask not in known:
            try:
                known[mask] = image_size(mask)
            except ImageError as error:
                known[mask] = None
                problems.add("the mask cannot be read", f"{place} ({error})")
        found = known[mask]
        if found is not None and size not in ((0, 0), found):
            problems.add("the mask is not as large as the image", f"{place} ({found} instead of {size})")
