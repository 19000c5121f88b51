from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rendermodules.module.json_values import plain_json


@dataclass
class Point:
    x: float
    y: np.ndarray


def test_numpy_paths_and_dataclasses():
    value = {
        1: np.float32(0.5),
        "a": np.arange(3),
        "p": Path("x/y"),
        "d": Point(1.0, np.zeros(1)),
        "s": {2, 1},
        "b": np.bool_(True),
    }
    assert plain_json(value) == {
        "1": 0.5,
        "a": [0, 1, 2],
        "p": "x/y",
        "d": {"x": 1.0, "y": [0.0]},
        "s": [1, 2],
        "b": True,
    }


def test_what_json_cannot_say_becomes_none():
    assert plain_json([float("nan"), np.inf, np.array([np.nan, 1])]) == [None, None, [None, 1]]


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="object"):
        plain_json({"a": object()})
