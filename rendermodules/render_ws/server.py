"""The service over HTTP: granian in front, one or more worker processes with threads."""

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.log_lines import log_to_standard_error
from rendermodules.render_ws.settings import Settings
from rendermodules.render_ws.store.database import Database

logger = logging.getLogger(__name__)

WAITING_THREADS = 60
"""Threads of a process beyond those that work, so that bodies may come slowly and nobody waits for them."""

_PARENT_CHECK_SECONDS = 0.25


class ServerError(ServiceError):
    """The server cannot listen where it was told to."""


@dataclass(frozen=True)
class Listening:
    """Where a server listens and with how many hands.

    Attributes
    ----------
    host : str, default: 127.0.0.1
        Name or address of this machine.
    port : int, default: 8080
        0 takes a free one.
    processes : int, default: 1
        Worker processes; each has its own image cache.
    threads : int, default: 4
        Requests that one process works on at the same time.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    processes: int = 1
    threads: int = 4


def serve(settings: Settings, listening: Listening, ready: Callable[[str], None] | None = None) -> None:
    """Serve a store over HTTP until the process is told to stop (SIGTERM, SIGINT).

    Parameters
    ----------
    settings : Settings
    listening : Listening
    ready : callable, optional
        Called with the URL, once it is known that the port is free and the store can be used.

    Raises
    ------
    StoreError
        The store cannot be used.
    ServerError
        The address is not one of this machine, or the port is in use.
    """
    # opened here once, so that a bad store ends the program and not a worker
    Database(settings.store).close()
    address, port = _free_address(listening.host, listening.port)
    if ready is not None:
        ready(f"http://{f'[{address}]' if ':' in address else address}:{port}")
    from granian.constants import HTTPModes, Interfaces
    from granian.server import Server

    server = Server(
        "rendermodules.render_ws",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=listening.processes,
        blocking_threads=listening.threads + WAITING_THREADS,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )
    server.serve(
        target_loader=partial(_worker_application, settings, listening.threads, os.getpid()), wrap_loader=False
    )


def _worker_application(settings: Settings, threads: int, parent: int) -> Any:
    """Return the application within a worker process."""
    from rendermodules.render_ws.app import application

    log_to_standard_error()
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    return application(settings, at_once=threads)


def _end_with_parent(parent: int) -> None:
    # a worker that outlives a killed server would go on answering on its port, with old code
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(1)


def _free_address(host: str, port: int) -> tuple[str, int]:
    """Return the address of ``host`` and a port that nobody listens on.

    granian shares ports between processes, so that two servers on one port would both start
    and share the requests between them.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            return str(probe.getsockname()[0]), int(probe.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServerError(f"port {port} of {host} is in use: another server may be running") from error
        raise ServerError(f"cannot listen on {host} port {port}: {error}") from error
