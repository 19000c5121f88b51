"""Where tiles lie in the world: bounding boxes, and the way from the world back into an image, as Render has them."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.meshes import MappedMesh, MeshError, check_points, image_mesh, mesh_columns
from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.core.transforms.base import CoordinateTransform, Floats, TransformError
from rendermodules.core.transforms.linear import Affine
from rendermodules.core.transforms.specs import SharedTransforms, parsed_transform, tile_transform

DEFAULT_MESH_CELL_SIZE = 64.0
"""Side of a mesh cell, in pixels of the image, of tiles that do not say otherwise."""

_POINTS_AT_ONCE = 1 << 20

_Step = list[float] | CoordinateTransform
_Frame = tuple[float, float, float]


def tile_bounds(tile: TileSpec, shared: SharedTransforms | None = None) -> tuple[float, float, float, float]:
    """Return the bounding box of a tile in the world: minX, minY, maxX, maxY.

    Points along the border of the image are mapped. The box begins at their minimum, cut towards 0, and is as large
    as their extent, rounded up; its edges are whole numbers. It may miss up to one pixel on the low side.

    Parameters
    ----------
    tile : dict
        A tile spec with ``width`` and ``height``.
    shared : mapping of str to dict, optional
        The shared transforms that it may refer to.

    Raises
    ------
    TransformError
        A transform cannot be understood, or maps the border to no finite place; the message names the tile.

    Notes
    -----
    Java: TileSpec.deriveBoundingBox, the sloppy variant.
    """
    bounds = tiles_bounds([tile], shared)[0]
    return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])


def tiles_bounds(tiles: Sequence[TileSpec], shared: SharedTransforms | None = None) -> Floats:
    """Return the bounding boxes of tiles, one row minX, minY, maxX, maxY for each, as ``tile_bounds``.

    Shared transforms are read and applied once for all tiles of a size that begin with them; affines of tiles are
    applied together.

    Parameters
    ----------
    tiles : sequence of dict
    shared : mapping of str to dict, optional

    Returns
    -------
    (n, 4) float array
    """
    result = np.empty((len(tiles), 4))
    for members, by_position in _alike(tiles, shared or {}):
        result[members] = _bounds_of_group(_frame(tiles[members[0]]), by_position, len(members))
    lost = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if len(lost):
        tile_transform(tiles[lost[0]], shared)  # names the transform if it is one whose numbers are not finite
        raise TransformError(f"tile {tiles[lost[0]].get('tileId')}: its border is mapped to no finite place")
    return result


def tiles_outlines(tiles: Sequence[TileSpec], shared: SharedTransforms | None = None) -> Floats:
    """Return where the four corners of tiles lie in the world, as quick as ``tiles_bounds``.

    Parameters
    ----------
    tiles : sequence of dict
        Tile specs with ``width`` and ``height``.
    shared : mapping of str to dict, optional
        The shared transforms that they may refer to.

    Returns
    -------
    (n, 4, 2) float array
        World coordinates x, y of the image's corners (0, 0), (width, 0), (width, height), (0, height).

    Raises
    ------
    TransformError
        A transform cannot be understood; the message names the tile.
    """
    result = np.empty((len(tiles), 4, 2))
    for members, by_position in _alike(tiles, shared or {}):
        width, height, _ = _frame(tiles[members[0]])
        corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        result[members] = np.stack(_mapped_border(corners, by_position), axis=-1)
    return result


def _alike(tiles: Sequence[TileSpec], shared: SharedTransforms) -> Iterator[tuple[list[int], list[tuple[_Step, ...]]]]:
    """Give groups of tiles of one size with like steps: their indices, and their steps, a tuple for each position."""
    reader = _StepReader(shared)
    steps = [reader.steps(tile) for tile in tiles]
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, (tile, own) in enumerate(zip(tiles, steps, strict=True)):
        # affines differ from tile to tile and are applied together; other transforms must be the same object
        shape = [None if type(step) is list else id(step) for step in own]
        groups[tile.get("width"), tile.get("height"), tile.get("meshCellSize"), *shape].append(index)
    for members in groups.values():
        yield members, list(zip(*[steps[index] for index in members], strict=True))


class _StepReader:
    """Reads transforms of tiles into steps: lists of six numbers for affines, transforms for all else.

    Equal specs in different tiles become the same object, so that tiles can be grouped by identity.
    """

    def __init__(self, shared: SharedTransforms) -> None:
        self._shared = shared
        self._referred: dict[str, CoordinateTransform] = {}

    def steps(self, tile: TileSpec) -> list[_Step]:
        """Return the steps of a tile in order."""
        try:
            return [
                self._affine(spec) if spec.get("className") == Affine.class_name else self._other(spec)
                for spec in (tile.get("transforms") or {}).get("specList") or ()
            ]
        except TransformError as error:
            raise TransformError(f"tile {tile.get('tileId')}: {error}") from None

    def _affine(self, spec: TransformSpec) -> _Step:
        # what is not finite shows in the boxes; anything else that is wrong is told by the careful reader
        try:
            values = [float(text) for text in spec["dataString"].split()]
        except (KeyError, ValueError, AttributeError):
            values = []
        return values if len(values) == 6 else parsed_transform(spec)

    def _other(self, spec: TransformSpec) -> _Step:
        if spec.get("type") != "ref":
            return parsed_transform(spec, self._shared)
        transform_id = spec.get("refId", "")
        if transform_id not in self._referred:
            self._referred[transform_id] = parsed_transform(spec, self._shared)
        return self._referred[transform_id]


def _frame(tile: TileSpec) -> _Frame:
    """Return width, height and mesh cell size of a tile, in pixels of its image."""
    try:
        width, height = float(tile["width"]), float(tile["height"])
    except (KeyError, TypeError, ValueError):
        raise TransformError(f"tile {tile.get('tileId')}: has no width and height") from None
    cell_size = float(tile.get("meshCellSize") or DEFAULT_MESH_CELL_SIZE)
    if not (0 < width < math.inf and 0 < height < math.inf and 0 < cell_size < math.inf):
        raise TransformError(f"tile {tile.get('tileId')}: width, height and meshCellSize must be positive and finite")
    try:
        check_points(width / cell_size, height / cell_size)
    except MeshError as error:
        raise TransformError(f"tile {tile.get('tileId')}: {error}") from None
    return width, height, cell_size


@lru_cache(maxsize=64)
def _border(frame: _Frame, ends_only: bool) -> Floats:
    """Return the points of the border that Render maps, or of each edge the first and the last of them."""
    width, height, cell_size = frame
    columns = max(2, int(width / cell_size + 0.5))
    rows = max(2, int(height / cell_size + 0.5))
    x = np.arange(columns) * ((width - 1) / (columns - 1))
    y = np.arange(rows) * ((height - 1) / (rows - 1))
    if ends_only:
        x, y = x[[0, -1]], y[[0, -1]]
    edges = [np.broadcast_arrays(x, edge) for edge in (0.0, height)]
    edges += [np.broadcast_arrays(edge, y) for edge in (0.0, width)]
    border = np.concatenate([np.stack(edge, axis=1) for edge in edges])
    border.flags.writeable = False
    return border


def _bounds_of_group(frame: _Frame, steps: list[tuple[_Step, ...]], count: int) -> Floats:
    """Return the boxes of ``count`` tiles of one size with like steps; ``steps`` has one tuple for each position."""
    width, height, _ = frame
    if not steps:
        return np.array([[0.0, 0.0, width, height]])
    # a single affine moves no point of an edge further out than its ends, not even in the last bit
    border = _border(frame, ends_only=len(steps) == 1 and isinstance(steps[0][0], list))
    tiles_at_once = max(1, _POINTS_AT_ONCE // len(border))
    parts = [
        _bounds_of_points(_mapped_border(border, [step[begin : begin + tiles_at_once] for step in steps]))
        for begin in range(0, count, tiles_at_once)
    ]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _mapped_border(border: Floats, steps: list[tuple[_Step, ...]]) -> tuple[Floats, Floats]:
    """Return x and y of the border, each (tiles, points), or (1, points) while no tile has a step of its own."""
    x, y = border[None, :, 0], border[None, :, 1]
    for step in steps:
        first = step[0]
        if isinstance(first, list):
            m00, m10, m01, m11, m02, m12 = np.array(step).T[:, :, None]
            x, y = x * m00 + y * m01 + m02, x * m10 + y * m11 + m12
        else:
            mapped = first.apply(np.stack([x, y], axis=-1))
            x, y = mapped[..., 0], mapped[..., 1]
    return x, y


def _bounds_of_points(points: tuple[Floats, Floats]) -> Floats:
    lowest = np.stack([axis.min(axis=1) for axis in points], axis=1)
    highest = np.stack([axis.max(axis=1) for axis in points], axis=1)
    begin = np.trunc(lowest) + 0.0  # no negative zeros
    return np.concatenate([begin, begin + np.ceil(highest - lowest)], axis=1)


class TileMesh:
    """The way from the world back into the image of one tile, kept for many questions.

    Parameters
    ----------
    tile : dict
        A tile spec with ``width`` and ``height``.
    shared : mapping of str to dict, optional
        The shared transforms that it may refer to.

    Raises
    ------
    TransformError
        A transform cannot be understood, or the tile has no size; the message names the tile.
    """

    def __init__(self, tile: TileSpec, shared: SharedTransforms | None = None) -> None:
        width, height, cell_size = _frame(tile)
        transform = tile_transform(tile, shared)
        self._mapped: MappedMesh | None = None
        if (tile.get("transforms") or {}).get("specList"):
            mesh = image_mesh(width, height, mesh_columns(width, cell_size))
            self._mapped = MappedMesh(mesh, transform.apply(mesh.vertices))

    def inverse(self, points: ArrayLike, one_orientation: bool = False) -> Floats:
        """Return the image coordinates of world coordinates, as ``mesh_inverse``."""
        array = np.array(points, dtype=np.float64).reshape(-1, 2)
        return array if self._mapped is None else self._mapped.inverse(array, one_orientation)


def mesh_inverse(
    tile: TileSpec, points: ArrayLike, shared: SharedTransforms | None = None, one_orientation: bool = False
) -> Floats:
    """Return where points of the world are in the image of a tile, by Render's triangle mesh.

    The transforms are taken as affine within each triangle of a mesh over the image, whatever they are. For lens
    corrections this differs from the exact inverse by tenths of a pixel; other programs store coordinates made so.

    Parameters
    ----------
    tile : dict
        A tile spec with ``width`` and ``height``.
    points : (n, 2) float array
        World coordinates x, y.
    shared : mapping of str to dict, optional
        The shared transforms that the tile may refer to.
    one_orientation : bool, default: False
        Find nothing in tiles that are mirrored, as Java does.

    Returns
    -------
    (n, 2) float array
        Image coordinates x, y, pixel centres at integers. NaN for points outside of the mesh, which ends at width - 1
        and height - 1, and for tiles that are flattened to a line. A tile without transforms returns the points.

    Raises
    ------
    TransformError
        As ``TileMesh``, which is quicker for many calls with one tile.

    Notes
    -----
    Java: TileSpec.getLocalCoordinates, mpicbg.models.CoordinateTransformMesh.
    """
    return TileMesh(tile, shared).inverse(points, one_orientation)
