"""From Render's JSON to transforms: leaves, lists, interpolations and references to shared transforms."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.core.transforms.base import (
    CoordinateTransform,
    Interpolated,
    LeafTransform,
    TransformError,
    TransformList,
)
from rendermodules.core.transforms.linear import Affine, Homography, Rigid, Similarity, Translation
from rendermodules.core.transforms.moving_least_squares import MovingLeastSquares, MovingLeastSquares2
from rendermodules.core.transforms.offsets import ExponentialOffset, ExponentialRecoveryOffset, SemDistortion
from rendermodules.core.transforms.polynomial import LensCorrection, Polynomial
from rendermodules.core.transforms.thin_plate_spline import ThinPlateSpline
from rendermodules.core.transforms.warp_field import AffineWarpField

SharedTransforms = Mapping[str, TransformSpec]
"""Transform specs by id."""

_LEAF_CLASSES: tuple[type[LeafTransform], ...] = (
    Affine,
    Translation,
    Rigid,
    Similarity,
    Homography,
    Polynomial,
    ThinPlateSpline,
    MovingLeastSquares,
    MovingLeastSquares2,
    LensCorrection,
    SemDistortion,
    ExponentialOffset,
    ExponentialRecoveryOffset,
    AffineWarpField,
)

TRANSFORM_CLASSES: Mapping[str, type[LeafTransform]] = {
    **{leaf.class_name: leaf for leaf in _LEAF_CLASSES},
    "lenscorrection.NonLinearTransform": LensCorrection,
    # render-python's spelling, which Java does not know
    "mpicbg.trakem2.transform.nonLinearTransform": LensCorrection,
}
"""Class of each Java class name that can be read."""


def parsed_transform(spec: TransformSpec, shared: SharedTransforms | None = None) -> CoordinateTransform:
    """Return the transform that a spec describes, references followed.

    Parameters
    ----------
    spec : dict
        A leaf, list, reference or interpolation as Render's JSON.
    shared : mapping of str to dict, optional
        What references may refer to.

    Raises
    ------
    TransformError
        The class is unknown, numbers are missing, superfluous or not finite, a reference leads nowhere or in a circle.
        The message names the class or the ids.
    """
    return _parsed(spec, shared or {}, ())


def tile_transform(tile: TileSpec, shared: SharedTransforms | None = None) -> CoordinateTransform:
    """Return the whole transform of a tile, from its image to the world; the identity if it has none.

    Raises
    ------
    TransformError
        As ``parsed_transform``; the message names the tile.
    """
    try:
        return TransformList(parsed_transform(spec, shared) for spec in _specs_of(tile))
    except TransformError as error:
        raise TransformError(f"tile {tile.get('tileId')}: {error}") from None


def references(spec: TransformSpec) -> set[str]:
    """Return the ids that a spec refers to, itself or in the parts that it is made of."""
    kind = spec.get("type", "leaf")
    if kind == "ref":
        return {spec["refId"]}
    return set().union(*(references(part) for part in _parts(spec, kind)))


def flattened(specs: Iterable[TransformSpec], shared: SharedTransforms | None = None) -> list[TransformSpec]:
    """Return specs with references replaced and lists taken apart: only leaves and interpolations are left.

    Labels of a list go to all that was in it. Leaves keep their ids. The specs given are not changed.

    Raises
    ------
    TransformError
        A reference leads nowhere or in a circle.
    """
    return [leaf for spec in specs for leaf in _flattened(spec, shared or {}, ())]


def _specs_of(tile: TileSpec) -> list[TransformSpec]:
    transforms = tile.get("transforms") or {}
    if not isinstance(transforms, Mapping):
        raise TransformError("transforms must be an object with a specList")
    specs: list[TransformSpec] = transforms.get("specList") or []
    return specs


def _parts(spec: TransformSpec, kind: str) -> list[TransformSpec]:
    """Return the specs that a spec is made of."""
    try:
        if kind == "list":
            parts: list[TransformSpec] = spec.get("specList") or []
            return parts
        return [spec["a"], spec["b"]] if kind == "interpolated" else []
    except KeyError as error:
        raise TransformError(f"{_name(spec)} has no {error.args[0]!r}") from None


def _name(spec: TransformSpec) -> str:
    return f"{spec.get('type', 'leaf')} transform" + (f" {spec['id']!r}" if "id" in spec else "")


def _referred(spec: TransformSpec, shared: SharedTransforms, path: tuple[str, ...]) -> tuple[TransformSpec, str]:
    """Return the spec that a reference leads to and its id; ``path`` are the ids that led here."""
    transform_id = spec.get("refId")
    if transform_id is None:
        raise TransformError("a reference has no refId")
    if transform_id in path:
        raise TransformError(f"references go in a circle: {' -> '.join([*path, transform_id])}")
    if transform_id not in shared:
        raise TransformError(f"the shared transform {transform_id!r} is missing")
    return shared[transform_id], transform_id


def _parsed(spec: TransformSpec, shared: SharedTransforms, path: tuple[str, ...]) -> CoordinateTransform:
    if not isinstance(spec, Mapping):
        raise TransformError(f"a transform must be an object, not {spec!r}")
    kind = spec.get("type", "leaf")
    if kind == "leaf":
        return _parsed_leaf(spec)
    if kind == "ref":
        target, transform_id = _referred(spec, shared, path)
        return _parsed(target, shared, (*path, transform_id))
    parts = [_parsed(part, shared, path) for part in _parts(spec, kind)]
    if kind == "list":
        return TransformList(parts)
    if kind == "interpolated":
        return Interpolated(parts[0], parts[1], _fraction(spec))
    raise TransformError(f"transforms have no type {kind!r}")


def _fraction(spec: TransformSpec) -> float:
    try:
        return float(spec["lambda"])
    except (KeyError, TypeError, ValueError):
        raise TransformError(f"{_name(spec)} has no number 'lambda'") from None


def _parsed_leaf(spec: TransformSpec) -> CoordinateTransform:
    try:
        class_name, data_string = spec["className"], spec["dataString"]
    except KeyError as error:
        raise TransformError(f"{_name(spec)} has no {error.args[0]!r}") from None
    if not isinstance(data_string, str):
        raise TransformError(f"{_name(spec)} of class {class_name}: its dataString is no text but {data_string!r}")
    try:
        # an affine is read as quickly as it is looked up; the others may be large and are shared by many tiles
        if class_name == Affine.class_name:
            return Affine.from_data_string(data_string)
        return _remembered_leaf(class_name, data_string)
    except TransformError as error:
        raise TransformError(f"{_name(spec)} of class {class_name}: {error}") from None


@lru_cache(maxsize=256)
def _remembered_leaf(class_name: str, data_string: str) -> CoordinateTransform:
    leaf_class = TRANSFORM_CLASSES.get(class_name)
    if leaf_class is None:
        raise TransformError("the transform class cannot be found")
    return leaf_class.from_data_string(data_string)


def _flattened(spec: TransformSpec, shared: SharedTransforms, path: tuple[str, ...]) -> Iterator[TransformSpec]:
    kind = spec.get("type", "leaf")
    if kind == "ref":
        target, transform_id = _referred(spec, shared, path)
        yield from _flattened(target, shared, (*path, transform_id))
    elif kind == "list":
        labels = _labels(spec)
        for part in _parts(spec, kind):
            for leaf in _flattened(part, shared, path):
                yield _with_labels(leaf, labels)
    elif kind == "interpolated":
        ends = {}
        for name, part in zip("ab", _parts(spec, kind), strict=True):
            leaves = list(_flattened(part, shared, path))
            ends[name] = leaves[0] if len(leaves) == 1 else {"type": "list", "specList": leaves}
        yield {**spec, **ends}
    else:
        yield spec


def _labels(spec: TransformSpec) -> list[str]:
    meta_data: dict[str, Any] = spec.get("metaData") or {}
    labels: list[str] = meta_data.get("labels") or []
    return labels


def _with_labels(spec: TransformSpec, labels: list[str]) -> TransformSpec:
    if not labels:
        return spec
    own = _labels(spec)
    added = [label for label in labels if label not in own]
    return {**spec, "metaData": {**(spec.get("metaData") or {}), "labels": [*own, *added]}}
