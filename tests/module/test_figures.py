import builtins

import pytest

from rendermodules.module.errors import RenderModuleError
from rendermodules.module.figures import FORMATS, new_figure, write_figure


@pytest.mark.parametrize("format", FORMATS)
def test_figures_are_written_the_same_each_time(tmp_path, format):
    contents = []
    for name in ("a", "b"):
        figure = new_figure(2, 1)
        figure.subplots().plot([0, 1], [1, 0])
        write_figure(figure, tmp_path / f"{name}.{format}", 50)
        contents.append((tmp_path / f"{name}.{format}").read_bytes())
    assert len(contents[0]) > 100
    if format == "png":
        assert contents[0] == contents[1]


def test_without_the_library(monkeypatch):
    original = builtins.__import__

    def missing(name, *arguments, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(RenderModuleError, match=r"pip install 'rendermodules\[plots\]'"):
        new_figure(1, 1)
