"""The sheet that a reviewer fills in: CSV, or an Excel workbook in which codes are picked from a list.

A spreadsheet must neither calculate with a text (`=1+1`) nor turn it into something else (`007`): in CSV
such a text gets an apostrophe in front, which is taken off again, and in a workbook every cell is text. A
number that somebody put into a workbook is read as it is shown; where that is not known, it is a `Number`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pipelines.errors import Refused

COLUMNS = (
    *("run", "item_id", "title", "brand", "product_type", "suggested_code", "suggested_description"),
    *("confidence", "second_code", "same_text", "reason", "code", "why"),
)
MUST = ("run", "item_id", "code")
FILL_IN = {"code", "why"}
WIDTHS = {"title": 60, "suggested_description": 40, "reason": 40, "code": 32, "why": 40}
#: What can stand in the column `code` instead of a code; no codebook has a code of these names.
WORDS = {
    "NONE": "none of the codes fits",
    "SKIP": "I cannot tell: ask again, last on the next sheet",
    "WITHDRAW": "take back what a person decided",
}
#: The first row says more than the column's name, in words that follow it in parentheses.
TITLES = {"code": f"code (or {', '.join(WORDS)})", "why": "why (may stay empty)"}


class Number(str):
    """The text of a cell that is a number and shown as any number: `1.1` may have been typed as `1.10`."""


class SheetError(Refused):
    """A sheet that cannot be read; the message names the file and the fix."""


def write(
    path: Path,
    rows: Iterable[Mapping[str, object]],
    codes: Mapping[str, str],
    columns: Sequence[str] = COLUMNS,
) -> None:
    """Write the sheet, as a workbook where `path` ends in `.xlsx`. `codes`: each code and its description.

    The rows have a value for each of the columns but those to be filled in, `code` and `why`.
    """
    if path.suffix == ".xlsx":
        _write_workbook(path, rows, codes, columns)
    else:
        _write_csv(path, rows, columns)


def read(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a filled sheet, each with its number (the header is row 1). Raises SheetError."""
    try:
        rows = _workbook_rows(path) if path.suffix == ".xlsx" else _csv_rows(path)
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror}. Fix: check the path and its rights") from error
    header = [name.partition(" (")[0].strip() for name in next(rows, [])]
    missing = [name for name in MUST if name not in header]
    if missing:
        raise SheetError(
            f"{path}: the first row lacks {', '.join(missing)}. "
            "Fix: keep the sheet's first row as it was exported"
        )
    for number, cells in enumerate(rows, start=2):
        if any(cells):
            row = dict.fromkeys((*MUST, "why"), "") | dict(zip(header, cells, strict=False))
            code = row["code"]
            yield number, row | {"code": code if isinstance(code, Number) else code.strip().removeprefix("'")}


def _write_csv(path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    import pyarrow as pa

    from processing.labels.label_table import as_text

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(_header(columns))
        for row in rows:
            cells = [_text(row.get(name)) for name in columns]
            sheet.writerow(as_text(pa.chunked_array([cells])).to_pylist())


def _header(columns: Sequence[str]) -> list[str]:
    return [TITLES.get(name, name) for name in columns]


def _csv_rows(path: Path) -> Iterator[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetError(
            f"{path}: byte {error.start + 1} is not UTF-8. Fix: save the sheet as 'CSV UTF-8'"
        ) from None
    # Where the decimal sign is a comma, spreadsheets put semicolons between the cells.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return ([cell.removeprefix("'") for cell in row] for row in rows)


def _write_workbook(
    path: Path, rows: Iterable[Mapping[str, object]], codes: Mapping[str, str], columns: Sequence[str]
) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

    book = Workbook()
    sheet, choices = book.active, book.create_sheet("codes")
    sheet.title = "review"

    def add(to: Worksheet, number: int, cells: Iterable[object]) -> None:
        for column, value in enumerate(cells, start=1):
            cell = to.cell(number, column, ILLEGAL_CHARACTERS_RE.sub("", _text(value)))
            cell.data_type, cell.number_format = "s", "@"  # "=1+1" is not a formula here

    choose_from = [*codes.items(), *WORDS.items()]
    for number, pair in enumerate([("code", "description"), *choose_from], start=1):
        add(choices, number, pair)
    add(sheet, 1, _header(columns))
    last = 1
    for last, row in enumerate(rows, start=2):
        add(sheet, last, (row.get(name) for name in columns))
    for column, name in enumerate(columns, start=1):
        sheet.cell(1, column).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = WIDTHS.get(name, 14)
    pick = DataValidation(type="list", formula1=f"codes!$A$2:$A${len(choose_from) + 1}", allow_blank=True)
    pick.error = f"Pick a code from the list, or {', '.join(WORDS)}."
    pick.errorTitle, pick.showErrorMessage = "Unknown code", True
    sheet.add_data_validation(pick)
    code = get_column_letter(columns.index("code") + 1)
    pick.add(f"{code}2:{code}{max(last, 2)}")
    for column, name in enumerate(columns, start=1):
        if name in FILL_IN:
            for number in range(1, last + 1):
                sheet.cell(number, column).fill = PatternFill("solid", fgColor="FFF2CC")
    sheet.freeze_panes = "A2"
    book.save(path)


def _workbook_rows(path: Path) -> Iterator[list[str]]:
    from io import BytesIO
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        # From memory: a workbook read row by row would keep the file open for as long as anybody has it.
        book = load_workbook(BytesIO(path.read_bytes()), read_only=True, data_only=True)
        sheet = book["review"]
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise SheetError(
            f"{path}: this is not a workbook with the tab 'review' ({error}). Fix: save the sheet as .xlsx"
        ) from None
    return ([_shown(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows())


def _shown(value: object, number_format: str) -> str:
    """A cell's text: of a number as its format shows it (`0000`, `0.00`), where that says all of it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(value)
    if form := re.fullmatch(r"(0+)(?:\.(0+))?", number_format):
        decimals = len(form[2] or "")
        width = len(form[1]) + (decimals + 1 if decimals else 0)
        shown = f"{value:0{width}.{decimals}f}"
        if float(shown) == value:
            return shown
    return Number(_text(value))


def _text(value: object) -> str:
    """A cell as text: nothing is empty, and a whole number that a spreadsheet made of `1` is `1` again."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
