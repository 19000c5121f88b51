"""Which project a sub-command is about."""

import argparse
import os
import urllib.parse
from pathlib import Path
from typing import Any

from rendermodules.module.errors import RenderModuleError


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which project is meant."""
    parser.add_argument(
        "project",
        nargs="?",
        metavar="PROJECT",
        help="the file of a store, or OWNER/PROJECT, or PROJECT; else RENDER_PROJECT, or the only one there is",
    )
    parser.add_argument("--host", help="http://server, a name, or the path of a store; else RENDER_HOST")
    parser.add_argument("--port", type=int, help="port of the service; else RENDER_PORT")
    parser.add_argument("--owner", help="owner of the project; else RENDER_OWNER, or the only one there is")


def connection(options: argparse.Namespace) -> Any:
    """Return a connection to the project that the options mean.

    Raises
    ------
    RenderModuleError
        There is no such store or project, or several come into question.
    """
    from rendermodules.module.connection import connect

    host, owner, project = place_of(options)
    if host is None:
        raise RenderModuleError("say where the project is: give a store file, or --host, or set RENDER_HOST")
    require_store(host)
    address = {"host": host, "port": options.port}
    if owner is None or project is None:
        owner, project = _only_project(
            connect({**address, "owner": "any", "project": "any"}, retries=1), owner, project
        )
    render = connect({**address, "owner": owner, "project": project}, retries=1)
    if project not in projects(render, owner):
        known = [f"{one}/{name}" for one in owners(render) for name in projects(render, one)]
        raise RenderModuleError(f"there is no project {owner}/{project} at {host}; there are {_listed(known)}")
    return render


def place_of(options: argparse.Namespace) -> tuple[str | None, str | None, str | None]:
    """Return host, owner and project as the options and the environment say them, None where they do not."""
    host = options.host or os.environ.get("RENDER_HOST")
    owner = options.owner or os.environ.get("RENDER_OWNER")
    project = options.project
    if project and not options.host and (project.endswith(".db") or Path(project).is_file()):
        return project, options.owner, None
    if project and "/" in project:
        given, _, project = project.partition("/")
        if options.owner not in (None, given):
            raise RenderModuleError(f"{options.project} and --owner {options.owner} contradict each other")
        owner = given
    return host, owner, project or os.environ.get("RENDER_PROJECT")


def require_store(host: str) -> None:
    """Refuse the path of a store that does not exist, which a connection would make."""
    from rendermodules.module.connection import is_store_path

    if is_store_path(host) and not Path(host).expanduser().is_file():
        raise RenderModuleError(f"there is no store {host}; rendermodules next says how to begin one")


def _only_project(render: Any, owner: str | None, project: str | None) -> tuple[str, str]:
    candidates = [owner] if owner is not None else owners(render)
    found = [(one, name) for one in candidates for name in projects(render, one) if project is None or name == project]
    if len(found) == 1:
        return found[0]
    wanted = f" called {project}" if project else ""
    if not found:
        raise RenderModuleError(f"there is no project{wanted}{f' of {owner}' if owner else ''} there")
    raise RenderModuleError(
        f"there are several projects{wanted}, say which: {_listed(['/'.join(one) for one in found])}"
    )


def answer(render: Any, *path: str, **query: Any) -> Any:
    """Return what Render answers to a GET, as plain values.

    Parameters
    ----------
    render : Render
        Connection.
    *path : str
        The parts of the path, which are quoted here.
    **query
        Parameters of the query.

    Raises
    ------
    RenderModuleError
        Render refuses.
    """
    from renderapi.render import format_baseurl

    url = f"{format_baseurl(render.DEFAULT_HOST, render.DEFAULT_PORT)}/{quoted(*path)}"
    response = render.session.get(url, params=query)
    if response.status_code >= 400:
        raise RenderModuleError(
            f"{'/'.join(path)}: Render answered {response.status_code}: {response.text[:300].strip()}"
        )
    return response.json()


def quoted(*path: str) -> str:
    """Return the parts of a path as they stand in a URL; commas stay, which Render's boxes are written with."""
    return "/".join(urllib.parse.quote(part, safe=",") for part in path)


def projects(render: Any, owner: str) -> list[str]:
    """Return the names of an owner's projects."""
    names: list[str] = answer(render, "owner", owner, "projects")
    return names


def owners(render: Any) -> list[str]:
    """Return the names of all owners."""
    names: list[str] = answer(render, "owners")
    return names


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
