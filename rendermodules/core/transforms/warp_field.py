"""A grid of affines, interpolated between their centres."""

import numpy as np
from numpy.typing import ArrayLike

from rendermodules.core.transforms.base import Floats, LeafTransform, TransformError, in_batches
from rendermodules.core.transforms.numbers import expected_numbers, frozen, numbers, packed, text_of, unpacked

_PACKAGE = "net.imglib2.interpolation.randomaccess."
_LINEAR = _PACKAGE + "NLinearInterpolatorFactory"
_NEAREST = _PACKAGE + "NearestNeighborInterpolatorFactory"
_PACKED_FROM = 64


class AffineWarpField(LeafTransform):
    """The affine of a grid at each point, applied to it.

    Parameters
    ----------
    offset : (2,) float array
        Where the grid begins, x, y.
    size : (2,) float array
        Width and height of the grid.
    affines : (rows, columns, 2, 3) float array
        Matrices at the centres of the cells; they are applied to absolute coordinates.
    nearest : bool, default: False
        Take the nearest affine instead of interpolating between four.
    """

    class_name = "org.janelia.alignment.transform.AffineWarpFieldTransform"

    def __init__(self, offset: ArrayLike, size: ArrayLike, affines: ArrayLike, nearest: bool = False) -> None:
        self.offset = frozen(offset, (2,), "offset of a warp field")
        self.size = frozen(size, (2,), "size of a warp field")
        self.affines = frozen(affines, (-1, -1, 2, 3), "affines of a warp field")
        if not (self.size > 0).all() or not self.affines.size:
            raise TransformError("a warp field must have a size and at least one cell")
        self.nearest = nearest

    def _mapped(self, points: Floats) -> Floats:
        result = np.empty_like(points)
        for part in in_batches(points, 40):
            matrices = self._matrices(points[part])
            x, y = points[part, 0, None], points[part, 1, None]
            result[part] = x * matrices[:, :, 0] + y * matrices[:, :, 1] + matrices[:, :, 2]
        return result

    def _matrices(self, points: Floats) -> Floats:
        rows, columns = self.affines.shape[:2]
        last = np.array([columns - 1, rows - 1])
        position = (points - self.offset) / (self.size / (last + 1)) - 0.5
        # beyond the outermost centres the field goes on unchanged; coordinates that are not finite stay so by x and y
        position = np.clip(np.nan_to_num(position), 0, last)
        if self.nearest:
            column, row = np.floor(position + 0.5).astype(np.int64).T
            nearest: Floats = self.affines[row, column]
            return nearest
        cell = np.minimum(position.astype(np.int64), np.maximum(last - 1, 0))
        column, row = cell.T
        next_column, next_row = np.minimum(cell + 1, last).T
        fx, fy = (position - cell).T[:, :, None, None]
        # the corners are visited as ImgLib2 does, once around the cell
        matrices: Floats = self.affines[row, column] * ((1 - fx) * (1 - fy))
        matrices += self.affines[row, next_column] * (fx * (1 - fy))
        matrices += self.affines[next_row, next_column] * (fx * fy)
        matrices += self.affines[next_row, column] * ((1 - fx) * fy)
        return matrices

    @property
    def affine(self) -> Floats | None:
        """The (2, 3) matrix if all cells have the same; otherwise None."""
        first: Floats = self.affines[0, 0]
        return first if (self.affines == first).all() else None

    @property
    def data_string(self) -> str:
        """Offset, size, grid, interpolator, and the planes m00, m10, m01, m11, m02, m12."""
        rows, columns = self.affines.shape[:2]
        planes = self.affines.transpose(3, 2, 0, 1).ravel()
        encoding = "base64 " + packed(planes) if len(planes) >= _PACKED_FROM else "none " + text_of(planes)
        frame = text_of([*self.offset, *self.size])
        return f"{frame} {rows} {columns} {_NEAREST if self.nearest else _LINEAR} {encoding}"

    @classmethod
    def from_data_string(cls, data_string: str) -> "AffineWarpField":
        """Return the warp field of a data string."""
        fields = data_string.split()
        if len(fields) < 9 or not (fields[4].isdecimal() and fields[5].isdecimal()):
            raise TransformError("must read '<x> <y> <width> <height> <rows> <columns> <interpolator> <encoding> ...'")
        if fields[6] not in (_LINEAR, _NEAREST):
            raise TransformError(f"the interpolator {fields[6]} is not known")
        rows, columns = int(fields[4]), int(fields[5])
        count = 6 * rows * columns
        meaning = "6 planes of affines"
        if fields[7] == "base64":
            values = unpacked(fields[8], count, meaning)
        elif fields[7] == "none":
            values = np.array(expected_numbers(fields[8:], count, meaning))
        else:
            raise TransformError(f"the encoding {fields[7]} is not known")
        affines = values.reshape(3, 2, rows, columns).transpose(2, 3, 1, 0)
        frame = numbers(fields[:4])
        return cls(frame[:2], frame[2:], affines, fields[6] == _NEAREST)
