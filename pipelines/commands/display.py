"""How commands show text, times and tables to people: at any width, in a pipe, and where nobody looks.

On a terminal lines are broken between words, and a table that is wider than it is shown row by row. Elsewhere
nothing is broken: programs read lines.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

#: Seconds of each unit, the largest first, and what it is called.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def width() -> int | None:
    """Columns of the terminal, or as many as COLUMNS says; None where the output is no terminal."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()):
        return None
    return shutil.get_terminal_size().columns


def lines(text: str, indent: str = "") -> str:
    """The text, indented; on a terminal broken between words, never within one such as an address."""
    columns = width()
    if columns is None:
        return textwrap.indent(text, indent)
    return "\n".join(
        textwrap.fill(
            line,
            max(columns, 20),
            initial_indent=indent,
            subsequent_indent=indent + " " * (len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )


def table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Lines under titles, each column as wide as it must be; row by row where a terminal is too narrow."""
    if not fits(titles, cells):
        return "\n\n".join(
            "\n".join(
                lines(f"{title}: {cell}", indent="  " if number else "")
                for number, (title, cell) in enumerate(zip(titles, row, strict=True))
                if cell
            )
            for row in cells
        )
    widths = _widths(titles, cells)
    return "\n".join(
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip()
        for row in (titles, *cells)
    )


def fits(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Whether a table is no wider than the terminal; always where there is none."""
    widths, columns = _widths(titles, cells), width()
    return columns is None or sum(widths) + 2 * (len(widths) - 1) <= columns


def _widths(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(titles, *cells, strict=True)]


def minute(time: datetime | None) -> str:
    """A time in UTC, to the minute; empty for None."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" if time else ""


def duration(length: timedelta) -> str:
    """In the two largest units that count: `45 s`, `3 min 5 s`, `2 h`, `3 d 4 h`."""
    left, parts = max(round(length.total_seconds()), 0), []
    for seconds, unit in _UNITS:
        number, left = divmod(left, seconds)
        parts.append((number, unit))
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    shown = [f"{number} {unit}" for number, unit in parts[first : first + 2] if number]
    return " ".join(shown) or "0 s"
