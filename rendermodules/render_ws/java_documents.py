"""Tile and transform specs as Java Render would store them, for strict mode.

Java reads JSON into its own classes: members that these do not have are dropped, null members
vanish, and references of a tile are resolved by one step, with what is in the same body only.
"""

from typing import Any

import msgspec
import orjson

from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import MipmapPathBuilder, decoded
from rendermodules.render_ws.tile_specs import NOT_UNDERSTOOD, Collection


class _Layout(msgspec.Struct, omit_defaults=True):
    sectionId: str | None = None
    temca: str | None = None
    camera: str | None = None
    imageRow: int | None = None
    imageCol: int | None = None
    stageX: float | None = None
    stageY: float | None = None
    rotation: float | None = None
    pixelsize: float | None = None
    distanceZ: float | None = None


class _ImageAndMask(msgspec.Struct, omit_defaults=True):
    imageUrl: str | None = None
    imageLoaderType: str | None = None
    imageSliceNumber: int | None = None
    maskUrl: str | None = None
    maskLoaderType: str | None = None
    maskSliceNumber: int | None = None


class _Channel(msgspec.Struct):
    name: str | msgspec.UnsetType = msgspec.UNSET
    minIntensity: float = 0.0
    maxIntensity: float = 255.0
    mipmapLevels: dict[str, _ImageAndMask] | msgspec.UnsetType = msgspec.UNSET
    mipmapPathBuilder: MipmapPathBuilder | msgspec.UnsetType = msgspec.UNSET


class _TileSpec(msgspec.Struct, omit_defaults=True):
    tileId: str | None = None
    layout: _Layout | None = None
    groupId: str | None = None
    z: float | None = None
    minX: float | None = None
    minY: float | None = None
    maxX: float | None = None
    maxY: float | None = None
    width: float | None = None
    height: float | None = None
    minIntensity: float | None = None
    maxIntensity: float | None = None
    mipmapLevels: dict[str, _ImageAndMask] | msgspec.UnsetType = msgspec.UNSET
    channels: list[_Channel] | None = None
    mipmapPathBuilder: MipmapPathBuilder | None = None
    transforms: Any = None
    meshCellSize: float | None = None
    labels: list[str] | None = None


_TRANSFORM_MEMBERS = {
    "leaf": ("id", "metaData", "className", "dataString"),
    "list": ("id", "metaData", "specList"),
    "ref": ("refId",),
    "interpolated": ("id", "metaData", "a", "b", "lambda"),
}


def java_collection(collection: Collection) -> Collection:
    """Return a collection as Java Render would store it.

    Raises
    ------
    InvalidRequest
        A tile refers to a shared transform that is not in the collection, or that itself refers
        to others; a member has the wrong type.
    """
    try:
        return _java_collection(collection)
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"the transforms cannot be understood: {error}") from error


def _java_collection(collection: Collection) -> Collection:
    transforms = {id: _java_transform(decoded(raw, dict[str, Any])) for id, raw in collection.transforms.items()}
    tiles = []
    for raw in collection.tiles:
        tile = decoded(raw, _TileSpec)
        tile.transforms = _java_transform({"type": "list", "specList": [], **(tile.transforms or {})})
        tile.mipmapLevels = tile.mipmapLevels or {}
        _require_one_step(tile, transforms)
        tiles.append(msgspec.json.encode(tile))
    return Collection({id: orjson.dumps(spec) for id, spec in transforms.items()}, tiles)


def _java_transform(spec: Any) -> dict[str, Any]:
    if not isinstance(spec, dict):
        raise InvalidRequest(f"a transform must be an object, but it is {spec!r}")
    kind = spec.get("type", "leaf")
    kind = kind if kind in _TRANSFORM_MEMBERS else "leaf"
    members = {name: spec[name] for name in _TRANSFORM_MEMBERS[kind] if spec.get(name) is not None}
    if "metaData" in members:
        members["metaData"] = {name: value for name, value in members["metaData"].items() if name == "labels"}
    if kind == "list":
        members["specList"] = [_java_transform(part) for part in members.get("specList", ())]
    if kind == "interpolated":
        members |= {name: _java_transform(members[name]) for name in ("a", "b") if name in members}
    return {"type": kind, **members}


def _require_one_step(tile: _TileSpec, transforms: dict[str, dict[str, Any]]) -> None:
    from rendermodules.core.transforms import references

    ids = references(tile.transforms)
    missing = ids - transforms.keys()
    for id in ids & transforms.keys():
        missing |= references(transforms[id])
    if missing:
        raise InvalidRequest(f"tile {tile.tileId} requires the following transform ids [{', '.join(sorted(missing))}]")
