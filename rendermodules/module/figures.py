"""Figures for people, drawn by Matplotlib, which is loaded when there is one to draw."""

from pathlib import Path
from typing import Any

from rendermodules.io.files import written_whole
from rendermodules.module.errors import RenderModuleError

FORMATS = ["png", "pdf", "svg"]
"""Kinds of files that figures are written as."""


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of so many inches; threads may each draw their own.

    Raises
    ------
    RenderModuleError
        Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise RenderModuleError("figures need Matplotlib: pip install 'rendermodules[plots]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def write_figure(figure: Any, path: str | Path, dpi: float) -> None:
    """Write a figure in the format that the name asks for, whole or not at all."""
    with written_whole(path) as temporary:
        # no time of writing, so that the same figure gives the same bytes
        metadata = {"Software": None} if temporary.suffix == ".png" else {"Date": None}
        if temporary.suffix == ".pdf":
            metadata = {"CreationDate": None}
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
