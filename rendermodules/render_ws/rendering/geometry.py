"""Where the images of a tile lie on the canvas; what is costly to find out is kept for the next box."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.meshes import image_mesh, mesh_columns
from rendermodules.core.placement import (
    Placement,
    affine_placement,
    average_scale,
    full_scale,
    mesh_placement,
    on_canvas,
    sample_points,
    wanted_level,
    widened_mesh,
)
from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.core.transforms import CoordinateTransform, TransformError, tile_transform
from rendermodules.io.image_cache import BytesBoundedCache
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters

Floats = NDArray[np.float64]
WorldPoints = BytesBoundedCache[Floats]
"""World coordinates of meshes and sample points, which do not hang on the box that is drawn."""


class TileGeometry:
    """The way of one tile to the canvas.

    Parameters
    ----------
    tile : dict
        A tile spec without references.
    size : (float, float)
        Width and height of its full-scale image, in pixels.
    parameters : RenderParameters
    world_points : BytesBoundedCache
        Kept between requests.
    strict : bool
        Keep to the meshes and the pixels that Java covers.

    Raises
    ------
    RenderingError
        A transform cannot be understood; the message names the tile.
    """

    def __init__(
        self,
        tile: TileSpec,
        size: tuple[float, float],
        parameters: RenderParameters,
        world_points: WorldPoints,
        strict: bool,
    ) -> None:
        self._specs = (tile.get("transforms") or {}).get("specList") or []
        self._size = size
        self._parameters = parameters
        self._world_points = world_points
        self._strict = strict
        try:
            self._transform: CoordinateTransform = tile_transform(tile)
        except TransformError as error:
            raise RenderingError(str(error)) from None
        self._affine = self._transform.affine

    def level(self) -> int:
        """Return the mipmap level that is to be drawn."""
        cell_size = self._parameters.cell_size
        samples = sample_points(*self._size, cell_size)
        mapped = self._on_canvas(self._world(("samples", *self._size, cell_size), samples))
        return wanted_level(average_scale(samples, mapped))

    def placement(self, width: int, height: int, level: int) -> Placement:
        """Return where the image of a mipmap level, of ``width`` by ``height`` pixels, lies on the canvas."""
        if self._affine is not None and not self._strict:
            return affine_placement(widened_mesh(width, height, 2, level), self._whole_affine(self._affine, level))
        columns = mesh_columns(self._size[0], self._parameters.cell_size)
        mesh = image_mesh(width, height, columns) if self._strict else widened_mesh(width, height, columns, level)
        key = ("mesh", width, height, level, columns, self._strict)
        return mesh_placement(mesh, self._on_canvas(self._world(key, full_scale(mesh.vertices, level))))

    def _on_canvas(self, world: Floats) -> Floats:
        return on_canvas(world, self._parameters.x, self._parameters.y, self._parameters.scale)

    def _whole_affine(self, affine: Floats, level: int) -> Floats:
        """Return the affine from the pixels of a mipmap to the canvas."""
        scale, factor = self._parameters.scale, float(1 << level)
        linear = affine[:, :2] * (scale * factor)
        origin = affine @ [(factor - 1) / 2, (factor - 1) / 2, 1.0]
        return np.column_stack([linear, (origin - [self._parameters.x, self._parameters.y]) * scale])

    def _world(self, key: tuple[Any, ...], points: Floats) -> Floats:
        """Return ``points`` of the image in the world; ``key`` tells them from other points of the tile."""
        with np.errstate(over="ignore", invalid="ignore"):
            if self._affine is not None:
                return self._transform.apply(points)
            whole_key = (*key, tuple(_key(spec) for spec in self._specs))
            return self._world_points.value(
                whole_key, lambda: self._transform.apply(points), lambda world: world.nbytes
            )


def _key(spec: TransformSpec) -> object:
    """Return what tells a transform spec from others that map differently."""
    if "specList" in spec:
        return tuple(_key(part) for part in spec["specList"])
    if spec.get("type") == "interpolated":
        return _key(spec["a"]), _key(spec["b"]), spec.get("lambda")
    return spec.get("className"), spec.get("dataString")
