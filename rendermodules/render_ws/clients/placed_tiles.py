"""Where the tiles of layers lie, by the boxes that the service has of them."""

from collections.abc import Iterable

import numpy as np

from rendermodules.core.layout import PlacedTiles
from rendermodules.render_ws.clients.stacks import RemoteStack

SIDES = ("minX", "minY", "maxX", "maxY")


def placed_tiles_of(stack: RemoteStack, zs: Iterable[float]) -> PlacedTiles:
    """Return where the tiles of layers lie; rows and columns of the microscope are not known."""
    bounds = [box for z in zs for box in stack.tile_bounds(z)]
    return PlacedTiles(
        [box["tileId"] for box in bounds],
        [str(box.get("sectionId", box["z"])) for box in bounds],
        np.array([box["z"] for box in bounds], dtype=float),
        np.array([[box[side] for side in SIDES] for box in bounds], dtype=float).reshape(-1, 4),
        np.full((len(bounds), 2), np.nan),
    )
