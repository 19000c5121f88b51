"""``python -m rendermodules.render_ws.clients HEAP CLASS [options]``: run a client under its Java name."""

import logging
import re
import sys
from collections.abc import Sequence

from rendermodules.render_ws.clients.arguments import Client, UsageError, parsed, usage
from rendermodules.render_ws.clients.registry import UnknownClient, client_named, known_clients
from rendermodules.render_ws.errors import ServiceError

logger = logging.getLogger("rendermodules.render_ws.clients")

_HEAP = re.compile(r"[0-9]+(\.[0-9]+)?[kKmMgGtT]?")
_FORM = "usage: run_ws_client.sh HEAP CLASS [options]\n"
_ABOUT = """HEAP (such as 1G) is for Java's sake and has no effect. CLASS is one of these, whose options --help tells:
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a client; return its exit status: 0, or 1 when it failed or did not understand its command line."""
    words = list(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if words[:1] in (["--help"], ["-h"]):
        sys.stdout.write(_FORM + _ABOUT + "".join(f"  {name}\n" for name in known_clients()))
        return 0
    if len(words) < 2 or not _HEAP.fullmatch(words[0]):
        sys.stderr.write(_FORM)
        return 1
    try:
        client = client_named(words[1])
    except UnknownClient as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if "--help" in words[2:]:
        sys.stdout.write(usage(client, words[1]))
        return 0
    return _run(client, words[1], words[2:])


def _run(client: Client, name: str, words: Sequence[str]) -> int:
    try:
        options, idle = parsed(client, words)
        for option in idle:
            logger.warning("--%s has no effect", option)
        client.run(options)
    except UsageError as error:
        sys.stderr.write(f"{usage(client, name)}\nerror: {error}\n")
        return 1
    # bad input and files that cannot be read or drawn are ValueError and OSError
    except (ServiceError, OSError, ValueError) as error:
        logger.debug("where it happened", exc_info=True)
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
