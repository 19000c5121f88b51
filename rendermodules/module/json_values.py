"""Values as plain JSON."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def plain_json(value: Any) -> Any:
    """Return a value as dicts, lists, strings, numbers, booleans and None.

    NumPy arrays and numbers, paths, tuples, sets and dataclasses are understood; numbers
    that JSON cannot say (NaN, infinity) become None.

    Raises
    ------
    TypeError
        Something else is in it.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(plain_json(key)): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain_json(item) for item in value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_json({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if hasattr(value, "tolist"):
        return plain_json(value.tolist())
    raise TypeError(f"{type(value).__name__} has no form in JSON")
