"""Tables and ranges as text."""

from collections.abc import Iterable, Sequence


def z_range(z_values: Sequence[float]) -> str:
    """Return ``first to last`` of ascending z values."""
    if not z_values:
        return ""
    return f"{z_values[0]:g}" if len(z_values) == 1 else f"{z_values[0]:g} to {z_values[-1]:g}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Return the lines of a table in columns; a column in which nothing stands is left out."""
    used = [index for index in range(len(head)) if any(row[index] for row in rows)]
    widths = [max(len(row[index]) for row in (head, *rows)) for index in used]
    for row in (head, *rows):
        yield "  ".join(row[index].ljust(width) for index, width in zip(used, widths, strict=True)).rstrip()
