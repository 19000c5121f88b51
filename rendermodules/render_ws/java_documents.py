"""Tile and transform specs as Java Render would store them, for strict mode.

Java reads JSON into its own classes: members that these do not have are dropped, null members
vanish, and references of a tile are resolved by one step, with what is in the same body only.
"""

from typing import Any

import msgspec
import orjson

from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import decoded
from rendermodules.render_ws.tile_specs import DERIVED_MEMBERS, NOT_UNDERSTOOD, Collection, TileSpec

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
        tile: TileSpec = decoded(raw, TileSpec)
        _complete(tile)
        _require_one_step(tile, transforms)
        tiles.append(msgspec.json.encode(tile))
    return Collection({id: orjson.dumps(spec) for id, spec in transforms.items()}, tiles)


def _complete(tile: TileSpec) -> None:
    """Give a tile spec the members that Java writes in any case, and take those that are null."""
    tile.transforms = _java_transform({"type": "list", "specList": [], **(tile.transforms or {})})
    tile.mipmapLevels = tile.mipmapLevels or {}
    for name in DERIVED_MEMBERS:
        if getattr(tile, name) is None:
            setattr(tile, name, msgspec.UNSET)
    for channel in tile.channels or ():
        channel.minIntensity = 0.0 if channel.minIntensity is None else channel.minIntensity
        channel.maxIntensity = 255.0 if channel.maxIntensity is None else channel.maxIntensity


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


def _require_one_step(tile: TileSpec, transforms: dict[str, dict[str, Any]]) -> None:
    from rendermodules.core.transforms import references

    ids = references(tile.transforms or {})
    missing = ids - transforms.keys()
    for id in ids & transforms.keys():
        missing |= references(transforms[id])
    if missing:
        raise InvalidRequest(f"tile {tile.tileId} requires the following transform ids [{', '.join(sorted(missing))}]")
