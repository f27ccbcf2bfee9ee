"""Both promises in a real spreadsheet program, LibreOffice without its window, in four languages.

The workbook comes back equal to the Parquet file. A CSV has no formula, whatever is taken for the separator.
"""

import csv
import shutil
import subprocess

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pipelines.report import label_workbook
from processing.labels import label_table
from tests.pipelines.report.labelled_items import IDS, labels, table

OFFICE = shutil.which("soffice")
# LibreOffice's own settings, as its dialog for languages writes them.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
 <item oor:path="/org.openoffice.Setup/L10N">
  <prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{locale}</value></prop>
 </item>
</oor:items>"""


def converted(folder, locale: str, files: list, *options: str) -> dict:
    """The sheets of `files` as LibreOffice opens and saves them, by file and sheet: its rows of cells."""
    if OFFICE is None:
        pytest.skip(
            "there is no LibreOffice on this machine (Debian, Ubuntu: apt-get install libreoffice-calc)"
        )
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(SETTINGS.format(locale=locale))
    command = [OFFICE, f"-env:UserInstallation={profile.parent.as_uri()}", "--headless", *options]
    command += ["--convert-to", "xlsx", "--outdir", str(folder / "saved")]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True)
    saved = {}
    for path in files:
        assert (folder / "saved" / f"{path.stem}.xlsx").is_file(), done.stderr
        book = load_workbook(folder / "saved" / f"{path.stem}.xlsx")
        saved |= {(path.name, sheet.title): list(sheet.iter_rows()) for sheet in book}
    return saved


def raw(path, rows) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("item_id", "description"), *rows])


@pytest.fixture(scope="module", params=["de-DE", "fr-FR", "es-ES", "en-US"])
def opened(request, tmp_path_factory):
    """The published rows, and what LibreOffice has of the workbook, of our CSV and of one without guard."""
    folder = tmp_path_factory.mktemp("office")
    given = labels(folder)
    files = [folder / name for name in ("book.xlsx", "labels.csv", "raw.csv")]
    label_workbook.write(files[0], given)
    label_table.write_csv(table(), files[1])
    raw(files[2], [("=1+1", "0.997")])
    return pq.read_table(given.file).to_pylist(), converted(folder, request.param, files)


def test_the_workbook_comes_back_equal_to_the_parquet(opened):
    published, saved = opened
    header, *cells = saved["book.xlsx", "labels"]
    shown = [dict(zip([cell.value for cell in header], row, strict=True)) for row in cells]
    for name in ("item_id", "code", "description", "second_code", "status", "reason", "run"):
        assert [row[name].value for row in shown] == [row[name] for row in published], name
    assert [row["title"].value for row in shown[:-1]] == [f"{item} title" for item in IDS]
    assert [row["confidence"].value for row in shown] == [row["confidence"] for row in published]
    for row in shown:
        for name, cell in row.items():
            assert cell.value is None or cell.data_type == ("n" if name == "confidence" else "s")
            assert cell.hyperlink is None


def test_the_csv_opens_without_a_formula_and_one_without_guard_would_not(opened):
    _, saved = opened
    assert {cell.data_type for row in saved["raw.csv", "raw"] for cell in row} >= {"f"}
    assert "f" not in {cell.data_type for row in saved["labels.csv", "labels"] for cell in row}


@pytest.mark.parametrize("separators", ["44", "59/9"], ids=["comma", "semicolon and tab"])
def test_no_separator_brings_a_formula_to_light(separators, tmp_path):
    ours, without = tmp_path / "labels.csv", tmp_path / "raw.csv"
    label_table.write_csv(table(), ours)
    raw(without, [(item, item) for item in IDS])
    saved = converted(tmp_path, "de-DE", [ours, without], f"--infilter=CSV:{separators},34,76,1")
    assert "f" in {cell.data_type for row in saved["raw.csv", "raw"] for cell in row}
    assert "f" not in {cell.data_type for row in saved["labels.csv", "labels"] for cell in row}
