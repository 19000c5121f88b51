"""The layers of the package, read off its imports."""

import ast
import functools
from pathlib import Path

import pytest

import rendermodules

ROOT = Path(rendermodules.__file__).parent
LAYERS = ("core", "io", "module", "render_ws", "command")
AREAS = sorted(
    folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name not in LAYERS
)

ALLOWED = {
    "core": {"core"},
    "io": {"core", "io"},
    "render_ws": {"core", "io", "render_ws"},
    "module": {"core", "io", "module"},
    "command": {"core", "io", "module", "render_ws", "command"},
}
CORE_LIBRARIES = {"numpy", "scipy", "cv2", "numba", "shapely", "networkx", "skimage", "threadpoolctl"}
FILES = sorted(ROOT.rglob("*.py"))


@functools.cache
def imports(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def layer(file: Path) -> str:
    parts = file.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else "top"


def own(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "rendermodules" and len(parts) > 1 and (ROOT / parts[1]).is_dir() else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_layers(file: Path) -> None:
    here = layer(file)
    if here == "top":
        return
    allowed = ALLOWED.get(here, {"core", "io", "module", here})
    # the one door from the frame to the embedded service
    if file == ROOT / "module" / "connection.py":
        allowed = allowed | {"render_ws"}
    used = {own(name) for name in imports(file)} - {None}
    assert used <= allowed, f"{file.relative_to(ROOT)} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("file", [f for f in FILES if layer(f) == "core"], ids=lambda file: file.name)
def test_core_computes_only(file: Path) -> None:
    import sys

    used = {name.split(".")[0] for name in imports(file)} - {"rendermodules"} - set(sys.stdlib_module_names)
    assert used <= CORE_LIBRARIES
    assert not {name.split(".")[0] for name in imports(file)} & {
        "logging",
        "socket",
        "urllib",
        "subprocess",
        "multiprocessing",
    }


@pytest.mark.parametrize("file", [f for f in FILES if layer(f) in AREAS], ids=lambda file: str(file.relative_to(ROOT)))
def test_modules_of_an_area_do_not_import_each_other(file: Path) -> None:
    assert not [name for name in imports(file) if name.startswith(f"rendermodules.{file.parent.name}.")]


def test_argschema_is_known_to_the_frame_only() -> None:
    users = {layer(file) for file in FILES if any(name.split(".")[0] == "argschema" for name in imports(file))}
    assert users == {"module"}


def test_sql_is_in_the_store_only() -> None:
    users = {file.parent.name for file in FILES if any(name.split(".")[0] == "sqlite3" for name in imports(file))}
    assert users <= {"store"}


def test_processes_and_clusters_are_started_in_one_place() -> None:
    starters = ("multiprocessing", "concurrent.futures.ProcessPoolExecutor", "distributed", "dask")
    users = {file.name for file in FILES if any(name.startswith(starters) for name in imports(file))}
    assert users <= {"executors.py"}


def test_no_drawers() -> None:
    assert not [file for file in FILES if file.stem in ("utils", "util", "common", "helpers", "misc")]
