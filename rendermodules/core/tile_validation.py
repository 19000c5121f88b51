"""Whether tiles lie where tiles of a kind of microscope can lie, by Render's validators."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rendermodules.core.estimation import EstimationError, fitted_model, transformed
from rendermodules.core.sections import TileSpec
from rendermodules.core.transforms import SharedTransforms, tile_transform

MAX_WARP = 1000.0
"""Pixels by which a warped tile may differ from a stiff one."""

_SAMPLES_PER_SIDE = 8

_LIMITS = {
    "minCoordinate": "min_coordinate",
    "maxCoordinate": "max_coordinate",
    "minSize": "min_size",
    "maxSize": "max_size",
}


@dataclass(frozen=True)
class BoxLimits:
    """Where the bounding box of a tile may lie, and how large it may be, in world pixels.

    Attributes
    ----------
    min_coordinate, max_coordinate : float
        Of x and y.
    min_size, max_size : float
        Of width and height.

    Notes
    -----
    Java: org.janelia.alignment.spec.validator.TemTileSpecValidator, whose defaults these are.
    """

    min_coordinate: float = 0.0
    max_coordinate: float = 400_000.0
    min_size: float = 500.0
    max_size: float = 5_000.0

    @classmethod
    def parsed(cls, data: str | None) -> "BoxLimits":
        """Return the limits of Render's text ``minCoordinate:0,maxCoordinate:9000,minSize:500,maxSize:5000``.

        Raises
        ------
        ValueError
            A name is unknown, or a value no number.
        """
        limits: dict[str, Any] = {}
        for part in filter(None, (data or "").split(",")):
            name, _, value = part.strip().partition(":")
            if name not in _LIMITS:
                raise ValueError(f"limits of tiles are {', '.join(_LIMITS)}, not {name!r}")
            try:
                limits[_LIMITS[name]] = float(value)
            except ValueError:
                raise ValueError(f"the limit {name} must be a number, not {value!r}") from None
        return cls(**limits)

    def __str__(self) -> str:
        names = dict(zip(_LIMITS.values(), _LIMITS, strict=True))
        return ",".join(f"{names[field.name]}:{getattr(self, field.name):g}" for field in fields(self))

    def problem(self, box: tuple[float, float, float, float]) -> str | None:
        """Return what is wrong with a box minX, minY, maxX, maxY; None if nothing is."""
        min_x, min_y, max_x, max_y = box
        if min(min_x, min_y) < self.min_coordinate:
            return f"minX {min_x:g} or minY {min_y:g} is below {self.min_coordinate:g}"
        if max(max_x, max_y) > self.max_coordinate:
            return f"maxX {max_x:g} or maxY {max_y:g} is above {self.max_coordinate:g}"
        for name, size in (("width", max_x - min_x), ("height", max_y - min_y)):
            if not self.min_size <= size <= self.max_size:
                return f"{name} {size:g} is not within {self.min_size:g} to {self.max_size:g}"
        return None


def warp_of_tile(tile: TileSpec, shared: SharedTransforms | None = None) -> float:
    """Return by how many world pixels a tile differs at most from one that was only moved and turned.

    A rigid model is fitted to where the tile's transforms take a grid of 8 x 8 points.

    Raises
    ------
    TransformError
        A transform cannot be understood.
    EstimationError
        The tile is flattened to a point.

    Notes
    -----
    Java: org.janelia.alignment.spec.validator.WarpedTileSpecValidator.
    """
    x, y = (np.linspace(0, float(tile[side]), _SAMPLES_PER_SIDE) for side in ("width", "height"))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    warped = tile_transform(tile, shared).apply(grid)
    if not np.isfinite(warped).all():
        raise EstimationError(f"tile {tile.get('tileId')}: a transform leads to no finite place")
    rigid = fitted_model(grid, warped, "RIGID")
    return float(np.linalg.norm(transformed(rigid, grid) - warped, axis=1).max())
