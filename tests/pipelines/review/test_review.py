"""`labelmill review`: uncertain items go out on a sheet, decisions come back, nothing is taken on faith."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.cli import main
from pipelines.commands import review as command
from pipelines.review.sheet import COLUMNS, read, write
from tests.pipelines.review.published_month import GROUP, LABELS, PERIOD, RUN, TITLE

SECOND = f"{GROUP}-review-{PERIOD}-aaaaaaaaaaaa"
MOST_VALUABLE_FIRST = ["grave", "1e5", "twin-1", "twin-2", "=1+1", "007"]


@pytest.fixture
def cli(stack, monkeypatch, tmp_path, capsys):
    """Run a `labelmill review` command against the stack; returns exit code and all that was printed."""
    monkeypatch.setattr(command, "_places", lambda name: stack.places)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        code = main(["review", *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def fill(path, codes: dict[str, str], delimiter=",", encoding="utf-8-sig", change=lambda row: row) -> None:
    """Do what a reviewer does: write codes into rows, save."""
    text = path.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        row["code"] = codes.get(row["item_id"].removeprefix("'"), "")
    with path.open("w", encoding=encoding, newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        sheet.writeheader()
        sheet.writerows(change(row) for row in rows)


def exported(cli, suffix=".csv"):
    path = Path(f"sheet{suffix}")
    code, _ = cli("export", GROUP, PERIOD, "--out", str(path))
    assert code == 0
    return path


def test_the_sheet_has_the_waiting_items_the_most_valuable_first(cli):
    rows = [row for _, row in read(exported(cli))]
    assert [row["item_id"] for row in rows] == MOST_VALUABLE_FIRST
    first = rows[1]
    assert (first["title"], first["product_type"]) == (TITLE, "Gerät")
    assert (first["suggested_code"], first["confidence"], first["same_text"]) == ("5", "0.99", "1")
    assert rows[2]["same_text"] == "2"
    assert {row["code"] for row in rows} == {""}


def test_a_spreadsheet_neither_calculates_with_the_sheet_nor_changes_an_id(cli):
    text = exported(cli).read_bytes().decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert {"'007", "'=1+1", "'1e5"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_codes_in_force_are_shown_and_without_out_the_file_is_named_for_group_and_month(cli):
    code, printed = cli("export", GROUP, PERIOD)
    assert code == 0
    assert f"review-{GROUP}-{PERIOD}.csv: 6 items of {RUN}" in printed
    assert "5a  Haushalt" in printed and "Kleingeräte" not in printed


def test_decisions_are_recorded_with_who_and_when_and_start_the_amendment(cli, stack):
    path = exported(cli)
    fill(path, {"007": "2", "1e5": "5b"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert "2 decisions by A. Muster, 4 left open" in printed
    [run] = stack.started()
    assert run == {
        **{"run": run["sheet"], "group": GROUP, "period": PERIOD, "purpose": "review", "sheet": run["sheet"]}
    }
    found = {row["item_id"]: row for row in stack.decisions()}
    assert found.keys() == {"007", "1e5"}
    row = found["1e5"]
    assert (row["label"], row["suggested"], row["decided_by"]) == ("5b", "5", "A. Muster")
    assert row["decided_at"].endswith("+00:00")
    assert (row["title"], row["weight_kg"]) == (TITLE, 1.5)


def test_decisions_are_no_training_rows_before_the_labels_with_them_are_recorded(cli, stack):
    path = exported(cli)
    fill(path, {"007": "2"})
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    kept = stack.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"reviewed/{GROUP}/")["Contents"]
    assert [entry["Key"] for entry in kept] == [f"reviewed/{GROUP}/about.txt"]


def test_the_same_sheet_twice_is_one_amendment(cli, stack):
    path = exported(cli)
    fill(path, {"007": "2"})
    first = cli("import", str(path), "--by", "A. Muster")
    assert cli("import", str(path), "--by", "A. Muster") == first
    stack.end_executions()
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0 and "They were imported before: see run" in printed
    assert len(stack.started()) == len(stack.decisions()) == 1


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_sheet_saved_where_the_decimal_sign_is_a_comma_is_read(cli, stack, delimiter):
    path = exported(cli)
    fill(path, {"=1+1": "'1"}, delimiter=delimiter)
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert [(row["item_id"], row["label"]) for row in stack.decisions()] == [("=1+1", "1")]


def test_a_workbook_has_a_list_of_codes_to_pick_from_and_only_text(cli, stack):
    path = exported(cli, ".xlsx")
    book = load_workbook(path)
    sheet = book["review"]
    [pick] = sheet.data_validations.dataValidation
    assert pick.formula1 == "codes!$A$2:$A$6" and str(pick.sqref) == "L2:L7"
    assert [row[0].value for row in book["codes"].iter_rows(min_row=2)] == ["1", "2", "5a", "5b", "6"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    at = {sheet.cell(number, 2).value: number for number in range(2, 8)}
    sheet.cell(at["=1+1"], 12).value, sheet.cell(at["007"], 12).value = 1, "5a"
    book.save(path)
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert {(row["item_id"], row["label"]) for row in stack.decisions()} == {("=1+1", "1"), ("007", "5a")}


@pytest.mark.parametrize(
    ("codes", "change", "fault"),
    [
        ({"007": "9"}, None, ", row 7: '9' is not a code in force. Fix: use one of 1, 2, 5a, 5b, 6"),
        ({"007": "5"}, None, ", row 7: '5' is not a code in force"),
        ({"grave": "1"}, {"item_id": "x"}, ", row 2: the item 'x' is not in the labels"),
        ({"grave": "1"}, {"item_id": "sure"}, ", row 2: the item 'sure' is already decided"),
        ({"grave": "1"}, {"run": "nonsense"}, ", row 2: 'nonsense' is not a run"),
        ({}, None, ": the column `code` is empty in every row"),
    ],
)
def test_what_cannot_be_taken_is_named_by_file_and_row_and_nothing_is_taken(cli, stack, codes, change, fault):
    path = exported(cli)
    fill(path, codes | ({"twin-1": "2"} if codes else {}), change=lambda row: row | (change or {}))
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1
    assert f"sheet.csv{fault}" in printed
    assert stack.decisions() == [] and stack.started() == []


def test_every_bad_row_is_named_at_once(cli):
    path = exported(cli)
    fill(path, {"007": "9", "grave": "x"})
    printed = cli("import", str(path), "--by", "A. Muster")[1]
    assert "row 2: 'x'" in printed and "row 7: '9'" in printed


def test_an_item_that_another_sheet_has_decided_is_refused(cli, stack):
    path = exported(cli)
    decided = [("007", "2", None, "1", "labelled", "a" * 16), *LABELS[1:]]
    stack.publish(SECOND, amended=[RUN], labels=decided)
    fill(path, {"007": "1"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1 and "the item '007' is already decided, by B. Muster" in printed


def test_the_rest_of_a_sheet_amends_the_amended_labels(cli, stack):
    path = exported(cli)
    stack.publish(SECOND, amended=[RUN], labels=[("007", "2", None, "1", "labelled", "a" * 16), *LABELS[1:]])
    fill(path, {"grave": "6"})
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert [row["item_id"] for row in stack.decisions()] == ["grave"]


def test_a_sheet_of_labels_that_were_made_anew_is_refused(cli, stack):
    path = exported(cli)
    again = RUN.replace("0f3a9c21d4e5", "ffffffffffff")
    stack.publish(again)
    fill(path, {"007": "1"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1
    assert (
        f"this sheet is of run {RUN}, but the newest labels are of {again}. Fix: export a sheet of those"
        in printed
    )


def test_a_sheet_of_earlier_labels_can_be_exported_by_their_run(cli, stack):
    stack.publish(SECOND, amended=[RUN], labels=[row for row in LABELS if row[0] == "sure"])
    assert "Nothing is waiting for review" in cli("export", GROUP, PERIOD)[1]
    assert f"6 items of {RUN}" in cli("export", GROUP, PERIOD, "--run", RUN)[1]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the first row lacks run, item_id, code"),
        (b"a,b\n1,2\n", "the first row lacks run, item_id, code"),
        (b"run,item_id,code\n", "has no rows"),
        ("run,item_id,code\nü,1,1\n".encode("cp1252"), "is not UTF-8. Fix: save the sheet as 'CSV UTF-8'"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(cli, tmp_path, content, fault):
    (tmp_path / "x.csv").write_bytes(content)
    code, printed = cli("import", "x.csv", "--by", "A. Muster")
    assert code == 1 and fault in printed and "Fix: " in printed


def test_a_workbook_that_is_none_and_a_file_that_is_not_there_are_refused(cli, tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"no workbook")
    assert "this is not a workbook with the tab 'review'" in cli("import", "x.xlsx", "--by", "A. Muster")[1]
    assert "No such file" in cli("import", "y.csv", "--by", "A. Muster")[1]


def test_a_name_must_be_given_and_be_one(cli):
    path = exported(cli)
    assert cli("import", str(path), "--by", "  ")[0] == 1
    with pytest.raises(SystemExit):
        cli("import", str(path))


def test_a_month_without_labels_is_told(cli):
    code, printed = cli("export", GROUP, "2026-12")
    assert code == 1 and f"no labels of {GROUP} 2026-12 are published" in printed


def test_a_sheet_reads_back_what_was_written_whatever_it_holds(tmp_path):
    texts = ["=1+1", "007", "1e5", 'a"b', "a;b", "a,b", " x ", "ß😀", "\u202eabc", "'x", "+1", "TRUE"]
    rows = [dict.fromkeys(COLUMNS) | {"run": RUN, "item_id": text, "title": text} for text in texts]
    for suffix in (".csv", ".xlsx"):
        path = tmp_path / f"sheet{suffix}"
        write(path, rows, {"1": "eins"})
        assert [(row["item_id"], row["title"]) for _, row in read(path)] == [(text, text) for text in texts]
