"""A number in a workbook where a code or an id should be: read as shown, or asked for; never guessed."""

import pyarrow as pa
import pytest
from openpyxl import Workbook

from pipelines.review.decisions import read_sheet
from pipelines.review.published import Output, ReviewError
from pipelines.review.sheet import COLUMNS, read
from processing.codes import codebook
from processing.labels import label_table
from tests.pipelines.review.published_month import BOOK, PERIOD, RUN

CODES = ("1.1", "1.10", "102", "0102", "2.50", "007", "3")
IDS = ("7", "007", "a", "12")


def book() -> codebook.Codebook:
    codes = [dict(BOOK["codes"][0], code=code) for code in CODES]
    return codebook.parse(BOOK | {"codes": codes, "successions": []})


def labels() -> Output:
    """Labels of IDS, all of which wait for review."""
    rows = [
        dict.fromkeys(label_table.COLUMNS)
        | {"item_id": item, "code": "3", "status": "review", "text_key": item}
        for item in IDS
    ]
    schema = pa.schema([(name, label_table.TYPES.get(name, pa.string())) for name in label_table.COLUMNS])
    table = pa.Table.from_pylist(rows, schema)
    return Output("s3://labelled/x/", {"period": PERIOD}, table)


@pytest.fixture
def sheet(tmp_path):
    """Reads a sheet of one row in which one cell, `code` or `item_id`, was put in with a format."""

    def fill(value, number_format="General", column="code"):
        workbook = Workbook()
        page = workbook.active
        page.title = "review"
        page.append(COLUMNS)
        page.append([{"run": RUN, "item_id": "a", "code": "3"}.get(name) for name in COLUMNS])
        cell = page.cell(2, COLUMNS.index(column) + 1)
        cell.value, cell.number_format = value, number_format
        workbook.save(tmp_path / "sheet.xlsx")
        rows = list(read(tmp_path / "sheet.xlsx"))
        decided = read_sheet(rows, labels(), labels(), book(), "sheet.xlsx").decisions
        return [(row["item_id"], row["label"]) for row in decided]

    return fill


@pytest.mark.parametrize(
    ("value", "could_be"),
    [(1.1, "1.1, which can be 1.1 or 1.10"), (102, "102, which can be 102 or 0102"), (102.0, "102, which")],
)
@pytest.mark.parametrize("number_format", ["General", "@", "#,##0.###"])
def test_a_number_that_several_codes_can_be_is_refused_with_row_and_fix(
    sheet, value, could_be, number_format
):
    with pytest.raises(ReviewError) as refused:
        sheet(value, number_format)
    sentence = str(refused.value)
    assert f"sheet.xlsx, row 2: the code is the number {could_be}" in sentence
    assert sentence.endswith(
        "Fix: pick the code from the list, or format the cell as text and write it again"
    )


@pytest.mark.parametrize(
    ("value", "number_format", "code"),
    [(1.1, "0.00", "1.10"), (1.1, "0.0", "1.1"), (102, "0000", "0102"), (102, "0", "102")],
)
def test_a_number_is_read_as_its_format_shows_it(sheet, value, number_format, code):
    assert sheet(value, number_format) == [("a", code)]


def test_a_format_that_hides_digits_says_nothing(sheet):
    with pytest.raises(ReviewError, match=r"the number 1\.1, which can be"):
        sheet(1.1, "0")


@pytest.mark.parametrize(
    ("value", "code"), [(2.5, "2.50"), (7, "007"), (3, "3"), ("1.1", "1.1"), ("0102", "0102")]
)
def test_a_number_that_one_code_in_force_can_be_is_that_code_and_a_text_is_itself(sheet, value, code):
    assert sheet(value, "General", "code") == [("a", code)]


def test_a_number_that_no_code_in_force_can_be_is_refused(sheet):
    with pytest.raises(ReviewError, match="'4' is not a code in force"):
        sheet(4)


def test_a_number_that_several_items_have_as_id_is_refused(sheet):
    with pytest.raises(ReviewError, match="row 2: the item_id is the number 7, and several items have it"):
        sheet(7, column="item_id")


@pytest.mark.parametrize(("value", "item"), [("7", "7"), ("007", "007"), (12, "12")])
def test_an_id_that_is_clear_is_taken(sheet, value, item):
    assert sheet(value, column="item_id") == [(item, "3")]
