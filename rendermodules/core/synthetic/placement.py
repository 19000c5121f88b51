"""Where a stack made of a synthetic data set puts its tiles."""

from collections.abc import Sequence

import numpy as np

from rendermodules.core.sections import Section
from rendermodules.core.synthetic.evaluation import GRID_SIZE
from rendermodules.core.synthetic.geometry import Points, TileTruth
from rendermodules.core.synthetic.tile_table import grid_pixels
from rendermodules.core.transforms import tile_transform


def placed_grids(section: Section, tiles: Sequence[TileTruth], size: int = GRID_SIZE) -> Points:
    """Return where the transforms of a section put the grids of tiles.

    Parameters
    ----------
    section : Section
        Tile specs whose ids are those of the tiles.
    tiles : sequence of TileTruth
        Which grids, and in which order.
    size : int, default: 9
        Points along each edge.

    Returns
    -------
    (tiles, size, size, 2) float array
        World pixels; nan for tiles that the section does not have.
    """
    specs = {tile["tileId"]: tile for tile in section.tiles}
    pixels = grid_pixels(tiles[0].lens, size)
    grids = np.full((len(tiles), size, size, 2), np.nan)
    for grid, tile in zip(grids, tiles, strict=True):
        if tile.tile_id in specs:
            grid[:] = tile_transform(specs[tile.tile_id], section.transforms).apply(pixels).reshape(grid.shape)
    return grids
