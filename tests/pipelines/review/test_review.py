"""`labelmill review`: uncertain items go out on a sheet, decisions come back, nothing is taken on faith."""

import csv
import io
from pathlib import Path
from types import MappingProxyType
from zipfile import ZipFile

import pyarrow as pa
import pytest
from openpyxl import load_workbook

from pipelines.codebooks.check import problems
from pipelines.review.sheet import COLUMNS, TITLES, WORDS, read, write
from processing.dataset.text import text_keys
from processing.labels.csv_guard import plain
from tests.pipelines.evidence.kept_rows import ITEM, keep
from tests.pipelines.review.published_month import BOOK, GROUP, LABELS, PERIOD, RUN, TITLE
from tests.training.synthetic_group import items

CODE, WHY = TITLES["code"], TITLES["why"]
SECOND, THIRD = (f"{GROUP}-review-{PERIOD}-{digit * 12}" for digit in "ab")
DECIDED = ("007", "2", None, "1", "labelled", "a" * 16)
MOST_VALUABLE_FIRST = ["grave", "1e5", "=1+1", "twin-1", "twin-2", "007"]


def fill(
    path, codes: dict[str, str], delimiter=",", change=lambda row: row, why=MappingProxyType({})
) -> None:
    """Do what a reviewer does: write codes into rows, save."""
    text = path.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        row[CODE] = codes.get(plain(row["item_id"]), "")
        row[WHY] = why.get(plain(row["item_id"]), "")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        sheet.writeheader()
        sheet.writerows(change(row) for row in rows)


def exported(cli, suffix=".csv"):
    path = Path(f"sheet{suffix}")
    code, _ = cli("export", GROUP, PERIOD, "--out", str(path))
    assert code == 0
    return path


@pytest.mark.parametrize("file", ["labels.parquet", "manifest.json"])
def test_labels_that_are_not_what_was_recorded_go_out_on_no_sheet(stack, cli, file):
    key = f"labels/{GROUP}/{PERIOD}/{RUN}/{file}"
    body = stack.s3.get_object(Bucket="labelled", Key=key)["Body"].read()
    stack.s3.put_object(Bucket="labelled", Key=key, Body=body + b" ")
    code, said = cli("export", GROUP, PERIOD)
    assert code == 1
    assert f"s3://labelled/{key} is not what was recorded: its SHA-256 is" in said
    assert not Path(f"review-{GROUP}-{PERIOD}.csv").exists()


def test_the_sheet_has_the_waiting_items_the_most_valuable_first(cli):
    rows = [row for _, row in read(exported(cli))]
    assert [row["item_id"] for row in rows] == MOST_VALUABLE_FIRST
    first = rows[1]
    assert (first["title"], first["product_type"]) == (TITLE, "Gerät")
    assert (first["suggested_code"], first["confidence"], first["same_text"]) == ("5", "0.99", "1")
    assert rows[3]["same_text"] == "2"
    assert {row["code"] for row in rows} == {""}


def test_the_sheet_shows_the_rows_that_the_model_learned_from_and_that_are_most_like_the_item(cli, stack):
    printed = cli("export", GROUP, PERIOD)[1]
    assert f"The column `alike` is empty: {GROUP} has no model m1." in printed
    rows = items(120, seed=3)
    titles = pa.array([TITLE, "Kühlschrank weiß", *rows["title"].to_pylist()[2:]])
    rows = rows.set_column(rows.column_names.index("title"), "title", titles)
    rows = rows.set_column(rows.column_names.index("text_key"), "text_key", text_keys(GROUP, rows))
    keep(stack.s3, "work-bucket", rows)
    model = {name: {"S": value} for name, value in {**ITEM, "group": GROUP, "entry": "MODEL#m1"}.items()}
    stack.dynamodb.put_item(TableName="ledger", Item=model)
    path = exported(cli)
    [alike] = {row["alike"] for _, row in read(path)}
    codes = dict(zip(rows["title"].to_pylist(), rows["label"].to_pylist(), strict=True))
    first, second, *others = alike.split(" | ")
    assert first.startswith(f"{codes[TITLE]}: {TITLE} (0.")
    assert second.startswith(f"{codes['Kühlschrank weiß']}: Kühlschrank weiß (0.")
    assert len(others) == 3


def test_a_spreadsheet_does_not_calculate_with_the_sheet_whose_ids_are_plain(cli):
    text = exported(cli).read_bytes().decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert {"007", "'=1+1", "1e5"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_codes_in_force_are_shown_and_without_out_the_file_is_named_for_group_and_month(cli):
    code, printed = cli("export", GROUP, PERIOD)
    assert code == 0
    assert f"review-{GROUP}-{PERIOD}.csv: 6 items of {RUN}" in printed
    assert "5a  Haushalt" in printed and "Kleingeräte" not in printed


def test_a_sheet_from_when_an_apostrophe_stood_before_more_than_formulas_is_read(cli, stack):
    path = exported(cli)

    def as_it_was(row):
        return {name: f"'{value.lstrip(chr(39))}" for name, value in row.items() if value}

    fill(path, {"007": "2", "=1+1": "1"}, change=as_it_was)
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert [(row["item_id"], row["label"]) for row in stack.decisions()] == [("=1+1", "1"), ("007", "2")]


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


def column(name: str) -> int:
    """Its number in a workbook."""
    return COLUMNS.index(name) + 1


def test_a_workbook_has_a_list_to_pick_from_that_says_what_each_code_means(cli, stack):
    path = exported(cli, ".xlsx")
    book = load_workbook(path)
    sheet = book["review"]
    [pick] = sheet.data_validations.dataValidation
    assert pick.formula1 == "codes!$C$2:$C$9" and str(pick.sqref) == "Q2:Q7"
    choice = [tuple(cell.value for cell in row) for row in book["codes"].iter_rows(min_row=2)]
    assert choice[2] == ("5a", "Haushalt", "5a: Haushalt")
    assert [code for code, *_ in choice] == ["1", "2", "5a", "5b", "6", "NONE", "SKIP", "WITHDRAW"]
    assert sheet.cell(1, column("code")).value == "code (or NONE, SKIP, WITHDRAW)"
    at = {sheet.cell(number, 2).value: number for number in range(2, 8)}
    picked = {
        "007": "5a: Haushalt",
        "grave": "NONE: none of the codes fits",
        "=1+1": 1,
        "1e5": "2",
        "twin-1": "2",
    }
    for item, cell in picked.items():
        sheet.cell(at[item], column("code")).value = cell
    book.save(path)
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert {row["item_id"]: row["label"] for row in stack.decisions()} == {
        **{"007": "5a", "grave": None, "=1+1": "1", "1e5": "2", "twin-1": "2"}
    }


def test_in_a_workbook_numbers_are_numbers_and_ids_and_codes_are_texts(cli):
    sheet = load_workbook(exported(cli, ".xlsx"))["review"]
    numbers = {column(name) for name in ("confidence", "same_text", "stands_for")}
    for row in sheet.iter_rows(min_row=2):
        filled = {cell.column: cell.data_type for cell in row if cell.value is not None}
        assert {number for number, kind in filled.items() if kind == "n"} == numbers
        assert set(filled.values()) == {"n", "s"}
    assert sheet.auto_filter.ref == "A1:S7" and sheet.freeze_panes == "A2"
    to_fill_in = [sheet.cell(2, column(name)) for name in ("code", "none", "why")]
    assert {cell.number_format for cell in to_fill_in} == {"@"}


@pytest.mark.parametrize("mark", ["x", "1", "yes", True])
def test_a_mark_in_none_says_that_no_code_fits_in_a_workbook(cli, stack, mark):
    path = exported(cli, ".xlsx")
    book = load_workbook(path)
    for number in range(2, 8):
        book["review"].cell(number, column("none")).value = False
    book["review"].cell(2, column("none")).value = mark
    book.save(path)
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0 and "1 decision by A. Muster, 5 left open" in printed
    assert [(row["item_id"], row["answer"], row["label"]) for row in stack.decisions()] == [
        ("grave", "none", None)
    ]


def test_a_mark_in_none_beside_a_code_is_refused_and_beside_the_word_says_the_same(cli, stack):
    path = exported(cli)
    fill(path, {"007": "2", "grave": "none"}, change=lambda row: row | {TITLES["none"]: "x"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1 and stack.decisions() == []
    assert printed.strip() == (
        "sheet.csv, row 7: it has a code and a mark in `none` as well. Fix: clear one of the two"
    )
    fill(
        path,
        {"grave": "none"},
        change=lambda row: row | {TITLES["none"]: "x" if row["item_id"] == "1e5" else ""},
    )
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert {row["answer"] for row in stack.decisions()} == {"none"}


@pytest.mark.parametrize("word", ["FALSCH", "no", "-", "0"])
def test_a_word_in_none_that_may_mean_the_opposite_is_refused(cli, stack, word):
    path = exported(cli)
    fill(path, {}, change=lambda row: row | {TITLES["none"]: word if row["item_id"] == "grave" else ""})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1 and stack.decisions() == []
    assert f"sheet.csv, row 2: `none` says {word!r}, which is no mark. Fix: write x" in printed


def test_a_sheet_of_before_there_was_a_column_for_none_is_read(cli, stack):
    header = 'run,item_id,confidence,same_text,reason,"code (or NONE, SKIP, WITHDRAW)",why (may stay empty)'
    rows = [f"{RUN},'007,'0.95,'1,,2,heavy", f"{RUN},grave,'0.97,'1,,NONE,", f"{RUN},'1e5,'0.99,'1,,,"]
    Path("old.csv").write_text("\n".join([header, *rows]))
    code, printed = cli("import", "old.csv", "--by", "A. Muster")
    assert code == 0 and "2 decisions by A. Muster, 1 left open" in printed
    said = {row["item_id"]: (row["label"], row["why"]) for row in stack.decisions()}
    assert said == {"007": ("2", "heavy"), "grave": (None, None)}


@pytest.mark.parametrize(
    ("codes", "change", "fault"),
    [
        (
            {"007": "9"},
            None,
            ", row 7: '9' is not a code in force. Fix: use one of 1, 2, 5a, 5b, 6, NONE, SKIP",
        ),
        ({"007": "5"}, None, ", row 7: '5' is not a code in force"),
        ({"grave": "1"}, {"item_id": "x"}, ", row 2: the item 'x' is not in the labels"),
        ({"grave": "1"}, {"item_id": "rejected"}, ", row 2: the item 'rejected' is not in the labels"),
        ({"grave": "skip"}, {"item_id": "sure"}, ", row 2: the item 'sure' does not wait for review"),
        ({"grave": "WITHDRAW"}, None, ", row 2: nobody has decided on the item 'grave'"),
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


def test_three_bad_rows_are_named_by_three_lines_and_no_more(cli):
    path = exported(cli)
    fill(path, {"007": "9", "grave": "x", "1e5": "y", "twin-1": "2"})
    printed = cli("import", str(path), "--by", "A. Muster")[1]
    lines = printed.strip().splitlines()
    assert [line.partition(": '")[0] for line in lines] == [f"sheet.csv, row {row}" for row in (2, 3, 7)]


def test_of_many_bad_rows_the_first_twenty_are_named_and_the_others_counted(cli, tmp_path):
    lines = "".join(f"{RUN},x{number},1\n" for number in range(23))
    (tmp_path / "x.csv").write_text("run,item_id,code\n" + lines)
    printed = cli("import", "x.csv", "--by", "A. Muster")[1].strip().splitlines()
    assert len(printed) == 21 and printed[-1] == "... and 3 more"


# --- what a row can say


def test_none_and_skip_are_answers_in_any_case_of_letters_and_why_is_kept(cli, stack):
    path = exported(cli)
    fill(path, {"007": "NONE", "grave": "skip"}, why={"007": "a  toy"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    found = {row["item_id"]: row for row in stack.decisions()}
    said = {item: (row["answer"], row["label"], row["why"]) for item, row in found.items()}
    assert said == {"007": ("none", None, "a toy"), "grave": ("skip", None, None)}
    assert found["007"]["text_key"] == "a" * 16


def test_the_csv_itself_says_what_can_be_written_into_it(cli):
    header = exported(cli).read_bytes().decode("utf-8-sig").splitlines()[0]
    assert header.endswith(
        '"code (or NONE, SKIP, WITHDRAW)",none (x: no code fits),"why (a comment, may stay empty)"'
    )
    printed = cli("export", GROUP, PERIOD)[1]
    assert all(f"  {word}  " in printed for word in WORDS)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".html"])
def test_a_sheet_that_is_there_is_not_written_over(cli, suffix):
    path = exported(cli, suffix)
    path.write_bytes(b"filled in")
    code, printed = cli("export", GROUP, PERIOD, "--out", str(path))
    assert code == 1 and f"{path} is there already, and somebody may have filled it in. Fix:" in printed
    assert path.read_bytes() == b"filled in"


@pytest.mark.parametrize("why", ["x" * 301, "a\x07b"])
def test_a_reason_must_be_short_and_printable(cli, stack, why):
    path = exported(cli)
    fill(path, {"007": "2"}, why={"007": why})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 1 and "row 7: its `why` is unprintable, or longer than 300 letters" in printed
    assert stack.decisions() == []


def test_the_words_are_no_codes_of_a_codebook(tmp_path):
    codes = [code | {"code": word} for code, word in zip(BOOK["codes"], WORDS, strict=False)]
    found = problems(BOOK | {"codes": codes, "successions": []}, "book.json")
    assert [problem.place for problem in found] == [
        f'codes, entry {number} ("{word}"), code' for number, word in enumerate(WORDS, start=1)
    ]


# --- items that do not wait


def test_any_item_can_be_put_on_a_sheet_and_its_label_corrected(cli, stack, tmp_path):
    (tmp_path / "ids.txt").write_text("sure\n=1+1\n")
    assert cli("export", GROUP, PERIOD, "--items", "ids.txt", "--out", "sheet.csv")[0] == 0
    path = Path("sheet.csv")
    assert {row["item_id"]: row["suggested_code"] for _, row in read(path)} == {"sure": "1", "=1+1": "2"}
    fill(path, {"sure": "2"})
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    [row] = stack.decisions()
    assert (row["item_id"], row["label"], row["suggested"]) == ("sure", "2", "1")


def test_a_decision_can_be_withdrawn_or_corrected(cli, stack, tmp_path):
    stack.publish(SECOND, amended=[RUN], labels=[DECIDED, *LABELS[1:]])
    (tmp_path / "ids.txt").write_text("007\n")
    for number, (said, answer) in enumerate({"WITHDRAW": ("withdrawn", None), "1": ("code", "1")}.items()):
        cli("export", GROUP, PERIOD, "--items", "ids.txt", "--out", "sheet.csv")
        fill(Path("sheet.csv"), {"007": said})
        code, printed = cli("import", "sheet.csv", "--by", "A. Muster")
        assert code == 0, printed
        assert len(stack.decisions()) == number + 1
        assert answer in [(row["answer"], row["label"]) for row in stack.decisions()]
        assert {row["suggested"] for row in stack.decisions()} == {"1"}


def test_what_was_decided_for_the_same_text_is_suggested_and_can_be_decided_anew(cli, stack, tmp_path):
    labels = [DECIDED, ("sure", "2", None, "1", "review", "a" * 16)]
    stack.publish(SECOND, amended=[RUN], labels=labels, same_text=("007", "sure"))
    (tmp_path / "ids.txt").write_text("007\nsure\n")
    cli("export", GROUP, PERIOD, "--items", "ids.txt", "--out", "sheet.csv")
    path = Path("sheet.csv")
    shown = {row["item_id"]: (row["suggested_code"], row["reason"]) for _, row in read(path)}
    assert shown["sure"] == ("2", "decided for the same text by B. Muster")
    fill(path, {"007": "WITHDRAW", "sure": "2"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    said = {row["item_id"]: (row["answer"], row["label"], row["suggested"]) for row in stack.decisions()}
    assert said == {"007": ("withdrawn", None, "1"), "sure": ("code", "2", "1")}


def test_ids_that_are_not_in_the_labels_are_named(cli, tmp_path):
    (tmp_path / "ids.txt").write_text("sure\n" + "".join(f"x{number}\n" for number in range(7)))
    code, printed = cli("export", GROUP, PERIOD, "--items", "ids.txt")
    assert code == 1
    assert (
        f"not in the labels of {RUN}, or rejected there: 'x0', 'x1', 'x2', 'x3', 'x4' and 2 more" in printed
    )
    code, printed = cli("export", GROUP, PERIOD, "--items", "nowhere.txt")
    assert code == 1 and "nowhere.txt" in printed and "Fix: " in printed


def test_skipped_items_come_last_and_withdrawn_ones_are_taken_for_wrong(cli, stack):
    labels = {row[0]: row for row in LABELS}
    withdrawn = ("007", "1", None, "2", "review", "a" * 16)
    stack.publish(SECOND, amended=[RUN], labels=[*(labels | {"007": withdrawn}).values()])
    path = exported(cli)
    assert [row["item_id"] for _, row in read(path)][:2] == ["grave", "007"]
    path.unlink()
    stack.publish(THIRD, amended=[RUN, SECOND], skipped=["grave", "1e5"])
    assert [row["item_id"] for _, row in read(exported(cli))][-2:] == ["grave", "1e5"]


# --- the labels are newer than the sheet


def test_an_item_that_somebody_has_decided_since_is_told_and_the_rest_is_taken(cli, stack):
    path = exported(cli)
    stack.publish(SECOND, amended=[RUN], labels=[DECIDED, *LABELS[1:]])
    fill(path, {"007": "1", "grave": "6"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert "1 decision by A. Muster" in printed
    assert "row 7: the item '007' has got the answer 2 by B. Muster since" in printed
    assert [row["item_id"] for row in stack.decisions()] == ["grave"]


def test_a_sheet_that_is_imported_again_with_more_rows_sends_only_those(cli, stack):
    path = exported(cli)
    stack.publish(SECOND, amended=[RUN], labels=[DECIDED, *LABELS[1:]])
    fill(path, {"007": "2", "grave": "6"})
    printed = cli("import", str(path), "--by", "B. Muster")[1]
    assert f"1 decision by B. Muster, 4 left open\n1 more in the labels of {SECOND} already" in printed
    assert [row["item_id"] for row in stack.decisions()] == ["grave"]


def test_a_sheet_with_nothing_new_starts_nothing(cli, stack):
    path = exported(cli)
    stack.publish(SECOND, amended=[RUN], labels=[DECIDED, *LABELS[1:]])
    fill(path, {"007": "2"})
    code, printed = cli("import", str(path), "--by", "B. Muster")
    assert code == 0 and printed.startswith("0 decisions by B. Muster, 5 left open\n1 more in the labels")
    assert stack.started() == []


def test_an_item_that_somebody_else_skipped_since_is_decided_all_the_same(cli, stack):
    path = exported(cli)
    stack.publish(SECOND, amended=[RUN], skipped=["007"])
    fill(path, {"007": "2"})
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    assert [row["label"] for row in stack.decisions()] == ["2"]


def test_a_sheet_of_labels_that_were_made_anew_is_taken_where_the_texts_are_the_same(cli, stack):
    path = exported(cli)
    again = RUN.replace("0f3a9c21d4e5", "ffffffffffff")
    labels = {row[0]: row for row in LABELS if row[0] != "twin-1"}
    labels["007"] = (*labels["007"][:5], "9" * 16)
    stack.publish(again, labels=[*labels.values()], items=True)
    fill(path, {"007": "1", "grave": "6", "twin-1": "1", "1e5": "5a"})
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert "2 decisions by A. Muster, 2 left open\n2 not taken:\n" in printed
    assert "sheet.csv, row 5: the item 'twin-1' is not in the newest labels" in printed
    assert "sheet.csv, row 7: the item '007' has another text now" in printed
    assert sorted(row["item_id"] for row in stack.decisions()) == ["1e5", "grave"]


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
        (b"run,item_id,code,code\nr,1,1,2\n", "the first row has code twice"),
        (b'run,item_id,code\nr,1,"1\n' + b"x" * 140_000, "x.csv, line 3: "),
        (b'run,item_id,code\nr,1,"1\nr,2,1\n', "line 3: unexpected end of data. Fix: close"),
        (b"PK\x03\x04 an .ods", "this is not a workbook with the tab 'review'"),
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


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_refused(cli, part):
    path = exported(cli, ".xlsx")
    with ZipFile(path) as whole, ZipFile("damaged.xlsx", "w") as damaged:
        for name in whole.namelist():
            content = whole.read(name)
            damaged.writestr(name, content[: len(content) // 2] if name == part else content)
    code, printed = cli("import", "damaged.xlsx", "--by", "A. Muster")
    assert code == 1 and "damaged.xlsx: this is not a workbook with the tab 'review'" in printed


def test_a_workbook_is_known_by_what_it_holds_whatever_its_name(cli):
    renamed = exported(cli, ".xlsx").rename("SHEET.XLSX")
    assert "the column `code` is empty in every row" in cli("import", str(renamed), "--by", "A. Muster")[1]


def test_of_a_sheet_with_semicolons_columns_may_be_deleted(cli, stack):
    Path("few.csv").write_text(f"run;item_id;{TITLES['code']}\n{RUN};grave;2\n")
    assert cli("import", "few.csv", "--by", "A. Muster")[0] == 0
    assert [(row["item_id"], row["label"]) for row in stack.decisions()] == [("grave", "2")]


def test_a_name_must_be_given_and_be_one(cli):
    path = exported(cli)
    assert cli("import", str(path), "--by", "  ")[0] == 1
    with pytest.raises(SystemExit):
        cli("import", str(path))


def test_a_month_without_labels_is_told(cli):
    code, printed = cli("export", GROUP, "2026-08")
    assert code == 1 and f"no labels of {GROUP} 2026-08 are published" in printed


def test_a_sheet_reads_back_what_was_written_whatever_it_holds(tmp_path):
    texts = [
        "=1+1",
        "007",
        "1e5",
        'a"b',
        "a;b",
        "a,b",
        " x ",
        "ß😀",
        "\u202eabc",
        "'x",
        "+1",
        "'-1",
        "'007",
        "TRUE",
        "_x0041_",
    ]
    rows = [dict.fromkeys(COLUMNS) | {"run": RUN, "item_id": text, "title": text} for text in texts]
    for suffix in (".csv", ".xlsx"):
        path = tmp_path / f"sheet{suffix}"
        write(path, rows, {"1": "eins"})
        assert [(row["item_id"], row["title"]) for _, row in read(path)] == [(text, text) for text in texts]
