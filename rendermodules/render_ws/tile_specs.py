"""Tile specs on their way in and out: what is looked at, what is derived, what is only passed on.

A tile spec is kept as the bytes that the client sent. Only the members that the service asks
for are decoded; what the server derives (the bounding box) is appended to the bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import orjson

from rendermodules.render_ws.errors import InvalidRequest, Unprocessable
from rendermodules.render_ws.models import MipmapPathBuilder, decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DERIVED_MEMBERS = ("minX", "minY", "maxX", "maxY", "meshCellSize")
DEFAULT_MESH_CELL_SIZE = b"64.0"
FARTHEST = 1e15
"""Greatest world coordinate of a tile, in pixels, and greatest z; fractions are lost further out."""

EMPTY_TRANSFORMS = b'{"type":"list","specList":[]}'


NOT_UNDERSTOOD = (ValueError, KeyError, AttributeError, TypeError, RecursionError)
"""What a transform spec makes fail whose members have the wrong type, or that is nested without end."""


class Layout(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a tile was in its section, and how it was taken."""

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


class ImageAndMask(msgspec.Struct, gc=False, omit_defaults=True):
    """The files of one mipmap level."""

    imageUrl: str | None = None
    imageLoaderType: str | None = None
    imageSliceNumber: int | None = None
    maskUrl: str | None = None
    maskLoaderType: str | None = None
    maskSliceNumber: int | None = None


class Channel(msgspec.Struct, gc=False, omit_defaults=True):
    """One of several images of a tile."""

    name: str | None = None
    minIntensity: float | None = None
    maxIntensity: float | None = None
    mipmapLevels: dict[int, ImageAndMask] | None = None
    mipmapPathBuilder: MipmapPathBuilder | None = None


class TileSpec(msgspec.Struct, gc=False, omit_defaults=True):
    """A tile spec as Render knows it; decoded to find members of the wrong type, and for what is derived from it."""

    tileId: str | None = None
    z: float | None = None
    groupId: str | None = None
    width: float | None = None
    height: float | None = None
    minIntensity: float | None = None
    maxIntensity: float | None = None
    mipmapLevels: dict[int, ImageAndMask] | None = None
    mipmapPathBuilder: MipmapPathBuilder | None = None
    labels: list[str] | None = None
    meshCellSize: float | msgspec.UnsetType | None = msgspec.UNSET
    minX: float | msgspec.UnsetType | None = msgspec.UNSET
    minY: float | msgspec.UnsetType | None = msgspec.UNSET
    maxX: float | msgspec.UnsetType | None = msgspec.UNSET
    maxY: float | msgspec.UnsetType | None = msgspec.UNSET
    layout: Layout | None = None
    transforms: dict[str, Any] | None = None
    channels: list[Channel] | None = None

    def specs(self) -> list[dict[str, Any]]:
        """Return the transforms of the tile."""
        specs = (self.transforms or {}).get("specList")
        return specs if isinstance(specs, list) else []

    def box(self) -> tuple[float, ...] | None:
        """Return the bounding box that the client gave, or None."""
        box = (self.minX, self.minY, self.maxX, self.maxY)
        return None if None in box or msgspec.UNSET in box else box  # type: ignore[return-value]

    def frame(self) -> dict[str, Any]:
        """Return what the bounding box is derived from."""
        return {
            "tileId": self.tileId,
            "width": self.width,
            "height": self.height,
            "meshCellSize": self.meshCellSize or None,
            "transforms": self.transforms or {},
        }


class _Collection(msgspec.Struct):
    transformIdToSpecMap: dict[str, msgspec.Raw] | None = None
    tileIdToSpecMap: dict[str, msgspec.Raw] | None = None


class _Named(msgspec.Struct):
    id: str | None = None


class TileRow(NamedTuple):
    """One tile as the store keeps it; see schema.sql."""

    tile_id: str
    section_id: str | None
    group_id: str | None
    min_x: float
    min_y: float
    max_x: float
    max_y: float
    refs: str | None
    channels: str | None
    document: bytes


class StoredTile(NamedTuple):
    """One tile as it comes out of the store.

    ``refs`` is None when the transforms are a flat list without references.
    """

    tile_id: str
    refs: str | None
    document: bytes


_tile_decoder = msgspec.json.Decoder(TileSpec)


@dataclass(frozen=True)
class Collection:
    """The body of a PUT of tiles, taken apart.

    Attributes
    ----------
    transforms : dict of str to bytes
        JSON of shared transforms by id.
    tiles : list of bytes
        JSON of tile specs.
    """

    transforms: dict[str, bytes]
    tiles: list[bytes]

    @cached_property
    def specs(self) -> list[TileSpec]:
        """The tile specs, decoded as far as is needed.

        Raises
        ------
        InvalidRequest
            A member has the wrong type.
        """
        return [_decoded_tile(raw) for raw in self.tiles]

    @cached_property
    def refs(self) -> list[list[str] | None]:
        """The ids of shared transforms that each tile refers to; None when its transforms are a flat list without any.

        Raises
        ------
        InvalidRequest
            A transform cannot be understood; the message names the tile.
        """
        return [_refs(spec) for spec in self.specs]

    def missing_ids(self) -> set[str]:
        """Return the ids of the shared transforms that are referred to but not brought along."""
        ids = {id for refs in self.refs if refs for id in refs}
        for raw in self.transforms.values():
            if b"refId" in raw:
                ids |= referred_by(raw)
        return ids - self.transforms.keys()


def received_collection(body: bytes) -> Collection:
    """Return the tiles and shared transforms of a request body.

    Raises
    ------
    InvalidRequest
        Not JSON, or without tiles.
    """
    try:
        # parts that are only passed on are not decoded, so that the encoding is checked here
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the body is not UTF-8: {error}") from error
    collection = decoded(body, _Collection | None)
    if collection is None:
        raise InvalidRequest("no resolved tiles provided")
    if not collection.tileIdToSpecMap:
        raise InvalidRequest(
            "collection does not have any tiles (maybe they were removed by a prior validation process)"
        )
    transforms = {}
    for key, raw in (collection.transformIdToSpecMap or {}).items():
        named = decoded(raw, _Named)
        transforms[key if named.id is None else named.id] = bytes(raw)
    return Collection(transforms, [bytes(raw) for raw in collection.tileIdToSpecMap.values()])


def referred_by(raw: bytes) -> set[str]:
    """Return the ids that a transform's JSON refers to.

    Raises
    ------
    InvalidRequest
        It is no transform.
    """
    from rendermodules.core.transforms import references

    try:
        return set(map(_name_of_transform, references(orjson.loads(raw))))
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"a transform cannot be understood: {error}") from error


def tile_rows(collection: Collection, stored: Mapping[str, bytes], derived: bool = True) -> list[tuple[float, TileRow]]:
    """Return (z, row) of each tile, with its bounding box.

    Parameters
    ----------
    collection : Collection
    stored : mapping of str to bytes
        JSON of the shared transforms that the stack has already; those of the collection outrank them.
    derived : bool, default: True
        Derive the bounding boxes; otherwise those that the client sent are believed.

    Raises
    ------
    InvalidRequest
        A tile without id or z, a transform that cannot be understood or is missing, a box that is not finite or
        reaches further than `FARTHEST`.
        The message names the tile.
    """
    import numpy as np

    from rendermodules.core.transforms import tiles_bounds

    tiles, refs = collection.specs, collection.refs
    shared = {id: orjson.loads(raw) for id, raw in {**stored, **collection.transforms}.items()}
    for tile, ids in zip(tiles, refs, strict=True):
        if not tile.tileId or "\0" in tile.tileId or tile.z is None or not abs(tile.z) <= FARTHEST:
            raise _incomplete(tile)
        if ids:
            _require_known(tile, ids, shared)
    if not derived:
        given = [_given_box(tile) for tile in tiles]
        _require_near(tiles, np.array(given))
        rows = zip(tiles, refs, given, collection.tiles, strict=True)
        return [(tile.z or 0.0, _tile_row(tile, ids, box, raw)) for tile, ids, box, raw in rows]
    try:
        # what overflows is no finite box, which is an error of its own
        with np.errstate(over="ignore", invalid="ignore"):
            bounds = tiles_bounds([tile.frame() for tile in tiles], shared)
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"a tile's transforms cannot be understood: {error}") from error
    _require_near(tiles, bounds)
    return [
        (tile.z or 0.0, _tile_row(tile, ids, box, with_derived_members(raw, tile, box)))
        for tile, ids, box, raw in zip(tiles, refs, bounds.tolist(), collection.tiles, strict=True)
    ]


def with_derived_members(raw: bytes, tile: TileSpec, box: Sequence[float]) -> bytes:
    """Return a tile spec's JSON with its bounding box and mesh cell size."""
    given = not (tile.minX is tile.minY is tile.maxX is tile.maxY is tile.meshCellSize is msgspec.UNSET)
    if given or tile.transforms is None:
        members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        for name in DERIVED_MEMBERS:
            members.pop(name, None)
        if tile.transforms is None:
            members["transforms"] = msgspec.Raw(EMPTY_TRANSFORMS)
        raw = msgspec.json.encode(members)
    cell_size = repr(tile.meshCellSize).encode() if isinstance(tile.meshCellSize, float) else DEFAULT_MESH_CELL_SIZE
    min_x, min_y, max_x, max_y = box
    # boxes have whole numbers
    return b'%b,"minX":%d.0,"minY":%d.0,"maxX":%d.0,"maxY":%d.0,"meshCellSize":%b}' % (
        raw[:-1],
        min_x,
        min_y,
        max_x,
        max_y,
        cell_size,
    )


def flattened_documents(tiles: Iterable[StoredTile], shared: Mapping[str, dict[str, Any]]) -> list[bytes]:
    """Return the JSON of tiles with references replaced and lists taken apart.

    Raises
    ------
    Unprocessable
        A shared transform is missing; the message names the tile.
    """
    return [
        tile.document if tile.refs is None else orjson.dumps(flattened_tile(orjson.loads(tile.document), shared))
        for tile in tiles
    ]


def flattened_tile(tile: dict[str, Any], shared: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a tile spec whose transforms are a flat list, as `flattened_documents`."""
    from rendermodules.core.transforms import flattened

    transforms = tile["transforms"]
    try:
        return {**tile, "transforms": {**transforms, "specList": flattened(transforms.get("specList") or [], shared)}}
    except NOT_UNDERSTOOD as error:
        raise Unprocessable(
            f"tile spec {tile.get('tileId')} is not fully resolved after applying the following transform specs: "
            f"{sorted(shared)} ({error})"
        ) from error


def ids_in(refs: Iterable[str | None]) -> set[str]:
    """Return the ids of shared transforms in ``refs`` of tiles."""
    return {id for text in set(refs) if text is not None for id in orjson.loads(text)}


def _decoded_tile(raw: bytes) -> TileSpec:
    try:
        return _tile_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"a tile spec is not valid: {error}") from error


def _refs(tile: TileSpec) -> list[str] | None:
    specs = tile.specs()
    try:
        for spec in specs:
            if spec.get("type", "leaf") != "leaf":
                break
        else:
            return None
        from rendermodules.core.transforms import references

        return sorted(map(_name_of_transform, {id for spec in specs for id in references(spec)}))
    except NOT_UNDERSTOOD as error:
        raise InvalidRequest(f"the transforms of tile {tile.tileId} cannot be understood: {error}") from error


def _name_of_transform(id: Any) -> str:
    if not isinstance(id, str):
        raise TypeError(f"the id of a transform must be text, but it is {id!r}")
    return id


def _given_box(tile: TileSpec) -> tuple[float, ...]:
    box = tile.box()
    if box is None:
        raise InvalidRequest(
            f"tile with id '{tile.tileId}' is missing bounding box attributes (minX, minY, maxX, and/or maxY)"
        )
    return box


def _incomplete(tile: TileSpec) -> InvalidRequest:
    """Return the error that says what a tile lacks."""
    if not tile.tileId:
        return InvalidRequest("a tile has no tileId")
    if "\0" in tile.tileId:
        return InvalidRequest(f"the tileId {tile.tileId!r} holds a null character")
    return InvalidRequest(f"tile with id '{tile.tileId}' has no z value, or one beyond {FARTHEST:.0e}")


def _require_near(tiles: Sequence[TileSpec], boxes: "NDArray[np.float64]") -> None:
    import numpy as np

    far = np.flatnonzero((np.abs(boxes) > FARTHEST).any(axis=1))
    if len(far):
        raise InvalidRequest(
            f"the bounding box of tile {tiles[far[0]].tileId} reaches further than {FARTHEST:.0e} pixels"
        )


def _require_known(tile: TileSpec, ids: list[str], shared: Mapping[str, Any]) -> None:
    missing = [id for id in ids if id not in shared]
    if missing:
        raise InvalidRequest(f"tile {tile.tileId} requires the following transform ids [{', '.join(missing)}]")


def _tile_row(tile: TileSpec, refs: list[str] | None, box: Sequence[float], document: bytes) -> TileRow:
    return TileRow._make(
        (
            tile.tileId,
            None if tile.layout is None else tile.layout.sectionId,
            tile.groupId,
            *box,
            None if refs is None else orjson.dumps(refs).decode(),
            _channel_names(tile.channels) if tile.channels else None,
            document,
        )
    )


def _channel_names(channels: Sequence[Channel]) -> str | None:
    names = [channel.name for channel in channels if channel.name is not None]
    return orjson.dumps(names).decode() if names else None
