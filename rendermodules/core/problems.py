"""What is wrong with an input, collected so that all of it is said at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class InputError(ValueError):
    """An input cannot be used; the message says everything that is wrong with it."""


class Problems:
    """Collects what is wrong with one input and where.

    Parameters
    ----------
    source : str
        The input in words: the name of a file or folder.
    limit : int, default: 20
        So many places are named of each kind of problem; the others are counted.
    """

    def __init__(self, source: str, limit: int = 20) -> None:
        self.source = source
        self.limit = limit
        self._places: dict[str, dict[str, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._places)

    def __str__(self) -> str:
        kinds = (f"{kind}: {listed(list(places), self.limit)}" for kind, places in self._places.items())
        return f"{self.source}: {'; '.join(kinds)}"

    def add(self, kind: str, place: str) -> None:
        """Note one place (``row 7``), once, where something of a kind (``the image does not exist``) is wrong."""
        self._places.setdefault(kind, {})[place] = None

    def raise_if_any(self) -> None:
        """Raise an `InputError` that says all of it; nothing happens when nothing is wrong."""
        if self:
            raise InputError(str(self))


def results_of_all(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return ``function(item)`` of all items.

    Raises
    ------
    InputError
        The function has raised it for some; the message says what is wrong with all of them.
    """
    results: list[Result] = []
    messages: list[str] = []
    for item in items:
        try:
            results.append(function(item))
        except InputError as error:
            messages.append(str(error))
    if messages:
        raise InputError("; ".join(messages))
    return results


def listed(values: Sequence[object], limit: int = 20) -> str:
    """Return values with commas, of many the first ``limit`` and how many more there are."""
    text = ", ".join(map(str, values[:limit]))
    return text if len(values) <= limit else f"{text} and {len(values) - limit} more"
