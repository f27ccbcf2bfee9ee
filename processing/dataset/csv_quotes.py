"""The quotes of a CSV: whether they are as RFC 4180 has them, and where not, what they mean.

Most files are told by a look at what stands beside each quote. Only where that is not enough are rows read
one by one, in every way that quotes are written: as the one that reads all rows, if there is just one.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from processing.dataset import kinds
from processing.dataset.csv_header import SEPARATORS
from processing.dataset.findings import shortened
from processing.dataset.jsonlines import BLOCK_BYTES
from processing.errors import JobError
from processing.words import counted

CHUNK_BYTES = 4 << 20
QUOTE = ord('"')


@dataclass(frozen=True)
class Fault:
    """What is wrong with the first row that cannot be read: the kind, and a sentence's end."""

    kind: kinds.Kind
    problem: str


def regular(data: bytes, start: int, separator: str) -> bool:
    """Whether every field is quoted whole or not at all, and quotes inside quotes are doubled.

    Quotes by turns open and close, if that is so; what opens stands at a field's begin and what closes at its
    end, or both are the two of a doubled one.
    """
    if data.find(b'"', start) < 0:
        return True
    beside = b'"\r\n' + separator.encode()
    octets = np.frombuffer(data, np.uint8)
    opened = 0
    for begin in range(start, len(data), CHUNK_BYTES):
        at = np.flatnonzero(octets[begin : begin + CHUNK_BYTES] == QUOTE) + begin
        opening, closing = at[opened::2], at[1 - opened :: 2]
        if opening.size and opening[0] == start:
            opening = opening[1:]
        if closing.size and closing[-1] == len(data) - 1:
            closing = closing[:-1]
        neighbours = octets[opening - 1].tobytes() + octets[closing + 1].tobytes()
        if neighbours.translate(None, beside):
            return False
        opened = (opened + at.size) % 2
    return not opened


def decide(data: bytes, start: int, separator: str, width: int, name: str, stated: str | None) -> str:
    """How quotes are written inside quotes: `doubled` or `backslash` (doubled ones then mean the same).

    Args:
        data: the text, UTF-8.
        start: where its first row begins.
        separator: of the fields.
        width: fields of each row.
        name: the file's, for errors.
        stated: what the codebook says, or None.

    Raises:
        BadData: rows cannot be read in either way, not in the stated one, or differ by the way.
    """
    both = ["doubled", "backslash"] if b'\\"' in data else ["doubled"]
    ways = [stated] if stated else both
    faults = {way: fault(data, start, separator, width, way) for way in ways}
    valid = [way for way in ways if faults[way] is None]
    if not valid:
        wrong = faults[ways[0]]
        assert wrong
        raise refusal(name, wrong)
    if len(valid) > 1 and (unlike := _first_difference(data, start, separator)):
        row, doubled, backslash = unlike
        raise kinds.UNCLEAR_QUOTES.refusal(
            f"{name}, row {row}: {shortened(doubled)!r} where quotes are doubled inside quotes, "
            f"{shortened(backslash)!r} where a backslash stands before them."
        )
    return valid[0]


def refusal(name: str, wrong: Fault) -> JobError:
    """The error to raise for a row that cannot be read."""
    return wrong.kind.refusal(f"{name}, {wrong.problem}")


def fault(data: bytes, start: int, separator: str, width: int, quoting: str) -> Fault | None:
    """What is wrong with the first row that has not `width` fields, or quotes out of place."""
    number, rows = 0, _rows(data, start, separator, quoting)
    while True:
        number += 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            return _of_quotes(str(error), number)
        if row is None:
            return None
        if len(row) != width:
            return _of_width(row, number, separator, width)


def place(before: bytes, start: int, separator: str) -> str:
    """Where the last character of a text is with which a CSV begins: `the header` or `row 3`."""
    if len(before) <= start:
        return "the header"
    return f"row {sum(1 for _ in _rows(before, start, separator, 'doubled', strict=False))}"


def literal_backslashes(text: bytes, separator: str) -> bytes:
    r"""Backslashes doubled, but for those that escape a quote, a separator, a line end or a backslash.

    `C:\new` is often written as it is. A null (`\N`, as MySQL writes it) becomes an empty field.
    """
    sign = re.escape(separator.encode())
    text = re.sub(rb"(?:(?<=[%b\r\n])|\A)\\N(?=[%b\r\n]|\Z)" % (sign, sign), b"", text)
    return re.sub(rb'\\([\\"\r\n%b])|\\' % sign, lambda match: match[0] if match[1] else b"\\\\", text)


def _rows(
    data: bytes, start: int, separator: str, quoting: str, *, strict: bool = True
) -> Iterator[list[str]]:
    """The rows that are not blank, read one by one. Raises csv.Error."""
    csv.field_size_limit(BLOCK_BYTES)
    file = io.TextIOWrapper(io.BytesIO(data), "utf-8", errors="ignore", newline="")
    file.buffer.seek(start)
    lines = _lines(file)
    if quoting == "backslash":
        lines = (literal_backslashes(line.encode(), separator).decode() for line in lines)
        reader = csv.reader(lines, delimiter=separator, escapechar="\\", strict=strict)
    else:
        reader = csv.reader(lines, delimiter=separator, strict=strict)
    return (row for row in reader if row)


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    while line := file.readline(BLOCK_BYTES):
        if len(line) == BLOCK_BYTES:
            raise csv.Error("field larger than field limit")
        yield line


def _of_quotes(error: str, row: int) -> Fault:
    if "limit" in error:
        return Fault(kinds.LONG_ROW, f"row {row}, is longer than {BLOCK_BYTES >> 20} MiB.")
    if "end of data" in error:
        return Fault(kinds.BROKEN_QUOTES, f"row {row}, opens a quote that is never closed.")
    return Fault(kinds.BROKEN_QUOTES, f"row {row}, has a field that goes on after its closing quote.")


def _of_width(row: list[str], number: int, separator: str, width: int) -> Fault:
    for other in SEPARATORS:
        if len(row) == 1 and other != separator and len(next(csv.reader(row, delimiter=other), [])) == width:
            return Fault(
                kinds.UNCLEAR_SEPARATOR,
                f"row {number}, is separated by {SEPARATORS[other]}, the header by {SEPARATORS[separator]}.",
            )
    return Fault(
        kinds.BROKEN_CSV, f"row {number}, has {counted(len(row), 'field')}, the header has {width:,}."
    )


def _first_difference(data: bytes, start: int, separator: str) -> tuple[int, str, str] | None:
    """Row and value as the two ways read it, where they first differ."""
    ways = (_rows(data, start, separator, quoting) for quoting in ("doubled", "backslash"))
    for number, pair in enumerate(zip_longest(*ways, fillvalue=[]), 1):
        for doubled, backslash in zip_longest(*pair, fillvalue=""):
            if doubled != backslash:
                return number, doubled, backslash
    return None
