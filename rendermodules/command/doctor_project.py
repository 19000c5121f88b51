"""Whether a project can be reached, and whether its images can."""

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from renderapi.render import format_baseurl

from rendermodules.command.doctor import Finding
from rendermodules.command.places import answer, connection, owners, place_of, projects, quoted
from rendermodules.command.survey import path_of_stack, survey
from rendermodules.io.paths import is_local, path_of_url
from rendermodules.module.connection import connect, is_store_path
from rendermodules.module.errors import RenderModuleError, short_reason
from rendermodules.module.stacks import read_section

SLOW_SECONDS = 0.5
_LOOKED_AT_TILES = 20
_DRAWN_PIXELS = 64


def project(options: argparse.Namespace) -> Iterator[Finding]:
    """Give what is to be said about the store or server, and about the project where one is meant."""
    host, owner, name = place_of(options)
    if host is None:
        yield Finding(
            "note", "project", "none given", "name one: rendermodules doctor STORE.db, or --host, or RENDER_HOST"
        )
        return
    if is_store_path(host):
        yield _store(Path(host).expanduser())
        if not Path(host).expanduser().is_file():
            return
    render = connect({"host": host, "port": options.port, "owner": owner or "any", "project": name or "any"}, retries=1)
    try:
        yield _service(render, host)
        yield _catalogue(render)
        chosen = connection(options)
    except (RenderModuleError, OSError) as error:
        remedy = (
            "is the address right, and the service running (rendermodules serve)?" if isinstance(error, OSError) else ""
        )
        yield Finding("bad", "project", short_reason(error, 300), remedy)
        return
    yield from _stacks(chosen)


def _store(path: Path) -> Finding:
    from rendermodules.render_ws.store.location import network_file_system

    if not path.is_file():
        return Finding("note", "store", f"{path} does not exist yet", "the first module that writes makes it")
    kind = network_file_system(path)
    size = path.stat().st_size / (1 << 20)
    if kind is not None:
        return Finding(
            "note",
            "store",
            f"{path}, {size:.1f} MiB, is on a network file system ({kind})",
            "let only one machine use it at a time, or serve it: rendermodules serve",
        )
    return Finding("ok", "store", f"{path}, {size:.1f} MiB")


def _service(render: Any, host: str) -> Finding:
    # the first question opens the connection, or the store
    version = answer(render, "versionInfo")
    started = time.perf_counter()
    answer(render, "versionInfo")
    seconds = time.perf_counter() - started
    name = f"{version.get('name', 'Render')} {version.get('version', '')}".strip()
    message = f"{name} at {host} answers in {seconds * 1000:.0f} ms"
    if seconds > SLOW_SECONDS:
        return Finding("note", "service", message, "work on a machine that is nearer to it")
    return Finding("ok", "service", message)


def _catalogue(render: Any) -> Finding:
    names = [f"{owner}/{name}" for owner in owners(render) for name in projects(render, owner)]
    if not names:
        return Finding("note", "projects", "none yet", "import tiles: rendermodules list dataimport")
    return Finding("ok", "projects", ", ".join(names))


def _stacks(render: Any) -> Iterator[Finding]:
    found = survey(render)
    for stack in found.stacks:
        if stack.state == "LOADING":
            yield Finding(
                "note",
                f"stack {stack.name}",
                "is LOADING: a run is writing it, or was stopped",
                "run the same command again, which goes on where it stopped, or set it COMPLETE",
            )
        if stack.z_values:
            yield from _images(render, stack.name, stack.z_values[0])


def _images(render: Any, stack: str, z: float) -> Iterator[Finding]:
    tiles = read_section(render, stack, z).tiles
    step = max(1, len(tiles) // _LOOKED_AT_TILES)
    urls = [url for tile in tiles[::step] for url in _image_urls(tile)]
    missing = [url for url in urls if not _is_there(url)]
    about = f"images of {stack}"
    if missing:
        yield Finding(
            "bad",
            about,
            f"{len(missing)} of {len(urls)} looked at are not here, the first is {missing[0]}",
            "mount the disk, or correct the paths: rendermodules help stack.edit_image_pyramids",
        )
        return
    yield Finding("ok", about, f"{len(urls)} looked at, all there")
    yield _drawing(render, stack, tiles[0])


def _drawing(render: Any, stack: str, tile: Mapping[str, Any]) -> Finding:
    """Let Render draw a tile, small: it has to see the images too."""
    scale = min(1.0, _DRAWN_PIXELS / max(float(tile["width"]), float(tile["height"])))
    path = quoted(*path_of_stack(render, stack), "tile", tile["tileId"], "jpeg-image")
    url = f"{format_baseurl(render.DEFAULT_HOST, render.DEFAULT_PORT)}/{path}"
    response = render.session.get(url, params={"scale": scale})
    about = f"drawing {stack}"
    if response.status_code >= 400:
        return Finding(
            "bad",
            about,
            f"Render answered {response.status_code}: {response.text[:300].strip()}",
            "the machine on which Render runs has to see the images under the same paths; a server that reads only "
            "some folders takes --image-root",
        )
    return Finding("ok", about, f"a tile in {response.elapsed.total_seconds() * 1000:.0f} ms")


def _image_urls(tile: Mapping[str, Any]) -> Iterator[str]:
    for channel in tile.get("channels") or [tile]:
        level = min(channel.get("mipmapLevels") or {}, key=int, default=None)
        if level is not None:
            yield channel["mipmapLevels"][level]["imageUrl"]


def _is_there(url: str) -> bool:
    """Return whether a file is here; what is elsewhere is taken to be there."""
    return not is_local(url) or path_of_url(url).is_file()
