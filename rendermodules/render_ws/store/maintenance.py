"""``rendermodules store``: look after a store file, or move projects between services as JSON."""

import argparse
import logging
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import zstandard

from rendermodules.render_ws.errors import ServiceError, StoreError
from rendermodules.render_ws.store import layers, matches
from rendermodules.render_ws.store.database import Database

logger = logging.getLogger("rendermodules.render_ws.store")

_ROWS_AT_ONCE = 1000
_MOST_PROBLEMS = 100


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of check, compact, export, import; return 0, or 1 when it failed or found problems."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return int(options.action(options))
    except (ServiceError, OSError) as error:
        logger.error("%s", error)  # noqa: TRY400
        return 1


def problems_of(path: Path) -> Iterator[str]:
    """Return what is wrong with a store, a line each; nothing when it is sound.

    Looks at SQLite's own structure, and at every tile, summary and count. Others may go on
    working with the store; a damaged part does not hide what is behind it.
    """
    if not path.exists():
        raise StoreError(f"there is no store {path}")
    database = Database(path)
    try:
        for problems in (_structure_problems, _layer_problems, _document_problems, _match_problems):
            try:
                with database.reading():
                    yield from problems(database)
            except (sqlite3.DatabaseError, StoreError) as error:
                yield f"the rest of a table cannot be read: {error}"
    finally:
        database.close()


def compact(path: Path) -> tuple[int, int]:
    """Make a store as small as it can be; return its size before and after, in bytes.

    Removes what deleted stacks and collections left, then rewrites the file, which needs as
    much free space again. Others cannot write meanwhile.
    """
    if not path.exists():
        raise StoreError(f"there is no store {path}")
    before = _size(path)
    database = Database(path)
    try:
        with database.writing() as connection:
            layers.sweep_layers(connection, tiles=None)
            matches.sweep_pairs(connection, pairs=-1)
            connection.execute(
                """DELETE FROM match_name WHERE name_id NOT IN (SELECT p_group FROM match_pair
                UNION SELECT q_group FROM match_pair UNION SELECT p_id FROM match_pair
                UNION SELECT q_id FROM match_pair)"""
            )
        database.rewrite()
    finally:
        database.close()
    return before, _size(path)


def _size(path: Path) -> int:
    # the journal holds what was not yet written into the file
    return sum(part.stat().st_size for part in (path, Path(f"{path}-wal")) if part.exists())


def _structure_problems(database: Database) -> Iterator[str]:
    for (text,) in database.connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield f"SQLite: {text}"


def _layer_problems(database: Database) -> Iterator[str]:
    connection = database.connection
    query = """SELECT layer_id, tile_count, (SELECT COUNT(*) FROM tile WHERE tile.layer_id = layer.layer_id)
        FROM layer WHERE layer_id NOT IN (SELECT layer_id FROM garbage_layer)"""
    for layer_id, summary, tiles in connection.execute(query):
        if summary != tiles:
            yield f"layer {layer_id} holds {tiles} tiles, but its summary says {summary}"
    query = "SELECT stack_key, z FROM stack_layer WHERE layer_id NOT IN (SELECT layer_id FROM layer)"
    for key, z in connection.execute(query):
        yield f"the layer of stack {key} at z {z} is missing"
    query = """SELECT owner, project, name, tile_id FROM stack JOIN stack_layer USING (stack_key)
        JOIN tile USING (layer_id) GROUP BY stack_key, tile_id HAVING COUNT(*) > 1"""
    for *names, tile_id in connection.execute(query):
        yield f"tile {tile_id} is more than once in stack {'/'.join(names)}"


def _document_problems(database: Database) -> Iterator[str]:
    for table, id in (("tile", "tile_id"), ("transform", "transform_id")):
        rows = database.connection.execute(f"SELECT {id}, codec, spec FROM {table}")
        while found := rows.fetchmany(_ROWS_AT_ONCE):
            for name, *content in found:
                try:
                    msgspec.json.decode(*database.compression.restored([tuple(content)]), type=msgspec.Raw)
                except (zstandard.ZstdError, msgspec.DecodeError, StoreError) as error:
                    yield f"the spec of {table} {name} cannot be read: {error}"


def _match_problems(database: Database) -> Iterator[str]:
    query = """SELECT owner, name, pair_count,
        (SELECT COUNT(*) FROM match_pair WHERE match_pair.collection_id = match_collection.collection_id)
        FROM match_collection WHERE owner IS NOT NULL"""
    for owner, name, count, pairs in database.connection.execute(query):
        if count != pairs:
            yield f"collection {owner}/{name} holds {pairs} pairs, but its count says {count}"


def _check(options: argparse.Namespace) -> int:
    found = 0
    for problem in problems_of(options.store):
        found += 1
        if found > _MOST_PROBLEMS:
            logger.error("more than %d problems; the others are not shown", _MOST_PROBLEMS)
            break
        logger.error("%s", problem)
    if not found:
        logger.info("%s is sound", options.store)
    return 1 if found else 0


def _compact(options: argparse.Namespace) -> int:
    before, after = compact(options.store)
    logger.info("%s: %.1f MB before, %.1f MB now", options.store, before / 1e6, after / 1e6)
    return 0


def _export(options: argparse.Namespace) -> int:
    from rendermodules.render_ws.migration import Choice, export_projects

    choice = Choice(options.owner, options.project, options.stack, options.collection, not options.no_matches)
    export_projects(options.source, options.folder, choice)
    return 0


def _import(options: argparse.Namespace) -> int:
    from rendermodules.render_ws.migration import import_projects

    import_projects(options.folder, options.target)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rendermodules store", description="Look after a store, or move projects between services as JSON."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="look for damage; exit status 1 when there is any")
    check.add_argument("store", type=Path)
    check.set_defaults(action=_check)
    small = actions.add_parser("compact", help="make the file as small as it can be")
    small.add_argument("store", type=Path)
    small.set_defaults(action=_compact)
    out = actions.add_parser("export", help="write stacks and matches as the JSON of Java Render")
    out.add_argument("source", help="a store, or the address of a service such as http://server:8080")
    out.add_argument("folder", type=Path, help="where to write; it must not exist or be empty")
    out.add_argument("--owner", help="only what this owner has")
    out.add_argument("--project", help="only stacks of this project")
    out.add_argument("--stack", action="append", help="only this stack; may be repeated")
    out.add_argument("--collection", action="append", help="only this match collection; may be repeated")
    out.add_argument("--no-matches", action="store_true", help="only stacks")
    out.set_defaults(action=_export)
    back = actions.add_parser("import", help="read what export has written")
    back.add_argument("folder", type=Path)
    back.add_argument("target", help="a store, or the address of a service")
    back.set_defaults(action=_import)
    return parser


if __name__ == "__main__":
    sys.exit(main())
