"""Boxes of layers as files in CATMAID's large data tile source layout, as Render's BoxClient writes them.

A file that is there is kept, so that a run that was stopped is simply started again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rendermodules.core.box_pyramid import Cell, Image, Overview, children_of, parent_image, parents_of
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.images import image_bytes, read_image, write_image
from rendermodules.io.paths import java_number

logger = logging.getLogger(__name__)

Draw = Callable[[Cell], Image]
"""Returns the image of a box of level 0."""


def boxes_folder(root: Path, project: str, stack: str, width: int, height: int, *, labels: bool = False) -> Path:
    """Return the folder of a stack's boxes: ``root/project/stack/1024x1024``, or with ``-label`` behind it."""
    return root / project / stack / f"{width}x{height}{'-label' if labels else ''}"


@dataclass(frozen=True)
class BoxLayout:
    """Where the boxes of a stack are.

    Attributes
    ----------
    folder : Path
        As by `boxes_folder`.
    image_format : str
        Ending of the files: ``png``, ``jpg`` or ``tif``.

    Notes
    -----
    Java: org.janelia.render.client.BoxClient. Whole z are written without fraction.
    """

    folder: Path
    image_format: str

    def box(self, level: int, z: float, cell: Cell) -> Path:
        """Return the file of a box: ``LEVEL/Z/ROW/COLUMN.png``."""
        return self.folder / str(level) / _z_name(z) / str(cell[0]) / f"{cell[1]}.{self.image_format}"

    def overview(self, z: float) -> Path:
        """Return the file of a layer's overview: ``small/Z.png``."""
        return self.folder / "small" / f"{_z_name(z)}.{self.image_format}"

    def grid(self, z: float) -> Path:
        """Return the file that lists the boxes of level 0 of a layer: ``0/iGrid/Z.iGrid``."""
        return self.folder / "0" / "iGrid" / f"{java_number(z)}.iGrid"

    @property
    def empty(self) -> Path:
        """The black image that lists name where there is no box."""
        return self.folder / f"empty.{self.image_format}"


def _z_name(z: float) -> str:
    return str(int(z)) if z == int(z) else java_number(z)


@dataclass(frozen=True)
class BoxPyramid:
    """How boxes are written.

    Attributes
    ----------
    layout : BoxLayout
    width, height : int
        Of a box, in pixels.
    max_level : int
        The coarsest level.
    method : str, default: "mean"
        How four pixels become one, see `rendermodules.core.pyramids.reduced`.
    redo : bool, default: False
        Whether files that are there are written again.
    """

    layout: BoxLayout
    width: int
    height: int
    max_level: int
    method: str = "mean"
    redo: bool = False

    def write_layer(self, z: float, cells: Iterable[Cell], draw: Draw) -> int:
        """Write the boxes of a layer that are missing, each whole, and return how many that were.

        Parameters
        ----------
        z : float
        cells : iterable of (row, column)
            Boxes of level 0 that there are; all that a box of the coarsest level is made of, or none of them.
        draw : callable
            Draws a box of level 0.

        Returns
        -------
        int
            Memory holds four boxes for each level.

        Raises
        ------
        OSError
            A file cannot be read or written; what was written is whole.
        """
        by_level = [set(cells)]
        for _ in range(self.max_level):
            by_level.append(set(parents_of(by_level[-1])))
        layer = _Layer(self, z, by_level, draw)
        for cell in sorted(by_level[-1]):
            layer.made(self.max_level, cell)
        return layer.written

    def write_overview(self, z: float, cells: Iterable[Cell], overview: Overview) -> bool:
        """Write the overview of a layer from its boxes, and return whether all of these were there."""
        level = overview.level(self.max_level)
        files = {cell: self.layout.box(level, z, cell) for cell in parents_of(cells, level)}
        if not all(file.is_file() for file in files.values()):
            return False
        for cell, file in files.items():
            overview.put(cell, level, read_image(file))
        if overview.image is not None:
            write_image(self.layout.overview(z), overview.image)
        return True

    def write_grid(self, z: float, cells: Iterable[Cell]) -> None:
        """Write the list of the boxes of level 0 of a layer, row by row, and the image of those that are not there."""
        present = set(cells)
        rows, columns = (max(cell[axis] for cell in present) + 1 for axis in (0, 1))
        empty = self.layout.empty.absolute()
        lines = [f"Columns: {columns}", f"Rows: {rows}"]
        for row in range(rows):
            for column in range(columns):
                is_there = (row, column) in present
                lines.append(str(self.layout.box(0, z, (row, column)).absolute() if is_there else empty))
        write_bytes_whole(self.layout.grid(z), "".join(f"{line}\n" for line in lines).encode())

    def write_empty(self, image: Image) -> None:
        """Write the image that stands for boxes that are not there, unless there is one."""
        if not self.layout.empty.is_file():
            write_image(self.layout.empty, image)


class _Layer:
    """Writes the boxes of one layer, depth first, so that few are in memory."""

    def __init__(self, pyramid: BoxPyramid, z: float, by_level: Sequence[set[Cell]], draw: Draw) -> None:
        self.pyramid = pyramid
        self.z = z
        self.by_level = by_level
        self.draw = draw
        self.written = 0

    def made(self, level: int, cell: Cell) -> Image | None:
        """Write a box and those below it; return its image if it was made, None if its file was there."""
        file = self.pyramid.layout.box(level, self.z, cell)
        is_there = not self.pyramid.redo and file.is_file()
        if level == 0:
            return None if is_there else self._written(file, self.draw(cell))
        below = [child for child in children_of(cell) if child in self.by_level[level - 1]]
        images = {child: self.made(level - 1, child) for child in below}
        if is_there and all(image is None for image in images.values()):
            return None
        children = {child: self._kept(level - 1, child) if image is None else image for child, image in images.items()}
        image = parent_image(children, self.pyramid.width, self.pyramid.height, self.pyramid.method)
        return self._written(file, image)

    def _kept(self, level: int, cell: Cell) -> Image:
        return read_image(self.pyramid.layout.box(level, self.z, cell))

    def _written(self, file: Path, image: Image) -> Image:
        write_bytes_whole(file, image_bytes(file, image))
        self.written += 1
        return image
