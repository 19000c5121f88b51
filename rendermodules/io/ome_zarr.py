"""OME-Zarr 0.5 volumes: written plane by plane, by several processes at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.io.tiled_tiff import BlockSource

CHUNK = 512
SHARD = 4096


@dataclass(frozen=True)
class VolumeLayout:
    """Size and meaning of a volume.

    Attributes
    ----------
    shape : tuple of int
        Channels, sections, rows, columns of the finest level.
    dtype : str
        ``uint8`` or ``uint16``.
    voxel_size : tuple of float
        z, y, x in nanometres at the finest level.
    origin : tuple of float
        z, y, x in nanometres of the centre of the first voxel.
    channels : tuple of str
        One name per channel.
    name : str
        Of the volume.
    windows : tuple of (float, float), optional
        Intensities that viewers show black and white, one pair per channel; by default the range of the type.
    """

    shape: tuple[int, int, int, int]
    dtype: str
    voxel_size: tuple[float, float, float]
    origin: tuple[float, float, float]
    channels: tuple[str, ...]
    name: str
    windows: tuple[tuple[float, float], ...] = ()

    @property
    def levels(self) -> list[tuple[int, int, int, int]]:
        """Shapes of all levels, each half of the one before in rows and columns, down to one chunk."""
        shapes = [self.shape]
        while max(shapes[-1][2:]) > CHUNK:
            channels, sections, rows, columns = shapes[-1]
            shapes.append((channels, sections, max(1, rows // 2), max(1, columns // 2)))
        return shapes


def create_volume(path: Path, layout: VolumeLayout) -> None:
    """Make an empty volume; an existing one of the same layout is kept.

    Raises
    ------
    ValueError
        There is a volume of another layout.
    """
    import zarr
    from zarr import codecs

    if path.exists():
        if _group_layout(path) != [list(shape) for shape in layout.levels]:
            raise ValueError(f"{path} holds a volume of another size; remove it or choose another place")
        return
    group = zarr.open_group(str(path), mode="w-", zarr_format=3, attributes={"ome": _metadata(layout)})
    for level, shape in enumerate(layout.levels):
        group.create_array(
            str(level),
            shape=shape,
            dtype=layout.dtype,
            chunks=(1, 1, CHUNK, CHUNK),
            shards=(1, 1, SHARD, SHARD),
            compressors=codecs.ZstdCodec(level=1),
            dimension_names=("c", "z", "y", "x"),
        )


def write_plane(path: Path, channel: int, section: int, source: BlockSource) -> None:
    """Write one channel of one section and its coarser levels.

    Planes may be written by several processes: no two share a file. Memory: a few times
    a shard of 4096 by 4096 pixels.
    """
    import zarr

    group: Any = zarr.open_group(str(path), mode="r+")
    levels = [group[str(index)] for index in range(len(list(group.array_keys())))]
    for level, array in enumerate(levels):
        finer = levels[level - 1] if level else None
        rows, columns = array.shape[2:]
        for top in range(0, rows, SHARD):
            for left in range(0, columns, SHARD):
                bottom, right = min(top + SHARD, rows), min(left + SHARD, columns)
                if finer is None:
                    block = source(top, left, bottom - top, right - left)
                else:
                    block = _coarser_block(finer, (channel, section), (top, bottom), (left, right))
                array[channel, section, top:bottom, left:right] = block


def _coarser_block(finer: Any, plane: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
    """Return some rows and columns of a level, made of the finer one, of which one shard is read at a time."""
    (top, bottom), (left, right) = rows, columns
    block = np.empty((bottom - top, right - left), finer.dtype)
    for y in range(top, bottom, SHARD // 2):
        for x in range(left, right, SHARD // 2):
            y_end, x_end = min(y + SHARD // 2, bottom), min(x + SHARD // 2, right)
            four = finer[(*plane, slice(2 * y, 2 * y_end), slice(2 * x, 2 * x_end))]
            block[y - top : y_end - top, x - left : x_end - left] = _halved(four)
    return block


def _halved(block: NDArray[Any]) -> NDArray[Any]:
    """Return the means of 2 by 2 pixels; an axis of one pixel stays as it is."""
    rows, columns = block.shape
    if rows == 1 or columns == 1:
        return block[: max(1, rows // 2), : max(1, columns // 2)]
    block = block[: rows // 2 * 2, : columns // 2 * 2]
    wide = np.uint16 if block.dtype == np.uint8 else np.uint32
    sums = np.add(block[0::2], block[1::2], dtype=wide)
    return (sums[:, 0::2] + sums[:, 1::2] + wide(2)) // wide(4)


def _group_layout(path: Path) -> list[list[int]]:
    import zarr

    group: Any = zarr.open_group(str(path), mode="r")
    return [list(group[str(index)].shape) for index in range(len(list(group.array_keys())))]


def _metadata(layout: VolumeLayout) -> dict[str, Any]:
    """Return the ``ome`` attributes of OME-Zarr 0.5."""
    datasets = []
    for level in range(len(layout.levels)):
        factor = 2**level
        scale = [1.0, layout.voxel_size[0], *(size * factor for size in layout.voxel_size[1:])]
        # the centre of the first pixel of a coarser level lies between those of the finer one
        shift = [(factor - 1) / 2 * size for size in layout.voxel_size[1:]]
        translation = [0.0, layout.origin[0], layout.origin[1] + shift[0], layout.origin[2] + shift[1]]
        transforms = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}]
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    axes: Sequence[dict[str, str]] = [
        {"name": "c", "type": "channel"},
        *({"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"),
    ]
    top = 255 if layout.dtype == "uint8" else 65535
    windows = layout.windows or ((0.0, float(top)),) * len(layout.channels)
    return {
        "version": "0.5",
        "multiscales": [{"name": layout.name, "axes": axes, "datasets": datasets, "type": "mean"}],
        "omero": {
            "channels": [
                {
                    "label": label,
                    "color": "FFFFFF",
                    "active": True,
                    "window": {"min": 0, "max": top, "start": black, "end": white},
                }
                for label, (black, white) in zip(layout.channels, windows, strict=True)
            ]
        },
    }
