"""``python -m rendermodules.render_ws``: serve a store over HTTP."""

import argparse
import ipaddress
import logging
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.log_lines import log_to_standard_error
from rendermodules.render_ws.settings import MEBIBYTE, Limits, Settings

SHORTEST_TOKEN = 16

logger = logging.getLogger("rendermodules.render_ws")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a store; return the exit status: 0 stopped, 1 cannot serve. Bad options exit with 2."""
    parser = _parser()
    options = parser.parse_args(argv)
    log_to_standard_error()
    remote = not _is_loopback(options.host)
    if remote and not (options.allow_remote and options.token_file):
        parser.error(f"to listen on {options.host}, say --allow-remote and give a --token-file")
    from rendermodules.render_ws.server import Listening, serve

    try:
        settings = Settings(
            store=options.store.absolute(),
            strict=options.strict,
            image_roots=(str(options.store.absolute().parent), *options.image_root),
            token=None if options.token_file is None else _token(options.token_file),
            host_names=None if options.token_file else tuple(name.lower() for name in options.host_name),
            limits=Limits(
                body_bytes=options.max_body_mb * MEBIBYTE,
                image_pixels=options.max_image_megapixels * 1_000_000,
                decoded_pixels=options.max_decoded_megapixels * 1_000_000,
                tiles=options.max_tiles,
                rendered_tiles=options.max_rendered_tiles,
            ),
            access_log=options.access_log or ("-" if remote else None),
        )
        listening = Listening(options.host, options.port, options.processes, options.threads)
        serve(settings, listening, ready=lambda url: _announce(url, settings))
    except (ServiceError, OSError) as error:
        logger.error("%s", error)  # noqa: TRY400
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="rendermodules serve", description="Serve an embedded store as a Render web service."
    )
    parser.add_argument("--store", type=Path, required=True, help="the store file; made when it does not exist")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--image-root",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder, or a URL such as s3://bucket/images, below which images may be read; may be repeated "
        "(the folder of the store always)",
    )
    parser.add_argument("--strict", action="store_true", help="answer as Java Render to the letter, errors too")
    parser.add_argument("--allow-remote", action="store_true", help="listen on an address that others can reach")
    parser.add_argument(
        "--token-file", type=Path, help="file with the token that clients send as 'Authorization: Bearer TOKEN'"
    )
    parser.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which clients reach the service without a token, such as that of a proxy; may be repeated "
        "(addresses and localhost always do)",
    )
    parser.add_argument(
        "--access-log",
        metavar="FILE",
        help="write one JSON object for each request; - is standard error (default: - with --allow-remote, else none)",
    )
    parser.add_argument("--processes", type=int, default=1, help="worker processes (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="threads of each process (default: %(default)s)")
    parser.add_argument("--max-body-mb", type=int, default=limits.body_bytes // MEBIBYTE, help=_limit("MiB of a body"))
    parser.add_argument(
        "--max-image-megapixels",
        type=int,
        default=limits.image_pixels // 1_000_000,
        help=_limit("million pixels of an image that is drawn"),
    )
    parser.add_argument(
        "--max-decoded-megapixels",
        type=int,
        default=limits.decoded_pixels // 1_000_000,
        help=_limit("million pixels of an image that is read"),
    )
    parser.add_argument("--max-tiles", type=int, default=limits.tiles, help=_limit("tile specs in an answer"))
    parser.add_argument(
        "--max-rendered-tiles", type=int, default=limits.rendered_tiles, help=_limit("tiles drawn into an image")
    )
    return parser


def _limit(what: str) -> str:
    return f"most {what} (default: %(default)s)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(path: Path) -> str:
    token = path.read_text().strip()
    if len(token) < SHORTEST_TOKEN:
        raise ServiceError(f"the token in {path} has fewer than {SHORTEST_TOKEN} characters")
    if not (token.isascii() and token.isprintable()):
        raise ServiceError(f"the token in {path} must be one line of ASCII characters, for it is sent in a header")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("others on this machine can read the token file %s: chmod 600 it", path)
    return token


def _announce(url: str, settings: Settings) -> None:
    from rendermodules.render_ws.routing import PREFIX

    logger.info("serving %s at %s%s", settings.store, url, PREFIX)
    logger.info("to look at it, open %s/", url)


if __name__ == "__main__":
    sys.exit(main())
