"""Tables of text or numbers, whose cells are read column by column with everything wrong noted."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rendermodules.core.problems import InputError, Problems, listed


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes
    ----------
    source : str
        The table in words, such as the name of its file.
    columns : dict of str to list
        Cells by the name of their column; text as in a file, or JSON values.
    places : list of str
        Each row in words: ``line 7``.
    """

    source: str
    columns: Mapping[str, Sequence[Any]]
    places: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def require(self, *names: str) -> None:
        """Raise an `InputError` that says which of the columns are missing."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise InputError(
                f"{self.source}: there is no column {listed(missing)}; there are {listed(list(self.columns), 40)}"
            )

    def texts(self, name: str) -> list[str | None]:
        """Return a column as text without blanks at its ends; empty cells, and those of no such column, are None."""
        return self._cells(name, str)

    def filled_texts(self, name: str) -> list[str]:
        """Return a column as text; raise an `InputError` when there is no such column, or which cells are empty."""
        self.require(name)
        texts = self.texts(name)
        problems = Problems(self.source)
        for place, text in zip(self.places, texts, strict=True):
            if text is None:
                problems.add(f"{name} is empty", place)
        problems.raise_if_any()
        return [text or "" for text in texts]

    def numbers(self, name: str, problems: Problems, *, filled: bool = False) -> list[float | None]:
        """Return a column as finite numbers; what is none is noted and None, empty cells with ``filled`` as well."""
        return self._cells(name, _finite, problems, "is not a number", filled)

    def integers(self, name: str, problems: Problems, *, filled: bool = False) -> list[int | None]:
        """Return a column as whole numbers; what is none is noted and None, empty cells with ``filled`` as well."""
        return self._cells(name, _whole, problems, "is not a whole number", filled)

    def selected(self, keep: Sequence[bool]) -> "Table":
        """Return the table with those rows only for which ``keep`` is true."""

        def kept(values: Sequence[Any]) -> list[Any]:
            return [value for value, wanted in zip(values, keep, strict=True) if wanted]

        return Table(self.source, {name: kept(values) for name, values in self.columns.items()}, kept(self.places))

    def _cells(
        self,
        name: str,
        convert: Callable[[str], Any],
        problems: Problems | None = None,
        complaint: str = "",
        filled: bool = False,
    ) -> list[Any]:
        if name not in self.columns:
            return [None] * len(self)
        cells: list[Any] = []
        for place, value in zip(self.places, self.columns[name], strict=True):
            text = "" if value is None else str(value).strip()
            cell = None
            try:
                cell = convert(text) if text else None
            except ValueError:
                if problems is None:
                    raise
                problems.add(f"{name} {complaint}", f"{place} ({text!r})")
            if filled and not text and problems is not None:
                problems.add(f"{name} is empty", place)
            cells.append(cell)
        return cells


def renamed_columns(table: Table, synonyms: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> Table:
    """Return the table with its columns called by our names where they are recognised.

    Parameters
    ----------
    table : Table
        The table as it is in the file.
    synonyms : dict of str to list of str
        Our name to what the column may be called; case, blanks, ``_`` and ``-`` make no difference.
    chosen : dict of str to str
        Our name to the column that it shall be, which goes before ``synonyms``.

    Raises
    ------
    InputError
        A chosen column is not there.
    """
    table.require(*chosen.values())
    taken = set(chosen.values())
    plain = {_plain(name): name for name in reversed(list(table.columns)) if name not in taken}
    columns = {ours: table.columns[theirs] for ours, theirs in chosen.items()}
    for ours, spellings in synonyms.items():
        found = next((plain[_plain(spelling)] for spelling in spellings if _plain(spelling) in plain), None)
        if ours not in columns and found is not None:
            columns[ours] = table.columns[found]
            taken.add(found)
    others = {name: values for name, values in table.columns.items() if name not in taken and name not in columns}
    return Table(table.source, {**columns, **others}, table.places)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in " _-")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    value = _finite(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)
