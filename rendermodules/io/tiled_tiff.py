"""TIFF files of any size, written block by block."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.io.files import written_whole

BlockSource = Callable[[int, int, int, int], NDArray[Any]]
"""Function of first row, first column, rows and columns that returns this part of a picture."""


def write_tiled_tiff(path: Path, shape: tuple[int, int], dtype: str, block_size: int, source: BlockSource) -> None:
    """Write a picture as a tiled, deflated TIFF (BigTIFF where it must be), whole or not at all.

    Memory: one row of blocks at most; the writer compresses them as they come.

    Parameters
    ----------
    path : Path
        The file; missing folders are made.
    shape : tuple of int
        Rows and columns.
    dtype : str
        ``uint8`` or ``uint16``.
    block_size : int
        Edge of a tile of the file in pixels, a multiple of 16.
    source : callable
        Gives the blocks, which at the right and lower edge are smaller.
    """
    import tifffile

    rows, columns = shape

    def blocks() -> Iterator[NDArray[Any]]:
        for top in range(0, rows, block_size):
            for left in range(0, columns, block_size):
                block = np.zeros((block_size, block_size), dtype)
                height, width = min(block_size, rows - top), min(block_size, columns - left)
                block[:height, :width] = source(top, left, height, width)
                yield block

    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            blocks(),
            shape=shape,
            dtype=dtype,
            tile=(block_size, block_size),
            photometric="minisblack",
            compression="zlib",
            predictor=True,
            compressionargs={"level": 1},
            maxworkers=1,
        )
