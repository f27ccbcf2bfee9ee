"""The labels for people in a real spreadsheet program, LibreOffice without its window, and back out of it."""

import shutil
import subprocess
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from openpyxl import load_workbook

from processing.labels import label_table

OFFICE = shutil.which("soffice")
TEXTS = """=1+1 +49 -1 @SUM(A1:A9) ="0" 007 1e5 4006381333931 1-2 3/4 2.10 1,5 .5 12% €5 10:30 TRUE false
MARCH1 SEP-2 'x a"b a,b a;b ß😀 \u202e\u05d0\u05d1 12345678901234567890 =cmd|'/C'!A1 DE-weee-1 #N/A"""
IDS = TEXTS.split()


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The rows, and the same as a spreadsheet shows and saves them: its cells, row by row."""
    if OFFICE is None:
        pytest.skip(
            "there is no LibreOffice on this machine (Debian, Ubuntu: apt-get install libreoffice-calc)"
        )
    folder = tmp_path_factory.mktemp("office")
    rows = pa.table(
        {
            "item_id": IDS,
            "code": ["007"] * len(IDS),
            "description": ["Geräte, groß; =1+1"] * len(IDS),
            "confidence": [0.5 + number / 100 for number in range(len(IDS))],
            "status": ["labelled"] * len(IDS),
        }
    )
    constants = {"labelled_at": datetime(2026, 10, 3, 4, 5, 6, tzinfo=UTC), "period": "2026-10"}
    table = label_table.assemble([rows], constants, test_set=False)
    label_table.write_csv(table, folder / "labels.csv")
    # Comma, double quote, UTF-8, from the first line on: what its dialog proposes for this file.
    command = [OFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    command += ["--infilter=CSV:44,34,76,1", "--convert-to", "xlsx", "--outdir", str(folder)]
    done = subprocess.run([*command, str(folder / "labels.csv")], capture_output=True, text=True)
    assert (folder / "labels.xlsx").is_file(), done.stderr
    sheet = load_workbook(folder / "labels.xlsx").active
    header, *cells = sheet.iter_rows()
    names = [cell.value for cell in header]
    return table, [dict(zip(names, row, strict=True)) for row in cells]


def test_every_row_and_column_is_there_and_no_text_became_a_formula_a_number_or_a_date(opened):
    table, rows = opened
    assert len(rows) == len(IDS)
    assert list(rows[0]) == table.column_names
    for name in set(table.column_names) - {"confidence"}:
        assert {row[name].data_type for row in rows if row[name].value is not None} <= {"s"}, name


def test_ids_and_codes_come_back_as_they_were_once_the_apostrophe_is_taken_off(opened):
    table, rows = opened
    for name in ("item_id", "code", "description", "period"):
        assert [row[name].value.removeprefix("'") for row in rows] == table[name].to_pylist()


def test_confidence_is_a_number_that_can_be_sorted(opened):
    table, rows = opened
    assert [row["confidence"].value for row in rows] == pytest.approx(table["confidence"].to_pylist())
