"""Connections to a store file: opening, versions, and transactions that queue fairly.

Readers never wait: SQLite's write-ahead log gives each of them the last committed state.
Writers of all processes queue on a lock file; SQLite's own busy handler polls, and lets a
writer starve for seconds when others are quick.
"""

import atexit
import fcntl
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from rendermodules.render_ws.errors import StorageBusy, StorageFull, StoreError
from rendermodules.render_ws.store.compression import Compression
from rendermodules.render_ws.store.location import network_file_system, require_usable

logger = logging.getLogger(__name__)

APPLICATION_ID = 0x526E6453
"""Marks an SQLite file as a store ("RndS")."""

MIGRATIONS: tuple[str, ...] = ()
"""Script i takes a store of version i + 1 to version i + 2."""

BUSY_SECONDS = 60.0
MAXIMUM_CACHED_STORES = 8

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = 0;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16384;
PRAGMA mmap_size = 134217728;
PRAGMA wal_autocheckpoint = 2000;
PRAGMA journal_size_limit = 67108864;
"""


def schema_version() -> int:
    """Return the version of the stores that this program writes."""
    return 1 + len(MIGRATIONS)


class Database:
    """One connection to a store; used by one thread of one process at a time.

    Parameters
    ----------
    path : path
        The store file; made when it does not exist.

    Attributes
    ----------
    connection : sqlite3.Connection
        In autocommit mode; statements outside `reading` and `writing` stand alone.
    compression : Compression
        Coder of the specs kept in this store.

    Raises
    ------
    StoreError
        Not a store, a store of a newer version, or a place that cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._lock_file = -1
        self.path = Path(path).absolute()
        require_usable(self.path)
        with translated_errors(self.path):
            self.connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        try:
            with translated_errors(self.path):
                self._prepare()
            self.identity = _identity(self.path)
        except UnicodeDecodeError as error:
            self.close()
            raise StoreError(f"{self.path} is damaged: {error}") from error
        except BaseException:
            self.close()
            raise
        self.compression = Compression(self.connection)
        _open_databases.add(self)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the store stays."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a snapshot: all statements of the block see one state."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with translated_errors(self.path):
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a write transaction: all of the block is kept, or nothing.

        Raises
        ------
        StorageFull, StorageBusy
            Nothing was kept.
        """
        with translated_errors(self.path), self._turn():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                self.compression.forget()
                # SQLite has already rolled back when the disk is full
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def rewrite(self) -> None:
        """Write the file anew without the space that deleted things left, and empty the journal."""
        with translated_errors(self.path), self._turn():
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock_file < 0:
            # one queue for a store, also when a link leads to it
            self._lock_file = os.open(f"{self.path.resolve()}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        # the kernel queues those who wait, and frees the lock of a process that died
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _prepare(self) -> None:
        _warn_of_network(self.path)
        # SQLite gives up at once when somebody looks at a file that another is about to make a store
        is_empty = not self.path.exists() or self.path.stat().st_size == 0
        version = 0 if is_empty else self._version()
        if version == 0:
            self._create()
        elif version < schema_version():
            self._migrate()
        self.connection.executescript(_PRAGMAS)

    def _version(self) -> int:
        (application,) = self.connection.execute("PRAGMA application_id").fetchone()
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self.connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION_ID:
            raise StoreError(f"{self.path} is an SQLite file, but not a store of this program")
        if version > schema_version():
            raise StoreError(
                f"the store {self.path} has version {version}; this program knows versions up to {schema_version()}: "
                "use a newer one"
            )
        return int(version) if tables else 0

    def _create(self) -> None:
        schema = files("rendermodules.render_ws.store").joinpath("schema.sql").read_text()
        with self._turn():
            if self._version() == 0:
                self.connection.execute("PRAGMA page_size = 8192")
                self.connection.execute("PRAGMA journal_mode = WAL")
                self.connection.executescript(
                    f"BEGIN IMMEDIATE; {schema} PRAGMA application_id = {APPLICATION_ID};"
                    f"PRAGMA user_version = {schema_version()}; COMMIT;"
                )

    def _migrate(self) -> None:
        with self._turn():
            for version in range(self._version(), schema_version()):
                logger.info("taking the store %s from version %d to %d", self.path, version, version + 1)
                self.connection.executescript(
                    f"BEGIN IMMEDIATE; {MIGRATIONS[version - 1]}; PRAGMA user_version = {version + 1}; COMMIT;"
                )


@lru_cache(maxsize=MAXIMUM_CACHED_STORES)
def _warn_of_network(path: Path) -> None:
    """Warn once in a process of a store on a network file system."""
    kind = network_file_system(path)
    if kind is not None:
        logger.warning(
            "the store %s lies on a network file system (%s), where SQLite's locks may fail between machines: "
            "serve it from one machine (rendermodules serve) and give its address to the others",
            path,
            kind,
        )


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into those of the service."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise StorageFull(f"the store {path} cannot be written ({error}); nothing was changed") from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorageBusy(f"the store {path} is held by another program") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise StoreError(f"the store {path} cannot be opened for writing: {error}") from error
        raise
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise StoreError(f"{path} is not a store, or is damaged: {error}") from error
        raise


# Connections must not cross a fork or be shared by threads that write, so each thread has its own.
_of_thread = threading.local()
_open_databases: "weakref.WeakSet[Database]" = weakref.WeakSet()
_of_parent: list[Database] = []


def database_at(path: str | os.PathLike[str]) -> Database:
    """Return this thread's connection to the store at ``path``, opened when first used.

    A store that was replaced by another file since then is opened again.
    """
    databases: dict[str, Database] = _of_thread.__dict__.setdefault("databases", {})
    name = os.fspath(path)
    database = databases.pop(name, None)
    if database is not None and database.identity != _identity(database.path):
        database.close()
        database = None
    if database is None:
        database = Database(name)
        while len(databases) >= MAXIMUM_CACHED_STORES:
            databases.pop(next(iter(databases))).close()
    databases[name] = database
    return database


class Turns:
    """Lets a number of threads work at a time, and hands connections on from one to the next.

    A program with many threads that mostly wait then has few connections. Use it as a context manager, once at a
    time in each thread; within, `database_at` gives connections of the turn.

    Parameters
    ----------
    number : int
        Threads that work at a time.
    """

    def __init__(self, number: int) -> None:
        self._free = threading.Semaphore(number)
        self._databases: list[dict[str, Database]] = []

    def __enter__(self) -> None:
        self._free.acquire()
        try:
            # the latest first: what it has read is still at hand
            _of_thread.databases = self._databases.pop()
        except IndexError:
            _of_thread.databases = {}

    def __exit__(self, *exception: object) -> None:
        self._databases.append(_of_thread.__dict__.pop("databases"))
        self._free.release()


def close_databases() -> None:
    """Close the connections of this process; the next call opens them again.

    Other threads must not be in a transaction.
    """
    for database in list(_open_databases):
        database.close()
    _of_thread.__dict__.clear()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _leave_to_parent() -> None:
    # closing a connection inherited from the parent would drop the parent's locks on the journal
    for database in list(_open_databases):
        _of_parent.append(database)
        if database._lock_file >= 0:
            os.close(database._lock_file)
            database._lock_file = -1
    _open_databases.clear()
    _of_thread.__dict__.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
atexit.register(close_databases)
