"""Projects as folders of JSON files: out of one Render service, into another, Java's or this.

Everything goes through the routes of the service, so that both ends may be a store file or the
address of a server. The folder holds, for each stack, its metadata and one file for each layer
in the form that ``PUT resolvedTiles`` takes, and for each match collection one file for each
p group in the form that ``PUT matches`` takes.
"""

import gzip
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from rendermodules.io.files import write_bytes_whole
from rendermodules.io.paths import java_number
from rendermodules.render_ws.errors import InvalidRequest, ServiceError
from rendermodules.render_ws.remote import RemoteService, RequestFailed

logger = logging.getLogger(__name__)

TILES_AT_ONCE = 5000
PAIRS_AT_ONCE = 500
# a person waits
_RETRIES = 2
_LONGEST_FILE_NAME = 200


class MigrationError(ServiceError):
    """A project cannot be moved as asked; the message says where it stopped."""


class Choice(NamedTuple):
    """What to export; None stands for all."""

    owner: str | None = None
    project: str | None = None
    stacks: list[str] | None = None
    collections: list[str] | None = None
    with_matches: bool = True


def export_projects(source: str, folder: Path, choice: Choice) -> None:
    """Write stacks and matches of a service into a folder.

    Shared transforms that no tile refers to stay behind, as do the tiles of OFFLINE stacks,
    which have none. What the service refuses to give, such as tiles whose shared transforms
    are missing, is left out, and the rest exported. Memory holds one layer at a time.

    Raises
    ------
    MigrationError
        The folder is not empty, or something was left out; the message names it.
    RequestFailed
        The service cannot be reached.
    """
    if folder.exists() and any(folder.iterdir()):
        raise MigrationError(f"{folder} is not empty")
    service = RemoteService(source, _RETRIES)
    left_out: list[str] = []
    for owner in [choice.owner] if choice.owner else service.get_json("owners"):
        for metadata in service.get_json("owner", owner, "stacks"):
            if _is_chosen(metadata["stackId"], choice):
                with _refusals_noted(left_out):
                    _export_stack(service, metadata, folder)
    if choice.with_matches:
        for owner in [choice.owner] if choice.owner else service.get_json("matchCollectionOwners"):
            for collection in service.get_json("owner", owner, "matchCollections"):
                name = collection["collectionId"]["name"]
                if choice.collections is None or name in choice.collections:
                    with _refusals_noted(left_out):
                        _export_collection(service, owner, name, folder)
    if left_out:
        raise MigrationError("\n".join(["not exported:", *left_out]))


@contextmanager
def _refusals_noted(left_out: list[str]) -> Iterator[None]:
    """Go on behind the block when the service refuses what it asks for."""
    try:
        yield
    except (InvalidRequest, RequestFailed) as error:
        if isinstance(error, RequestFailed) and error.answered is None:
            raise
        left_out.append(str(error))


def import_projects(folder: Path, target: str) -> None:
    """Put into a service what `export_projects` wrote.

    Raises
    ------
    MigrationError
        A stack or collection exists already in the target, which is then untouched.
    RequestFailed
        The service fails; the stack in question is left LOADING.
    """
    service = RemoteService(target, _RETRIES)
    stacks = sorted(folder.glob("stacks/*/*/*/stack.json"))
    collections = sorted(folder.glob("matches/*/*/collection.json"))
    if not stacks and not collections:
        raise MigrationError(f"{folder} holds no export")
    for file in stacks:
        parts = _stack_parts(orjson.loads(file.read_bytes())["stackId"])
        if service.find_json(*parts) is not None:
            raise MigrationError(f"{'/'.join(parts)} exists already; nothing was imported")
    for file in collections:
        parts = _collection_parts(orjson.loads(file.read_bytes()))
        if service.find_json(*parts, "pGroupIds") is not None:
            raise MigrationError(f"{'/'.join(parts)} exists already; nothing was imported")
    for file in stacks:
        _import_stack(service, file)
    for file in collections:
        _import_collection(service, file)


def _is_chosen(stack_id: dict[str, str], choice: Choice) -> bool:
    in_project = choice.project is None or stack_id["project"] == choice.project
    return in_project and (choice.stacks is None or stack_id["stack"] in choice.stacks)


def _export_stack(service: RemoteService, metadata: dict[str, Any], folder: Path) -> None:
    parts = _stack_parts(metadata["stackId"])
    place = folder.joinpath("stacks", *map(_file_name, metadata["stackId"].values()))
    for z in service.get_json(*parts, "zValues"):
        layer = service.get(*parts, "z", str(z), "resolvedTiles")
        write_bytes_whole(place / f"z_{java_number(z)}.json.gz", gzip.compress(layer, 3))
    # written last: an export that was interrupted has no stack of this name
    write_bytes_whole(place / "stack.json", orjson.dumps(metadata, option=orjson.OPT_INDENT_2))
    logger.info("exported %s", "/".join(parts))


def _export_collection(service: RemoteService, owner: str, name: str, folder: Path) -> None:
    parts = _collection_parts({"owner": owner, "name": name})
    place = folder / "matches" / _file_name(owner) / _file_name(name)
    for index, group in enumerate(service.get_json(*parts, "pGroupIds")):
        pairs = service.get(*parts, "pGroup", group, "matches")
        write_bytes_whole(place / f"group_{index:06d}.json.gz", gzip.compress(pairs, 3))
    write_bytes_whole(place / "collection.json", orjson.dumps({"owner": owner, "name": name}))
    logger.info("exported %s", "/".join(parts))


def _import_stack(service: RemoteService, file: Path) -> None:
    metadata = orjson.loads(file.read_bytes())
    parts = _stack_parts(metadata["stackId"])
    service.send("POST", *parts, body=metadata["currentVersion"])
    for layer in sorted(file.parent.glob("z_*.json.gz")):
        for chunk in _chunks_of_layer(orjson.loads(gzip.decompress(layer.read_bytes()))):
            service.send("PUT", *parts, "resolvedTiles", body=chunk, deriveData=True)
    if "hierarchicalData" in metadata:
        service.send("PUT", *parts, "hierarchicalData", body=metadata["hierarchicalData"])
    states = {"LOADING": [], "COMPLETE": ["COMPLETE"], "READ_ONLY": ["COMPLETE", "READ_ONLY"]}
    for state in states.get(metadata["state"], []):
        service.send("PUT", *parts, "state", state)
    logger.info("imported %s", "/".join(parts))


def _import_collection(service: RemoteService, file: Path) -> None:
    parts = _collection_parts(orjson.loads(file.read_bytes()))
    for group in sorted(file.parent.glob("group_*.json.gz")):
        pairs = orjson.loads(gzip.decompress(group.read_bytes()))
        for begin in range(0, len(pairs), PAIRS_AT_ONCE):
            service.send("PUT", *parts, "matches", body=pairs[begin : begin + PAIRS_AT_ONCE])
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
    quoted = quote(name, safe=" ").replace(".", "%2E")
    # the names themselves are within the files
    return quoted if len(quoted) <= _LONGEST_FILE_NAME else f"{quoted[:60]}-{sha256(name.encode()).hexdigest()}"
