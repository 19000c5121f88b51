"""Who made what of what: the record that each run leaves behind."""

import datetime
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from renderapi.render import Render

import rendermodules
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.stacks import stack_metadata

IRRELEVANT_PARAMETERS = frozenset(
    {
        "input_json",
        "output_json",
        "log_level",
        "log_json",
        "dry_run",
        "resume",
        "pool_size",
        "pool_kind",
        "dask_scheduler",
        "cluster",
    }
)
"""Parameters on which no result depends."""


def now() -> str:
    """Return the time in UTC as ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def relevant_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a result depends on, those that were not given left out."""
    return {key: value for key, value in parameters.items() if key not in IRRELEVANT_PARAMETERS and value is not None}


def input_stacks(parameters: Mapping[str, Any]) -> list[str]:
    """Return the stacks that parameters called ``stacks``, ``…_stack`` or ``…_stacks`` name, outputs excepted.

    An element of a list is a name, or an object with the name as its ``stack``.
    """
    names: set[str] = set()
    for key, value in parameters.items():
        if key.startswith("output_") or value is None:
            continue
        if key.endswith("_stack") and isinstance(value, str):
            names.add(value)
        elif (key == "stacks" or key.endswith("_stacks")) and isinstance(value, list):
            names.update(one["stack"] if isinstance(one, Mapping) and "stack" in one else one for one in value)
    return sorted(name for name in names if isinstance(name, str))


def stack_versions(render: Render, names: Iterable[str]) -> dict[str, Any]:
    """Return version, time and state of those of the stacks that exist."""
    versions: dict[str, Any] = {}
    for name in names:
        try:
            stack = stack_metadata(render, name)
        except RenderModuleError:
            continue
        versions[name] = {key: stack.get(key) for key in ("currentVersionNumber", "lastModifiedTimestamp", "state")}
    return versions


def provenance(module: str, parameters: Mapping[str, Any], inputs: Mapping[str, Any], started: str) -> dict[str, Any]:
    """Return the record of a run as plain JSON values."""
    return {
        "module": module,
        "version": rendermodules.__version__,
        "python": platform.python_version(),
        "render_python": metadata.version("render-python"),
        "parameters": relevant_parameters(parameters),
        "inputs": dict(inputs),
        "started": started,
    }
