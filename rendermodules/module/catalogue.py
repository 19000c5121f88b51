"""The modules that there are, read off their files without importing them."""

import ast
import difflib
import functools
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rendermodules
from rendermodules.module.errors import RenderModuleError


@dataclass(frozen=True)
class ModuleEntry:
    """One module.

    Attributes
    ----------
    area : str
        Its package: ``stack``.
    name : str
        Its file: ``apply_transform_to_stack``.
    class_name : str
        Its class: ``ApplyTransformToStack``.
    summary : str
        First line of the class's docstring.
    """

    area: str
    name: str
    class_name: str
    summary: str

    @property
    def path(self) -> str:
        """Area and name with a dot, as on the command line."""
        return f"{self.area}.{self.name}"

    def load(self) -> Any:
        """Return the class."""
        return getattr(importlib.import_module(f"rendermodules.{self.path}"), self.class_name)


@functools.cache
def modules() -> tuple[ModuleEntry, ...]:
    """Return all modules, by area and name; their files are read once in a process.

    A module is a file of an area that ends in ``raise SystemExit(Class.main())``.
    """
    root = Path(rendermodules.__file__).parent
    entries = []
    for file in sorted(root.glob("*/*.py")):
        text = file.read_text(encoding="utf-8")
        if "\n    raise SystemExit(" in text:
            entries.append(_entry(file.parent.name, file.stem, ast.parse(text)))
    return tuple(entries)


def area_summary(area: str) -> str:
    """Return the first line of the docstring of an area."""
    file = Path(rendermodules.__file__).parent / area / "__init__.py"
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n")[0]


def find_module(name: str) -> ModuleEntry:
    """Return the module called ``area.name``, or ``name`` where only one is called so.

    Raises
    ------
    RenderModuleError
        There is none, or several; the message names the nearest.
    """
    wanted = name.removeprefix("rendermodules.")
    everything = modules()
    found = [entry for entry in everything if wanted in (entry.path, entry.name, entry.class_name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RenderModuleError(f"several modules are called {name}: {', '.join(entry.path for entry in found)}")
    known = [entry.path for entry in everything] + [entry.name for entry in everything]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}?" if near else "rendermodules list shows them all"
    raise RenderModuleError(f"no module is called {name}; {advice}")


def _entry(area: str, name: str, tree: ast.Module) -> ModuleEntry:
    wanted = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == wanted:
            return ModuleEntry(area, name, node.name, (ast.get_docstring(node) or "").split("\n")[0])
    raise RenderModuleError(f"{area}/{name}.py has no class {wanted}")
