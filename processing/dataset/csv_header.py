"""The first row of a CSV: which sign separates the fields, and which columns they are.

The names of the columns are known, so nothing is guessed from how often a sign occurs: a separator is the one
that makes the header name the columns.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from processing.dataset import kinds
from processing.dataset.columns import check_columns, named, wanted
from processing.dataset.text_files import HEAD_BYTES, Head

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
MOST_COLUMNS = 2_000
#: Spreadsheets write it as the first line, so that they find the separator themselves.
SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>[^"\r\n])"?(?:\r\n|\r|\n)', re.IGNORECASE)
INVISIBLE = str.maketrans("", "", "\ufeff\u200b\u2060")


@dataclass(frozen=True)
class Header:
    """A header as it was recognised.

    Attributes:
        separator: one of SEPARATORS.
        names: as they are in the file.
        columns: the columns that they mean, in the same order.
        length: bytes of the text before the first row.
    """

    separator: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    length: int


def recognise(head: Head, name: str, columns: Mapping[str, str], stated: str | None) -> Header:
    """The header of a CSV.

    Args:
        head: how the file begins.
        name: the file's, for errors.
        columns: those expected, by name.
        stated: the separator as the codebook says, or None.

    Raises:
        BadData: the columns are not those expected, or which separator it is remains unclear.
    """
    text, begin, line = _begin(head)
    found = {one: _first_row(text, begin, one) for one in SEPARATORS}
    known = {one: _known(fields, columns) for one, (fields, _) in found.items()}
    separator = max(SEPARATORS, key=lambda one: known[one])
    fields, end = found[separator]
    if end == len(text) and not head.all:
        raise kinds.LONG_HEADER.refusal(f"{name} has a first row of more than {HEAD_BYTES >> 20} MiB.")
    if not known[separator]:
        if len(fields) == 1 and any(_known(_first_row(fields[0], 0, one)[0], columns) for one in SEPARATORS):
            raise kinds.BROKEN_QUOTES.refusal(
                f"{name} has its whole header in quotes, as where a CSV was saved as CSV once more.",
                "quote single fields, not whole rows.",
            )
        raise kinds.NO_HEADER.refusal(
            f"{name} has no header: its first row is {named(fields) or 'blank'}.",
            f"write the columns' names as its first row: {wanted(columns)}.",
        )
    if len(several := [SEPARATORS[one] for one in SEPARATORS if known[one]]) > 1:
        both = " as well as ".join(several)
        raise kinds.UNCLEAR_SEPARATOR.refusal(f"{name} has a header that is separated by {both}.")
    _check_said(name, separator, line["separator"] if line else None, stated)
    if len(fields) > MOST_COLUMNS:
        raise kinds.MANY_COLUMNS.refusal(
            f"{name} has {len(fields):,} columns, more than {MOST_COLUMNS:,}.",
            f"deliver exactly {wanted(columns)}.",
        )
    if not plain(fields[-1]):
        raise kinds.WRONG_COLUMNS.refusal(
            f"{name} has a last column without a name, as where every row ends in a separator.",
            "end rows after their last field.",
        )
    meant = [own if (own := plain(field)) in columns else field for field in fields]
    check_columns(meant, name, columns)
    return Header(separator, tuple(fields), tuple(meant), len(text[:end].encode()))


def names(head: Head, stated: str | None) -> list[str]:
    """The first row of a CSV whose columns nobody knows yet: with the separator that gives the most fields.

    `stated` is the separator where somebody says it.
    """
    text, begin, _ = _begin(head)
    return max((_first_row(text, begin, one)[0] for one in ([stated] if stated else SEPARATORS)), key=len)


def _begin(head: Head) -> tuple[str, int, re.Match[str] | None]:
    """The text, where its first row begins, and the line before that which names the separator."""
    text = head.text.decode(errors="ignore")
    begin = len(text) - len(text.lstrip("\r\n"))
    line = SEPARATOR_LINE.match(text, begin)
    return text, line.end() if line else begin, line


def _first_row(text: str, begin: int, separator: str) -> tuple[list[str], int]:
    """The fields of the row that begins there, and where the next one does."""
    csv.field_size_limit(HEAD_BYTES)
    end = begin
    lines = io.StringIO(text, newline="")
    lines.seek(begin)

    def taken() -> Iterator[str]:
        nonlocal end
        for line in lines:
            end += len(line)
            yield line

    return next(csv.reader(taken(), delimiter=separator), []), end


def _known(fields: list[str], columns: Mapping[str, str]) -> int:
    """How many of the columns the fields name."""
    return len({plain(field) for field in fields} & columns.keys())


def plain(field: str) -> str:
    """A column's name without capitals and what cannot be seen."""
    return field.translate(INVISIBLE).strip().lower()


def _check_said(name: str, separator: str, line: str | None, stated: str | None) -> None:
    """Raise BadData where the first line or the codebook says another separator than the header has."""
    for said, who in ((line, "its first line"), (stated, "the codebook's format")):
        if said and said != separator:
            raise kinds.FORMAT_CONTRADICTED.refusal(
                f"{name} has a header separated by {SEPARATORS[separator]}, "
                f"{who} says {SEPARATORS.get(said, repr(said))}."
            )
