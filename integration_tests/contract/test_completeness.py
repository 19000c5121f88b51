"""That nothing of render-python is left out of this folder."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import renderapi

MODULES = (
    renderapi.coordinate,
    renderapi.image,
    renderapi.pointmatch,
    renderapi.render,
    renderapi.resolvedtiles,
    renderapi.stack,
    renderapi.tilespec,
)
OF_THE_JAVA_CLIENTS = re.compile(r"\w+_clientside|connect")


def functions() -> Iterator[str]:
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and "render" in inspect.signature(function).parameters:
                yield f"{module.__name__.removeprefix('renderapi.')}.{name}"


def test_every_function_of_render_python_is_called() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    missing = [
        name
        for name in functions()
        if not OF_THE_JAVA_CLIENTS.fullmatch(name.partition(".")[2])
        and not re.search(rf"\b{name.partition('.')[2]}\(", tests)
    ]
    assert list(functions())
    assert missing == []
