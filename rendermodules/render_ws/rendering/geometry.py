"""Where the images of a tile lie on the canvas; what is costly to find out is kept for the next box."""

import math
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.meshes import image_mesh, mesh_columns
from rendermodules.core.placement import (
    Placement,
    SampleGrid,
    affine_on_canvas,
    affine_placement,
    full_scale,
    is_between_levels,
    mesh_placement,
    on_canvas,
    sample_grid,
    wanted_level,
    widened_mesh,
)
from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.core.transforms import CoordinateTransform, TransformError, tile_transform
from rendermodules.io.image_cache import BytesBoundedCache
from rendermodules.render_ws.rendering.parameters import RenderingError, RenderParameters

Floats = NDArray[np.float64]
KnownGeometry = BytesBoundedCache[Any]
"""Meshes in the world and scales, which do not hang on the box that is drawn."""


# transforms may lead anywhere; what is not finite is left out where it is drawn
_anywhere = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class TileGeometry:
    """The way of one tile to the canvas.

    Parameters
    ----------
    tile : dict
        A tile spec without references.
    size : (float, float)
        Width and height of its full-scale image, in pixels.
    parameters : RenderParameters
    known_geometry : BytesBoundedCache
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
        known_geometry: KnownGeometry,
        strict: bool,
    ) -> None:
        self._size = size
        self._parameters = parameters
        self._known_geometry = known_geometry
        self._strict = strict
        try:
            self._transform: CoordinateTransform = tile_transform(tile)
        except TransformError as error:
            raise RenderingError(str(error)) from None
        self._specs = (tile.get("transforms") or {}).get("specList") or []
        self._affine = self._transform.affine

    @_anywhere
    def level(self) -> int:
        """Return the mipmap level that is to be drawn."""
        if not self._strict:
            scale = self._unit_scale() * self._parameters.scale
            # only at a power of two does the outcome hang on the last bit, and with it on the position of the box
            if not is_between_levels(scale):
                return wanted_level(scale)
        grid = self._grid()
        return wanted_level(grid.average_scale(self._on_canvas(self._transform.apply(grid.points))))

    def _grid(self) -> SampleGrid:
        return sample_grid(*self._size, self._parameters.cell_size)

    def _unit_scale(self) -> float:
        """Return by how much the image is scaled on its way to the world."""
        width, height = self._size
        if min(width, height) <= self._parameters.cell_size:
            return 1.0 / self._parameters.scale  # one row of samples tells Render nothing
        if self._affine is not None:
            (m00, m01, _), (m10, m11, _) = self._affine.tolist()
            return max(math.hypot(m00, m10), math.hypot(m01, m11))
        grid = self._grid()
        scale: float = self._kept("scale", lambda: grid.average_scale(self._transform.apply(grid.points)))
        return scale

    @_anywhere
    def placement(self, width: int, height: int, level: int) -> Placement:
        """Return where the image of a mipmap level, of ``width`` by ``height`` pixels, lies on the canvas."""
        columns = mesh_columns(self._size[0], self._parameters.cell_size)
        view = self._parameters.x, self._parameters.y, self._parameters.scale
        if self._strict:
            mesh = image_mesh(width, height, columns)
            return mesh_placement(mesh, self._on_canvas(self._transform.apply(full_scale(mesh.vertices, level))))
        if self._affine is not None:
            return affine_placement(widened_mesh(width, height, 2, level), affine_on_canvas(self._affine, level, *view))

        def in_world() -> Placement:
            mesh = widened_mesh(width, height, columns, level)
            return mesh_placement(mesh, self._transform.apply(full_scale(mesh.vertices, level)))

        world = self._kept(("mesh", width, height, level, columns), in_world)
        return world.seen_from(*view)

    def _on_canvas(self, world: Floats) -> Floats:
        return on_canvas(world, self._parameters.x, self._parameters.y, self._parameters.scale)

    def _kept(self, purpose: Hashable, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returns, kept for tiles with the same transforms."""
        key = (purpose, self._size, self._parameters.cell_size, tuple(_key(spec) for spec in self._specs))
        return self._known_geometry.value(key, make, lambda value: getattr(value, "nbytes", 0))


def _key(spec: TransformSpec) -> object:
    """Return what tells a transform spec from others that map differently."""
    if "specList" in spec:
        return tuple(_key(part) for part in spec["specList"])
    if spec.get("type") == "interpolated":
        return _key(spec["a"]), _key(spec["b"]), spec.get("lambda")
    return spec.get("className"), spec.get("dataString")
