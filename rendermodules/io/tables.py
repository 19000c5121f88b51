"""Tables in CSV, TSV and JSON files."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rendermodules.core.problems import InputError, Problems
from rendermodules.core.tables import Table
from rendermodules.io.files import write_bytes_whole

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(E[+-]?\d+)?\s*", re.IGNORECASE)


def read_table(path: str | Path) -> tuple[Table, dict[str, Any]]:
    """Return the table in a file, and what else a JSON file says beside it.

    Parameters
    ----------
    path : path
        ``.json``: a list of objects, or an object with such a list under ``tiles`` or ``images``.
        Anything else: a first line with names and one line a row, separated by tabs, semicolons or commas,
        whichever the first line has most of. Where it is not commas, numbers may have a decimal comma.

    Raises
    ------
    InputError
        The file is no such table, or has rows of another length.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from None
    return _json_table(path, text) if path.suffix.lower() == ".json" else (_separated_table(path, text), {})


def write_table(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV: a first line with the names of the first row's cells, and one line a row, None as nothing.

    Raises
    ------
    ValueError
        A row has a cell that the first has not.
    OSError
        The file cannot be written; what was there before is unchanged.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    write_bytes_whole(path, text.getvalue().encode())


def _separated_table(path: Path, text: str) -> Table:
    first_line = text.split("\n", 1)[0]
    if not first_line.strip():
        raise InputError(f"{path}: the first line, which names the columns, is empty")
    delimiter = max("\t;,", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{path}: several columns are called {', '.join(repeated)}")
    problems = Problems(str(path))
    rows, places = [], []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            problems.add(f"not {len(names)} cells as in the first line", f"line {reader.line_num} ({len(row)})")
            continue
        rows.append(row if delimiter == "," else [_with_decimal_point(cell) for cell in row])
        places.append(f"line {reader.line_num}")
    problems.raise_if_any()
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return Table(str(path), dict(zip(names, columns, strict=True)), places)


def _with_decimal_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _json_table(path: Path, text: str) -> tuple[Table, dict[str, Any]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    rest: dict[str, Any] = {}
    rows = content
    if isinstance(content, dict):
        key = next((key for key in ("tiles", "images") if isinstance(content.get(key), list)), None)
        rows = content[key] if key else None
        rest = {name: value for name, value in content.items() if name != key}
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f'{path}: neither a list of objects nor an object with such a list under "tiles" or "images"')
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Table(str(path), columns, [f"entry {index}" for index in range(1, len(rows) + 1)]), rest
