"""The start of the compiler that makes and reads the kernels."""

import atexit
import gc
import os
import shutil
import tempfile
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
            _call_something_compiled()
        finally:
            if collects:
                gc.enable()
        atexit.register(gc.freeze)
        _started = True


def _call_something_compiled() -> None:
    """Have the compiler load what it loads before the first call, even of what was compiled long ago."""
    import numba

    try:
        compiled = numba.njit(cache=True)(_nothing)
    except RuntimeError:
        # neither the package nor a home can be written to, as in containers: kernels are compiled for this process
        folder = tempfile.mkdtemp(prefix="rendermodules-kernels-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["NUMBA_CACHE_DIR"] = folder
        numba.config.reload_config()
        compiled = numba.njit(cache=True)(_nothing)
    compiled()


def _nothing() -> None:
    """Do nothing."""
