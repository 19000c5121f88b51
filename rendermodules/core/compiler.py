"""The start of the compiler that makes and reads the kernels."""

import atexit
import gc
import threading

_lock = threading.Lock()
_started = False


def start_compiler() -> None:
    """Load numba as far as every kernel needs it, which takes about 0.45 s of CPU; nothing if that has been done.

    To import a kernel and call it does the same. Here Python's garbage collector rests meanwhile, which saves a fifth,
    and leaves the loaded objects alone when the process ends, which saves 0.2 s: there are 150,000 of them.
    """
    global _started
    with _lock:
        if _started:
            return
        collects = gc.isenabled()
        gc.disable()
        try:
            import numba

            # most is loaded by the first call of something compiled, even if that is read from a file
            numba.njit(cache=True)(_nothing)()
        finally:
            if collects:
                gc.enable()
        atexit.register(gc.freeze)
        _started = True


def _nothing() -> None:
    """Do nothing."""
