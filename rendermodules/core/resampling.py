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
    if image.dtype in (np.uint8, np.uint16):
        # ten to thirty times as quick as strided sums, but not to be loaded by those who halve nothing
        from rendermodules.core.halving_kernels import mean_halved, mean_halved_samples

        return mean_halved(image) if image.ndim == 2 else mean_halved_samples(image)
    image = image[: 2 * rows, : 2 * columns]
    result: Image = (image[::2, ::2] + image[::2, 1::2] + image[1::2, ::2] + image[1::2, 1::2]) / 4
    return result.astype(image.dtype)


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
