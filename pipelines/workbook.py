"""Excel workbooks for people, row by row: a text is a text, never a formula, number, date or link.

What is in a workbook is its maker's business (report/label_workbook.py). How to write one:

    with create(Path("labels.xlsx")) as book:
        marked = book.style(bg_color="#FFF2CC")
        sheet = book.sheet("labels", {"item_id": 16, "confidence": 12})  # header and widths
        sheet.row(["007", 0.997], [marked, None])

A row is written when the next one begins, so memory stays flat and no row can be gone back to. Filters, lists
to pick from and conditional formats are XlsxWriter's, on `sheet.xlsx`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipelines.errors import Refused

#: Rows of a sheet, its header among them (ECMA-376; Microsoft Support, "Excel specifications and limits").
MOST_ROWS = 1_048_576
#: XML 1.0 has no such characters, whatever they are escaped as (section 2.2, "Characters").
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
AS_TEXT = {"num_format": "@"}
HEADER = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}


class Sheet:
    """A sheet that is written from the top down; its header is there, and stays in sight.

    Attributes:
        xlsx: XlsxWriter's worksheet, for what is not a row of cells.
        rows: how many rows there are, the header among them.
    """

    def __init__(self, xlsx: Any, text: Format, number: Format):
        self.xlsx = xlsx
        self.rows = 0
        self._text, self._number = text, number

    def row(self, cells: Sequence[object], styles: Sequence[Format | None] | None = None) -> None:
        """Write the next row: numbers as numbers, None and "" as nothing, anything else as a text.

        `styles` are of `Book.style`, None where the cell is to look like any other.
        """
        write_text, write_number = self.xlsx.write_string, self.xlsx.write_number
        for column, value in enumerate(cells):
            style = styles[column] if styles else None
            if isinstance(value, int | float) and not isinstance(value, bool):
                write_number(self.rows, column, value, style or self._number)
            elif value is not None and value != "":
                write_text(self.rows, column, text(value), style or self._text)
            elif style:
                self.xlsx.write_blank(self.rows, column, None, style)
        self.rows += 1


class Book:
    """A workbook that is being written; `create` makes one."""

    def __init__(self, xlsx: Any):
        self._xlsx = xlsx
        self._text, self._number = self.style(), self.style(num_format="General")

    def style(self, **properties: object) -> Format:
        """How a cell looks, by XlsxWriter's names of properties; it stays a text when somebody edits it."""
        return self._xlsx.add_format(AS_TEXT | properties)

    def sheet(self, name: str, columns: Mapping[str, float]) -> Sheet:
        """Another sheet, with a header that stays in sight; `columns`: titles, with widths in letters."""
        xlsx = self._xlsx.add_worksheet(name, worksheet_class=_Worksheet)
        for number, width in enumerate(columns.values()):
            xlsx.set_column(number, number, width, self._text)
        xlsx.freeze_panes(1, 0)
        # A green corner would ask people to turn `007` into a number.
        xlsx.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
        sheet = Sheet(xlsx, self._text, self._number)
        sheet.row(list(columns), [self.style(**HEADER)] * len(columns))
        return sheet


@contextmanager
def create(path: Path) -> Iterator[Book]:
    """A workbook that is at `path` once all is written; if that fails, what was there before still is.

    Raises Refused where it cannot be written there.
    """
    with _refusing(path):
        scratch = TemporaryDirectory(prefix=".", dir=path.parent)
    with scratch as folder:
        written = Path(folder) / "workbook.xlsx"
        with xlsxwriter.Workbook(str(written), OPTIONS | {"tmpdir": folder}) as xlsx:
            yield Book(xlsx)
        with _refusing(path):
            written.replace(path)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused(
            f"{path}: {error.strerror}. Fix: close it where it is open, or name a file that you may write"
        ) from error


def text(value: object) -> str:
    """What a cell can hold of a text: U+FFFD stands where XML has no such character.

    Line breaks become line feeds, as XML reads them. Of more than 32,767 letters XlsxWriter takes so many.
    """
    plain = str(value)
    if "\r" in plain:
        plain = plain.replace("\r\n", "\n").replace("\r", "\n")
    return FORBIDDEN.sub("\ufffd", plain)


class _Worksheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has annotations, but says that it has no types
    """XlsxWriter takes a text `<r>...</r>` for XML of its own and does not escape it: here it is a text."""

    def _xml_rich_inline_string(self, string: str, attributes: Sequence[tuple[str, object]] = ()) -> None:
        self._xml_inline_string(string, True, attributes)
