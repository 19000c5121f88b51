"""HTML and SVG from plain values: everything that is not markup itself is escaped."""

import html
from collections.abc import Iterable
from typing import Any


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element.

    Parameters
    ----------
    tag : str
    *children
        Markup, text, numbers, or lists of them; None is left out.
    **attributes
        ``class_`` stands for ``class``, and ``_`` for ``-`` elsewhere. None and False are left out, True is a name
        without a value.
    """
    opening = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    inside = "".join(_flat(children))
    return Markup(f"<{opening}>{inside}</{tag}>" if inside or tag not in _EMPTY else f"<{opening}>")


_EMPTY = frozenset({"img", "meta", "br"})


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def _flat(children: Iterable[Any]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, (list, tuple)):
            yield from _flat(child)
        else:
            yield html.escape(str(child))


def table(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Markup:
    """Return a table; cells are children of their elements, or elements ``th`` and ``td`` themselves."""
    return element(
        "table",
        element("thead", element("tr", [_cell(cell, "th") for cell in head])),
        element("tbody", [element("tr", [_cell(cell, "td") for cell in row]) for row in rows]),
    )


def _cell(cell: Any, tag: str) -> Markup:
    return cell if isinstance(cell, Markup) and cell.startswith(f"<{tag}") else element(tag, cell)
