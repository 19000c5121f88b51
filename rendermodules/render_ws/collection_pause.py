"""A pause of Python's cyclic garbage collection while many objects are made that hold no cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Pauses:
    """How many blocks pause the collection now, and whether to switch it on behind the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.was_enabled = False


_pauses = _Pauses()


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the collection during the block; several threads may do so at a time.

    Requests with thousands of tiles make so many objects that the collector goes through all
    of them again and again, a fifth of the time, to find that there is nothing to collect.
    """
    with _pauses.lock:
        if _pauses.count == 0:
            _pauses.was_enabled = gc.isenabled()
            gc.disable()
        _pauses.count += 1
    try:
        yield
    finally:
        with _pauses.lock:
            _pauses.count -= 1
            if _pauses.count == 0 and _pauses.was_enabled:
                gc.enable()
