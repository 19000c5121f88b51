"""Projects as folders of JSON files: out of one Render service, into another, Java's or this.

Everything goes through the routes of the service, so that both ends may be a store file or the
address of a server. The folder holds, for each stack, its metadata and one file for each layer
in the form that ``PUT resolvedTiles`` takes, and for each match collection one file for each
p group in the form that ``PUT matches`` takes.
"""

import gzip
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
import requests

from rendermodules.io.files import write_bytes_whole
from rendermodules.io.paths import java_number
from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.routing import PREFIX

logger = logging.getLogger(__name__)

TILES_AT_ONCE = 5000
PAIRS_AT_ONCE = 500
_SECONDS = 600


class MigrationError(ServiceError):
    """A project cannot be moved as asked; the message says where it stopped."""


class Choice(NamedTuple):
    """What to export; None stands for all."""

    owner: str | None = None
    project: str | None = None
    stacks: list[str] | None = None
    collections: list[str] | None = None
    with_matches: bool = True


class Service:
    """The routes of a service, at an address or on a store file.

    Parameters
    ----------
    place : str
        ``http://...`` with or without the prefix of the routes, or the path of a store.
    """

    def __init__(self, place: str) -> None:
        self.session = requests.Session()
        if "://" in place:
            self._base = place.rstrip("/").removesuffix(PREFIX) + PREFIX
        else:
            self.session.trust_env = False
            self.session.mount(EMBEDDED_URL, EmbeddedAdapter(place))
            self._base = EMBEDDED_URL + PREFIX

    def get(self, *parts: str) -> bytes:
        """Return the body of an answer to GET."""
        return self._send("GET", parts)

    def get_json(self, *parts: str) -> Any:
        """Return the JSON of an answer to GET."""
        return orjson.loads(self.get(*parts))

    def send_json(self, method: str, *parts: str, body: Any = None, query: str = "") -> None:
        """Send JSON, or nothing."""
        self._send(method, parts, query, None if body is None else orjson.dumps(body))

    def has(self, *parts: str) -> bool:
        """Return whether a path leads to something."""
        return self._answer("GET", parts, "", None).status_code == 200

    def _answer(self, method: str, parts: tuple[str, ...], query: str, body: bytes | None) -> requests.Response:
        if any("/" in part for part in parts):
            raise MigrationError(f"no route can name {parts}: '/' separates the parts of a path")
        path = "/".join(quote(part, safe="") for part in parts)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            return self.session.request(
                method, f"{self._base}/{path}{query}", data=body, headers=headers, timeout=_SECONDS
            )
        except requests.RequestException as error:
            raise MigrationError(f"{method} {path}: {error}") from error

    def _send(self, method: str, parts: tuple[str, ...], query: str = "", body: bytes | None = None) -> bytes:
        answer = self._answer(method, parts, query, body)
        if answer.status_code >= 300:
            raise MigrationError(f"{method} {answer.url} failed: {answer.status_code} {answer.text[:500]}")
        return bytes(answer.content)


def export_projects(source: str, folder: Path, choice: Choice) -> None:
    """Write stacks and matches of a service into a folder.

    Shared transforms that no tile refers to stay behind, as do the tiles of OFFLINE stacks,
    which have none. Memory holds one layer at a time.

    Raises
    ------
    MigrationError
        The folder is not empty, or the service fails.
    """
    if folder.exists() and any(folder.iterdir()):
        raise MigrationError(f"{folder} is not empty")
    service = Service(source)
    for owner in [choice.owner] if choice.owner else service.get_json("owners"):
        for metadata in service.get_json("owner", owner, "stacks"):
            if _is_chosen(metadata["stackId"], choice):
                _export_stack(service, metadata, folder)
    if choice.with_matches:
        for owner in [choice.owner] if choice.owner else service.get_json("matchCollectionOwners"):
            for collection in service.get_json("owner", owner, "matchCollections"):
                name = collection["collectionId"]["name"]
                if choice.collections is None or name in choice.collections:
                    _export_collection(service, owner, name, folder)


def import_projects(folder: Path, target: str) -> None:
    """Put into a service what `export_projects` wrote.

    Raises
    ------
    MigrationError
        A stack or collection exists already in the target, which is then untouched; or the
        service fails, and the stack in question is left LOADING.
    """
    service = Service(target)
    stacks = sorted(folder.glob("stacks/*/*/*/stack.json"))
    collections = sorted(folder.glob("matches/*/*/collection.json"))
    if not stacks and not collections:
        raise MigrationError(f"{folder} holds no export")
    for file in stacks:
        parts = _stack_parts(orjson.loads(file.read_bytes())["stackId"])
        if service.has(*parts):
            raise MigrationError(f"{'/'.join(parts)} exists already; nothing was imported")
    for file in collections:
        parts = _collection_parts(orjson.loads(file.read_bytes()))
        if service.has(*parts, "pGroupIds"):
            raise MigrationError(f"{'/'.join(parts)} exists already; nothing was imported")
    for file in stacks:
        _import_stack(service, file)
    for file in collections:
        _import_collection(service, file)


def _is_chosen(stack_id: dict[str, str], choice: Choice) -> bool:
    in_project = choice.project is None or stack_id["project"] == choice.project
    return in_project and (choice.stacks is None or stack_id["stack"] in choice.stacks)


def _export_stack(service: Service, metadata: dict[str, Any], folder: Path) -> None:
    parts = _stack_parts(metadata["stackId"])
    place = folder.joinpath("stacks", *map(_file_name, metadata["stackId"].values()))
    for z in service.get_json(*parts, "zValues"):
        layer = service.get(*parts, "z", str(z), "resolvedTiles")
        write_bytes_whole(place / f"z_{java_number(z)}.json.gz", gzip.compress(layer, 3))
    # written last: an export that was interrupted has no stack of this name
    write_bytes_whole(place / "stack.json", orjson.dumps(metadata, option=orjson.OPT_INDENT_2))
    logger.info("exported %s", "/".join(parts))


def _export_collection(service: Service, owner: str, name: str, folder: Path) -> None:
    parts = _collection_parts({"owner": owner, "name": name})
    place = folder / "matches" / _file_name(owner) / _file_name(name)
    for index, group in enumerate(service.get_json(*parts, "pGroupIds")):
        pairs = service.get(*parts, "pGroup", group, "matches")
        write_bytes_whole(place / f"group_{index:06d}.json.gz", gzip.compress(pairs, 3))
    write_bytes_whole(place / "collection.json", orjson.dumps({"owner": owner, "name": name}))
    logger.info("exported %s", "/".join(parts))


def _import_stack(service: Service, file: Path) -> None:
    metadata = orjson.loads(file.read_bytes())
    parts = _stack_parts(metadata["stackId"])
    service.send_json("POST", *parts, body=metadata["currentVersion"])
    for layer in sorted(file.parent.glob("z_*.json.gz")):
        for chunk in _chunks_of_layer(orjson.loads(gzip.decompress(layer.read_bytes()))):
            service.send_json("PUT", *parts, "resolvedTiles", body=chunk, query="?deriveData=true")
    if "hierarchicalData" in metadata:
        service.send_json("PUT", *parts, "hierarchicalData", body=metadata["hierarchicalData"])
    states = {"LOADING": [], "COMPLETE": ["COMPLETE"], "READ_ONLY": ["COMPLETE", "READ_ONLY"]}
    for state in states.get(metadata["state"], []):
        service.send_json("PUT", *parts, "state", state)
    logger.info("imported %s", "/".join(parts))


def _import_collection(service: Service, file: Path) -> None:
    parts = _collection_parts(orjson.loads(file.read_bytes()))
    for group in sorted(file.parent.glob("group_*.json.gz")):
        pairs = orjson.loads(gzip.decompress(group.read_bytes()))
        for begin in range(0, len(pairs), PAIRS_AT_ONCE):
            service.send_json("PUT", *parts, "matches", body=pairs[begin : begin + PAIRS_AT_ONCE])
    logger.info("imported %s", "/".join(parts))


def _chunks_of_layer(layer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the tiles of a layer in bodies of bounded size, each with all shared transforms."""
    tiles = list(layer["tileIdToSpecMap"].items())
    for begin in range(0, len(tiles), TILES_AT_ONCE):
        yield {**layer, "tileIdToSpecMap": dict(tiles[begin : begin + TILES_AT_ONCE])}


def _stack_parts(stack_id: dict[str, str]) -> tuple[str, ...]:
    return "owner", stack_id["owner"], "project", stack_id["project"], "stack", stack_id["stack"]


def _collection_parts(collection_id: dict[str, str]) -> tuple[str, ...]:
    return "owner", collection_id["owner"], "matchCollection", collection_id["name"]


def _file_name(name: str) -> str:
    # names may hold any character but '/'; '.' and '..' must not lead elsewhere
    return quote(name, safe=" ").replace(".", "%2E")
