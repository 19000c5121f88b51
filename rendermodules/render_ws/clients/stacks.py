"""Stacks and match collections of a service as the clients read and write them, and the options that name them."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section, TileSpec, TransformSpec, shared_transforms_of
from rendermodules.render_ws.clients.arguments import Option, a_number, many, number, text
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)

SERVICE_OPTIONS: tuple[Option, ...] = (
    text("baseDataUrl", "address of the service, http://host:port/render-ws/v1", required=True),
    text("owner", "owner of the data", required=True),
)
STACK_OPTIONS: tuple[Option, ...] = (
    *SERVICE_OPTIONS,
    text("project", "project of the stack", required=True),
    text("stack", "name of the stack", required=True),
)
Z_OPTIONS: tuple[Option, ...] = (
    number("minZ", "first z"),
    number("maxZ", "last z"),
    many("z", "z of single layers, instead of a range", a_number),
)

TILES_AT_ONCE = 20_000
_INHERITED = ("stackResolutionX", "stackResolutionY", "stackResolutionZ", "mipmapPathBuilder", "defaultChannel")


class RemoteStack:
    """One stack of a service.

    Parameters
    ----------
    service : RemoteService
    owner, project, name : str
    """

    def __init__(self, service: RemoteService, owner: str, project: str, name: str) -> None:
        self.service = service
        self.owner, self.project, self.name = owner, project, name
        self.path = ("owner", owner, "project", project, "stack", name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.project}/{self.name}"

    def sibling(self, name: str | None = None, project: str | None = None, owner: str | None = None) -> "RemoteStack":
        """Return a stack of the same service; what is None is as here."""
        return RemoteStack(self.service, owner or self.owner, project or self.project, name or self.name)

    def metadata(self) -> dict[str, Any]:
        """Return Render's StackMetaData."""
        metadata: dict[str, Any] = self.service.get_json(*self.path)
        return metadata

    def get(self, *parts: str, **query: Any) -> Any:
        """Return the JSON of an answer to GET below the stack."""
        return self.service.get_json(*self.path, *parts, **query)

    def send(self, method: str, *parts: str, body: Any = None, **query: Any) -> Any:
        """Send something to a route below the stack, and return the JSON of the answer."""
        return self.service.send(method, *self.path, *parts, body=body, **query)

    def z_values(self, options: Any = None) -> list[float]:
        """Return the z of the layers that `Z_OPTIONS` choose, ascending; of all layers without options.

        Raises
        ------
        ServiceError
            Nothing is chosen.
        """
        self.metadata()
        present: list[float] = self.get("zValues")
        if options is None:
            return present
        wanted = set(options.z)
        missing = sorted(wanted - set(present))
        if missing:
            logger.warning("%s has no layer at z %s", self, listed(missing))
        low, high = options.minZ, options.maxZ
        chosen = [
            z for z in present if (z in wanted if wanted else (low is None or z >= low) and (high is None or z <= high))
        ]
        if not chosen:
            raise ServiceError(f"{self} has none of the layers that were asked for")
        return chosen

    def section(self, z: float) -> Section:
        """Return the tiles of a layer, references kept, in the order of their ids."""
        resolved = self.get("z", z_text(z), "resolvedTiles")
        tiles = resolved["tileIdToSpecMap"]
        return Section(z, [tiles[tile_id] for tile_id in sorted(tiles)], resolved.get("transformIdToSpecMap") or {})

    def tile_ids(self) -> set[str]:
        """Return the ids of all tiles of the stack."""
        return set(self.get("tileIds"))

    def tile_bounds(self, z: float) -> list[dict[str, Any]]:
        """Return the boxes of the tiles of a layer as Render's JSON, in the order of their ids."""
        bounds: list[dict[str, Any]] = self.get("z", z_text(z), "tileBounds")
        return sorted(bounds, key=lambda box: str(box["tileId"]))

    def put(self, tiles: Sequence[TileSpec], transforms: dict[str, TransformSpec]) -> None:
        """Write tiles with those of the shared transforms that they need; the service derives their boxes."""
        for begin in range(0, len(tiles), TILES_AT_ONCE):
            part = tiles[begin : begin + TILES_AT_ONCE]
            body = {
                "transformIdToSpecMap": shared_transforms_of(list(part), transforms),
                "tileIdToSpecMap": {tile["tileId"]: tile for tile in part},
            }
            self.send("PUT", "resolvedTiles", body=body, deriveData=True)

    def set_state(self, state: str) -> None:
        """Take the stack to another state."""
        self.send("PUT", "state", state)
        logger.info("%s is %s", self, state)

    def open(self, model: "RemoteStack | None" = None) -> None:
        """Make the stack LOADING.

        Parameters
        ----------
        model : RemoteStack, optional
            When the stack does not exist, it is made with the resolution and the channels of this one.

        Raises
        ------
        RequestFailed
            It does not exist and has no model, or its state does not permit it.
        """
        metadata = self.service.find_json(*self.path)
        if metadata is None:
            if model is None:
                self.metadata()
                return
            version = model.metadata().get("currentVersion") or {}
            inherited = {name: version[name] for name in _INHERITED if version.get(name) is not None}
            self.create({**inherited, "versionNotes": f"derived from {model}"})
        elif metadata["state"] != "LOADING":
            self.set_state("LOADING")

    def create(self, version: dict[str, Any]) -> None:
        """Make the stack, or give it a new version."""
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        self.send("POST", body={"createTimestamp": created, **version})
        logger.info("made %s", self)

    def delete_layer(self, z: float) -> None:
        """Remove the tiles of a layer."""
        self.send("DELETE", "z", z_text(z))

    def delete_tiles(self, tile_ids: Iterable[str]) -> None:
        """Remove tiles."""
        for tile_id in tile_ids:
            self.send("DELETE", "tile", tile_id)


def stack_of(options: Any) -> RemoteStack:
    """Return the stack that `STACK_OPTIONS` name."""
    return RemoteStack(RemoteService(options.baseDataUrl), options.owner, options.project, options.stack)


def z_text(z: float) -> str:
    """Return a z as it stands in paths of routes."""
    return repr(float(z))
