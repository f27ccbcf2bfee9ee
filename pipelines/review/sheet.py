"""The sheet that a reviewer fills in: CSV, or an Excel workbook in which codes are picked from a list.

A spreadsheet must not calculate with a text (`=1+1`): in CSV an apostrophe goes before it, which is taken off
again. Nor must `007` become something else: in a workbook ids and codes are texts. A number that somebody put
into a workbook is read as it is shown; where that is not known, it is a `Number`. The page: labelling.py.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Refused
from processing.labels.csv_guard import guarded, plain

if TYPE_CHECKING:
    from pipelines.evidence.neighbours import Neighbour

COLUMNS = (
    *("run", "item_id", "title", "brand", "product_type", "suggested_code", "suggested_description"),
    *("confidence", "second_code", "short_list", "same_text", "stands_for", "variants", "reason", "alike"),
    *("family", "code", "none", "why"),
)
MUST = ("run", "item_id", "code")
FILL_IN = ("code", "none", "why")
WIDTHS = {
    **{"title": 60, "suggested_description": 40, "confidence": 11, "second_code": 12, "short_list": 24},
    **{"same_text": 10, "stands_for": 10, "variants": 40, "reason": 40, "alike": 60, "code": 40},
    **{"none": 16, "why": 40},
}
#: What can stand in the column `code` instead of a code; no codebook has a code of these names.
WORDS = {
    "NONE": "none of the codes fits",
    "SKIP": "I cannot tell: ask again, last on the next sheet",
    "WITHDRAW": "take back what a person decided",
}
#: The first row says more than the column's name, in words that follow it in parentheses.
TITLES = {
    "short_list": "short_list (in full it holds the right code in 95 of 100)",
    "stands_for": "stands_for (items that the row decides on)",
    "variants": "variants (in what the others of its family differ)",
    "alike": "alike (what the model learned from)",
    "code": f"code (or {', '.join(WORDS)})",
    "none": "none (x: no code fits)",
    "why": "why (a comment, may stay empty)",
}
#: Between a code and its description where a code is picked from a list.
PICKED = ": "


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

    The rows have a value for each of `columns` but FILL_IN; `alike` has Neighbours (pipelines/evidence).
    """
    if path.suffix == ".xlsx":
        _write_workbook(path, rows, codes, columns)
    else:
        _write_csv(path, rows, columns)


def read(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a filled sheet, each with its number (the header is row 1). Raises SheetError.

    Each has at least MUST, `none` and `why`. Where only `none` has a mark, `code` is NONE.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror}. Fix: check the path and its rights") from error
    # What it is shows in its first bytes: people rename files, and a workbook is a zip file.
    is_workbook = path.suffix == ".xlsx" or content.startswith(b"PK")
    rows = _workbook_rows(path, content) if is_workbook else _csv_rows(path, content)
    header = _names(next(rows, []))
    missing = [name for name in MUST if name not in header]
    if missing:
        raise SheetError(
            f"{path}: the first row lacks {', '.join(missing)}. "
            "Fix: keep the sheet's first row as it was exported"
        )
    if twice := sorted({name for name in (*MUST, *FILL_IN) if header.count(name) > 1}):
        raise SheetError(
            f"{path}: the first row has {', '.join(twice)} twice. Fix: give your own columns other names"
        )
    for number, cells in enumerate(rows, start=2):
        if any(cells):
            row = dict.fromkeys((*MUST, *FILL_IN), "") | dict(zip(header, cells, strict=False))
            code = row["code"]
            if not isinstance(code, Number):
                row["code"] = code.strip().removeprefix("'")
            # A box that can be ticked is FALSE in every other row. What else is no mark: decisions.py.
            row["none"] = "" if (mark := row["none"].strip()).upper() == "FALSE" else mark
            if row["none"] and not row["code"]:
                row["code"] = "NONE"
            yield number, row


def _write_csv(path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(_header(columns))
        for row in rows:
            sheet.writerow(guarded(_text(cell)) for cell in _cells(row, columns))


def _header(columns: Sequence[str]) -> list[str]:
    return [TITLES.get(name, name) for name in columns]


def _names(header: Sequence[str]) -> list[str]:
    return [title.partition(" (")[0].strip() for title in header]


def _csv_rows(path: Path, content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetError(
            f"{path}: byte {error.start + 1} is not UTF-8. Fix: save the sheet as 'CSV UTF-8'"
        ) from None
    # Where the decimal sign is a comma, spreadsheets put semicolons between the cells; titles have commas.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=lambda sign: len({*MUST} & {*_names(first.replace('"', "").split(sign))}))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return iter(list(_plain_rows(reader)))
    except csv.Error as error:
        raise SheetError(
            f"{path}, line {reader.line_num}: {error}. Fix: close the quote that is open there or above"
        ) from None


def _plain_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    header = next(rows, [])
    yield header
    for row in rows:
        # Older sheets have an apostrophe before all that is no plain word, and so before this number.
        is_older = dict(zip(header, row, strict=False)).get("same_text", "").startswith("'")
        yield [cell.removeprefix("'") if is_older else plain(cell) for cell in row]


def _write_workbook(
    path: Path, rows: Iterable[Mapping[str, object]], codes: Mapping[str, str], columns: Sequence[str]
) -> None:
    from pipelines import workbook

    choose_from = {**codes, **WORDS}
    with workbook.create(path) as book:
        # Not text-wrapped: rows of one height are quicker to go through.
        share, fill_in = book.style(num_format="0.000"), book.style(bg_color="#FFF2CC")
        styles = [fill_in if name in FILL_IN else share if name == "confidence" else None for name in columns]
        widths = [WIDTHS.get(name, 16) for name in columns]
        sheet = book.sheet("review", dict(zip(_header(columns), widths, strict=True)))
        for row in rows:
            sheet.row(_cells(row, columns), styles)
        listed = book.sheet("codes", {"code": 16, "description": 80, "as it is picked": 80})
        for code, description in choose_from.items():
            listed.row([code, description, f"{code}{PICKED}{description}"])
        last, column = max(sheet.rows - 1, 1), columns.index("code")
        sheet.xlsx.autofilter(0, 0, last, len(columns) - 1)
        # A bare code may be typed as well: what is no code is found when the sheet is imported.
        source = f"=codes!$C$2:$C${len(choose_from) + 1}"
        pick = {"validate": "list", "source": source, "show_error": False}
        sheet.xlsx.data_validation(1, column, last, column, pick)


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[object]:
    """The values of a row by column; those of FILL_IN are empty unless the row has one."""
    return [_alike(row.get(name) or ()) if name == "alike" else row.get(name) for name in columns]


def _alike(neighbours: Iterable[Neighbour]) -> str:
    return " | ".join(f"{each.code}{PICKED}{each.title} ({each.similarity:.2f})" for each in neighbours)


def _workbook_rows(path: Path, content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = book["review"].iter_rows()
        return iter([[_shown(cell.value, cell.number_format) for cell in row] for row in rows])
    # Of a damaged workbook openpyxl raises whatever it stumbles over, and reads its rows late.
    except Exception as error:
        raise SheetError(
            f"{path}: this is not a workbook with the tab 'review' ({error}). Fix: save the sheet as .xlsx"
        ) from None


def _shown(value: object, number_format: str) -> str:
    """A cell's text: of a number as its format shows it (`0000`, `0.00`), where that says all of it."""
    from openpyxl.utils.escape import unescape

    if isinstance(value, str):
        return str(unescape(value))  # `_x005F_` stands for a `_` before what would look like such a number
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
