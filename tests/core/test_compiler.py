import os
import shutil
import subprocess
import sys
from pathlib import Path

from rendermodules.core import compiler


def test_it_is_started_once_and_leaves_the_collector_as_it_was():
    script = """
import gc, sys
from rendermodules.core.compiler import start_compiler
assert "numba" not in sys.modules
gc.disable()
start_compiler()
assert not gc.isenabled()
assert "numba.core.registry" in sys.modules
loaded = set(sys.modules)
gc.enable()
start_compiler()
assert gc.isenabled()
assert set(sys.modules) == loaded
from rendermodules.core.halving_kernels import mean_halved
import numpy as np
assert mean_halved(np.full((4, 6), 7, np.uint8)).tolist() == [[7] * 3] * 2
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_where_nothing_can_be_kept_kernels_are_compiled_for_the_process(tmp_path):
    """As in a container: the package is read-only, and the user has no home."""
    package = Path(compiler.__file__).parents[1]
    for name in ("__init__.py", "core/__init__.py", "core/compiler.py", "core/halving_kernels.py"):
        copy = tmp_path / "rendermodules" / name
        copy.parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(package / name, copy)
        (copy.parent / "__pycache__").touch()
    script = """
import os
from rendermodules.core.compiler import start_compiler
start_compiler()
import numpy as np
from rendermodules.core.halving_kernels import mean_halved
assert mean_halved(np.full((4, 6), 7, np.uint8)).tolist() == [[7] * 3] * 2
print(os.environ["NUMBA_CACHE_DIR"])
"""
    places = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache", "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **places}, cwd=tmp_path, check=True, stdout=subprocess.PIPE
    )
    assert not Path(run.stdout.decode().strip()).exists()
