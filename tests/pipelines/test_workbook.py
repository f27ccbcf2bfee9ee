"""Workbooks: what goes into a cell is what an independent reader finds in it."""

import zipfile

import pytest
from openpyxl import load_workbook

from pipelines.errors import Refused
from pipelines.workbook import create


def written(path, *rows):
    """A workbook with one sheet of these rows, read back: (value, type) of each cell under the header."""
    with create(path) as book:
        sheet = book.sheet("labels", {"a": 10, "b": 20})
        for row in rows:
            sheet.row(row)
    _, *cells = load_workbook(path)["labels"].iter_rows()
    return [[(cell.value, cell.data_type) for cell in row] for row in cells]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1+1",
            "+49",
            "-1",
            "@SUM(A1)",
            "{=1}",
            "007",
            "1e5",
            "0.9970",
            "2026-10-01",
            "TRUE",
            "#N/A",
            "'1",
        ),
        *("https://example.com/?a=1&b=2", "mailto:a@example.com", "internal:Sheet1!A1", "file:///etc/hosts"),
        *(
            " two  spaces ",
            "one\ntwo",
            "\ttab",
            "a&b<c>\"d'",
            "ß😀\u202e\u05d0",
            "<r><t>x</t></r>",
            "<r>&</r>",
        ),
    ],
)
def test_a_text_is_that_text_never_a_formula_a_number_a_date_or_a_link(text, tmp_path):
    [[(value, kind), _]] = written(tmp_path / "a.xlsx", [text, None])
    assert (value, kind) == (text, "s")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<hyperlink" not in sheet


def test_numbers_are_numbers_and_nothing_is_an_empty_cell(tmp_path):
    rows = written(tmp_path / "a.xlsx", [0.997, 3], [None, ""], [1 / 3, True])
    assert rows[:2] == [[(0.997, "n"), (3, "n")], [(None, "n"), (None, "n")]]
    assert rows[2] == [(pytest.approx(1 / 3, abs=1e-15), "n"), ("True", "s")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x0bc", "a\ufffdb\ufffdc"),
        ("\uffff\ufffe", "\ufffd\ufffd"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("x" * 40_000, "x" * 32_767),
        ("😀" * 20_000, "😀" * 16_383),
    ],
    ids=["control", "no character", "line breaks", "long", "long in UTF-16"],
)
def test_what_no_workbook_can_hold_is_shown_as_near_as_it_can(text, shown, tmp_path):
    [[(value, kind), _]] = written(tmp_path / "a.xlsx", [text, None])
    assert (value, kind) == (shown, "s")


def test_the_header_stays_in_sight_and_a_cell_stays_a_text_when_it_is_edited(tmp_path):
    written(tmp_path / "a.xlsx", ["007", 1])
    sheet = load_workbook(tmp_path / "a.xlsx")["labels"]
    assert [cell.value for cell in sheet[1]] == ["a", "b"]
    assert sheet.freeze_panes == "A2"
    assert (sheet["A2"].number_format, sheet["B2"].number_format) == ("@", "General")
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["A"].width


def test_a_workbook_that_fails_half_way_is_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), create(tmp_path / "a.xlsx") as book:
        book.sheet("labels", {"a": 10}).row([1 / 0])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named_with_the_fix(tmp_path):
    with (
        pytest.raises(Refused, match=r"gone/a\.xlsx.*Fix: close it"),
        create(tmp_path / "gone/a.xlsx") as book,
    ):
        book.sheet("labels", {"a": 10})
