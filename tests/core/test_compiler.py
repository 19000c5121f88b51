import subprocess
import sys


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
