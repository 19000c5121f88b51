"""Coordinate transforms: every class that Render knows, from JSON and back, with what Render derives from them.

Points are ``(n, 2)`` arrays of x, y with pixel centres at integers. All arithmetic is in double precision, in the order
of the Java classes where the last bit matters.
"""

from rendermodules.core.transforms.base import (
    CoordinateTransform,
    Interpolated,
    LeafTransform,
    NotInvertibleError,
    TransformError,
    TransformList,
)
from rendermodules.core.transforms.linear import Affine, Homography, Rigid, Similarity, Translation
from rendermodules.core.transforms.moving_least_squares import MovingLeastSquares, MovingLeastSquares2
from rendermodules.core.transforms.offsets import ExponentialOffset, ExponentialRecoveryOffset, SemDistortion
from rendermodules.core.transforms.polynomial import LensCorrection, Polynomial
from rendermodules.core.transforms.specs import (
    TRANSFORM_CLASSES,
    SharedTransforms,
    flattened,
    parsed_transform,
    references,
    tile_transform,
)
from rendermodules.core.transforms.thin_plate_spline import ThinPlateSpline
from rendermodules.core.transforms.tiles import (
    DEFAULT_MESH_CELL_SIZE,
    TileMesh,
    mesh_inverse,
    tile_bounds,
    tiles_bounds,
    tiles_outlines,
)
from rendermodules.core.transforms.warp_field import AffineWarpField

__all__ = [
    "DEFAULT_MESH_CELL_SIZE",
    "TRANSFORM_CLASSES",
    "Affine",
    "AffineWarpField",
    "CoordinateTransform",
    "ExponentialOffset",
    "ExponentialRecoveryOffset",
    "Homography",
    "Interpolated",
    "LeafTransform",
    "LensCorrection",
    "MovingLeastSquares",
    "MovingLeastSquares2",
    "NotInvertibleError",
    "Polynomial",
    "Rigid",
    "SemDistortion",
    "SharedTransforms",
    "Similarity",
    "ThinPlateSpline",
    "TileMesh",
    "TransformError",
    "TransformList",
    "Translation",
    "flattened",
    "mesh_inverse",
    "parsed_transform",
    "references",
    "tile_bounds",
    "tile_transform",
    "tiles_bounds",
    "tiles_outlines",
]
