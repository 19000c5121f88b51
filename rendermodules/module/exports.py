"""Names of an area that import their module only when somebody asks for them."""

import importlib
from collections.abc import Callable
from typing import Any


def lazy_exports(area: str, modules: dict[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for the ``__init__`` of an area.

    An ``__init__`` that imported its modules would load the one that ``python -m`` runs
    twice, and would make every module pay for what its neighbours import (PEP 562).

    Parameters
    ----------
    area : str
        Dotted name of the package, its ``__name__``.
    modules : dict of str to str
        Class to the module file that holds it.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {area!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{area}.{modules[name]}"), name)

    return get, lambda: sorted(modules), sorted(modules)
