"""Images at other resolutions and in other places."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.meshes import mesh_columns
from rendermodules.core.placement import (
    affine_on_canvas,
    affine_placement,
    full_scale,
    mesh_placement,
    on_canvas,
    sample_grid,
    wanted_level,
    widened_mesh,
)
from rendermodules.core.rasterising import Layer, draw_layers
from rendermodules.core.transforms import CoordinateTransform

Image = NDArray[Any]
Bytes = NDArray[np.uint8]

_ROWS_HALVED_AT_ONCE = 64


def halved(image: Image) -> Image:
    """Return an image of half the size: averages of 2 x 2 pixels, rounded down; an odd last row or column is dropped.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8, uint16 or float; floats are not rounded.

    Returns
    -------
    array of the same type
        A new array; it has no pixels if a side of ``image`` is 1.

    Notes
    -----
    Java: mpicbg.trakem2.util.Downsampler.
    """
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    image = image[: 2 * rows, : 2 * columns]
    if image.dtype in (np.uint8, np.uint16):
        return _integers_halved(image)
    result: Image = (image[::2, ::2] + image[::2, 1::2] + image[1::2, ::2] + image[1::2, 1::2]) / 4
    return result.astype(image.dtype)


def _integers_halved(image: Image) -> Image:
    """Return the means, rounded down, of 2 x 2 pixels of an image of even sides."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    result = np.empty((rows, columns, *image.shape[2:]), image.dtype)
    sum_type = np.uint16 if image.dtype == np.uint8 else np.uint32
    # rows that stay in the cache of the processor, and colours one by one: numpy is slow along short axes
    samples = [()] if image.ndim == 2 else [(sample,) for sample in range(image.shape[2])]
    for begin in range(0, rows, _ROWS_HALVED_AT_ONCE):
        end = min(begin + _ROWS_HALVED_AT_ONCE, rows)
        sums = np.add(image[2 * begin : 2 * end : 2], image[2 * begin + 1 : 2 * end : 2], dtype=sum_type)
        for sample in samples:
            total = sums[:, ::2, *sample] + sums[:, 1::2, *sample]
            total >>= 2
            result[begin:end, :, *sample] = total
    return result


def drawn_through(
    image: Image,
    transform: CoordinateTransform,
    box: tuple[float, float, float, float],
    scale: float = 1.0,
    mask: Bytes | None = None,
    mesh_cell_size: float = 64.0,
) -> tuple[Image, Bytes]:
    """Return a box of the world with an image in it, and where the image is.

    The image is interpolated between four pixels each; where the result is less than half its size it is averaged down
    first, as a mipmap would be. Transforms that are not affine are taken as affine within triangles.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3) array
        uint8, uint16 or float32.
    transform : CoordinateTransform
        From pixels of the image to the world.
    box : (float, float, float, float)
        x, y, width and height in world pixels. The first pixel of the result is at x, y.
    scale : float, default: 1.0
        Pixels of the result per world pixel.
    mask : (rows, columns) uint8 array, optional
        How opaque the image is; entirely if absent.
    mesh_cell_size : float, default: 64.0
        Side of the triangles in pixels of the image.

    Returns
    -------
    pixels : (height * scale, width * scale) array
        Of the type of ``image``; 0 where it is not. With three colours if the image has them.
    coverage : (height * scale, width * scale) uint8 array
        255 where the image is, 0 where it is not, between the two at a soft mask.
    """
    x, y, width, height = box
    rows, columns = image.shape[:2]
    grid = sample_grid(columns, rows, min(mesh_cell_size, max(1.0, min(columns, rows) / 2)))
    level = wanted_level(grid.average_scale(transform.apply(grid.points)) * scale)
    for _ in range(level):
        image, mask = halved(image), None if mask is None else halved(mask)
    size = int(height * scale + 0.5), int(width * scale + 0.5)
    planes = [image] if image.ndim == 2 else [np.ascontiguousarray(image[:, :, channel]) for channel in range(3)]
    results = [np.zeros(size, image.dtype) for _ in planes]
    coverage = np.zeros(size, np.uint8)
    if image.size and coverage.size:
        affine = transform.affine
        mesh_width = 2 if affine is not None else mesh_columns(columns, mesh_cell_size)
        mesh = widened_mesh(image.shape[1], image.shape[0], mesh_width, level)
        if affine is not None:
            place = affine_placement(mesh, affine_on_canvas(affine, level, x, y, scale))
        else:
            place = mesh_placement(mesh, on_canvas(transform.apply(full_scale(mesh.vertices, level)), x, y, scale))
        draw_layers([Layer(tuple(planes), mask, place)], results, coverage)
    return results[0] if image.ndim == 2 else np.stack(results, axis=-1), coverage
