"""A month's labels as a workbook, read back by an independent library."""

import hashlib
import zipfile

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pipelines.errors import Refused
from pipelines.report import label_workbook
from processing.labels import label_table
from tests.pipelines.report.labelled_items import GROUP, IDS, PERIOD, RUN, labels, texts


def written(path, given):
    label_workbook.write(path, given)
    return load_workbook(path)


def rows(sheet) -> list[dict]:
    header, *cells = sheet.iter_rows()
    return [dict(zip([cell.value for cell in header], row, strict=True)) for row in cells]


def about(book) -> dict[str, str]:
    """What the first sheet says, by what stands in its first column; the last of several."""
    return {row[0].value: row[1].value for row in book["about"].iter_rows() if row[0].value}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbook")
    given = labels(folder)
    return given, written(folder / "labels.xlsx", given), folder / "labels.xlsx"


def test_it_holds_each_row_of_the_parquet_ids_and_codes_as_text_confidence_as_a_number(made):
    given, book, _ = made
    published = pq.read_table(given.file).to_pylist()
    shown = rows(book["labels"])
    assert len(shown) == len(published) == len(IDS) + 1
    for name in ("code", "description", "second_code", "short_list", "status", "reason", "model", "run"):
        assert [row[name].value for row in shown] == [row[name] for row in published], name
    # openpyxl leaves the format's own escape as it is; LibreOffice's reading is in test_spreadsheets.py.
    ids = [row["item_id"].value.replace("_x005F_", "_") for row in shown]
    assert ids == [row["item_id"] for row in published]
    assert [row["confidence"].value for row in shown] == [row["confidence"] for row in published]
    assert {row["confidence"].data_type for row in shown} == {"n"}
    kinds = {
        cell.data_type for row in shown for name, cell in row.items() if cell.value and name != "confidence"
    }
    assert kinds == {"s"}
    assert {row["labelled_at"].value for row in shown} == {"2026-10-03 04:05:06"}


def test_it_has_each_column_of_the_parquet_that_tells_a_person_something_of_the_row(made):
    given, book, _ = made
    left_out = set(pq.read_schema(given.file).names) - rows(book["labels"])[0].keys()
    assert left_out == {"dataset", "model_group", "period", "text_key"}


def test_no_cell_is_a_formula_or_a_link(made):
    with zipfile.ZipFile(made[2]) as parts:
        for name in parts.namelist():
            if name.startswith("xl/worksheets/"):
                assert b"<f>" not in parts.read(name) and b"<hyperlink" not in parts.read(name)


def test_each_item_has_its_own_texts_and_what_was_rejected_has_none(made):
    *usable, rejected = rows(made[1]["labels"])
    for name in ("title", "brand", "product_type"):
        assert [row[name].value for row in usable] == [
            f"{item} {name}".replace("_x0041_", "_x005F_x0041_") for item in IDS
        ]
        assert rejected[name].value is None
    assert (rejected["item_id"].value, rejected["status"].value) == (IDS[0], "rejected")


def test_header_and_ids_stay_each_column_has_a_filter_and_a_width_and_the_status_a_colour(made):
    sheet = made[1]["labels"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:V{len(IDS) + 2}"
    assert sheet.column_dimensions["B"].width > 2 * sheet.column_dimensions["A"].width > 20
    colours = {row["status"].value: row["status"].fill.fgColor.rgb for row in rows(sheet)}
    assert colours.keys() == {"labelled", "review", "none", "rejected"}
    assert len(set(colours.values())) == 4


def test_the_first_sheet_says_what_it_was_made_of_and_what_the_columns_mean(made):
    given, book, _ = made
    assert book.sheetnames == ["about", "labels"]
    said = about(book)
    assert (said["model group"], said["month"], said["labelled by"]) == (GROUP, PERIOD, RUN)
    assert said["made of"] == f"{given.address}labels.parquet"
    assert said["its SHA-256"] == hashlib.sha256(given.file.read_bytes()).hexdigest()
    for name in rows(book["labels"])[0]:
        assert said[name] == (label_workbook.TEXTS.get(name) or label_table.COLUMNS[name])


def test_the_first_sheet_counts_the_rows_by_status_and_reason(made):
    counts = [
        tuple(cell.value for cell in row)
        for row in made[1]["about"].iter_rows(values_only=False)
        if row[0].value in label_workbook.COLOURS
    ]
    third = len(IDS) // 3
    assert counts == [
        ("labelled", None, third + (len(IDS) % 3 > 0)),
        ("review", None, third + (len(IDS) % 3 > 1)),
        ("review", label_table.UNSURE, third + (len(IDS) % 3 > 1)),
        ("none", None, third),
        ("rejected", None, 1),
    ]


def test_an_amended_month_names_every_run(tmp_path):
    given = labels(tmp_path, ["a"], run="r3", amended_runs=["r1", "r2"])
    assert about(written(tmp_path / "a.xlsx", given))["labelled by"] == "r3, amending r2, amending r1"


@pytest.mark.parametrize(("count", "sheets"), [(3, [4]), (4, [4, 1]), (7, [4, 4]), (8, [4, 4, 1])])
def test_more_rows_than_a_sheet_has_room_for_go_on_the_next(tmp_path, monkeypatch, count, sheets):
    monkeypatch.setattr(label_workbook, "MOST_ROWS", 5)
    ids = [f"SKU-{number}" for number in range(count)]
    book = written(tmp_path / "a.xlsx", labels(tmp_path, ids))
    _, *parts = book.sheetnames
    assert [book[part].max_row - 1 for part in parts] == sheets
    assert [row["item_id"].value for part in parts for row in rows(book[part])] == [*ids, ids[0]]
    assert all(book[part].auto_filter.ref == f"A1:V{book[part].max_row}" for part in parts)
    if len(sheets) > 1:
        assert parts == [f"labels {number} of {len(sheets)}" for number in range(1, len(sheets) + 1)]


def test_no_rows_make_a_workbook_with_a_header(tmp_path):
    given = labels(tmp_path, ["a"])
    label_table.write_parquet(pq.read_table(given.file).slice(0, 0), given.file)
    book = written(tmp_path / "a.xlsx", given)
    assert book.sheetnames == ["about", "labels"]
    assert book["labels"].max_row == 1


def test_items_whose_texts_are_gone_are_counted_and_no_workbook_is_left(tmp_path):
    given = labels(tmp_path, ["a", "b", "c"])
    gone = label_workbook.Labels(given.address, given.manifest, given.file, texts(["b"]))
    with pytest.raises(
        Refused, match=r"2 items of s3://labelled/\S+ no longer in the work bucket\. Fix: restore"
    ):
        label_workbook.write(tmp_path / "a.xlsx", gone)
    assert not (tmp_path / "a.xlsx").exists()
