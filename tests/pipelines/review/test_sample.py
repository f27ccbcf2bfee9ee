"""`labelmill review sample`: a blind sample goes out once, its answers correct labels and are counted."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.review.sheet import TITLES, read
from processing.labels import agreement, audit
from tests.pipelines.review.published_month import GROUP, LABELS, PERIOD, RUN, TITLE

#: Sixty labels without a person beside those that wait: of code 1, and three of code 5a.
AUTOMATIC = [
    (f"auto-{number}", "5a" if number < 3 else "1", 0.99, "2", "labelled", f"{number:016x}")
    for number in range(60)
]
SECOND = f"{GROUP}-review-{PERIOD}-{'a' * 12}"
ANEW = f"{GROUP}-inference-{PERIOD}-{'b' * 12}"
CODE = TITLES["code"]


@pytest.fixture
def stack(stack):
    stack.publish(RUN, labels=[*LABELS, *AUTOMATIC], items=True)
    return stack


def drawn(cli, *more: str, file="sample.csv") -> Path:
    code, printed = cli("sample", GROUP, PERIOD, "--out", file, *more)
    assert code == 0, printed
    return Path(file)


def items(path: Path) -> list[str]:
    return [row["item_id"] for _, row in read(path)]


def fill(path: Path, codes: dict[str, str], others: str = "") -> None:
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    for row in rows:
        row[CODE] = codes.get(row["item_id"].removeprefix("'"), others)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)


def handed_over(stack) -> list[dict]:
    """What the sheets of samples said."""
    listed = stack.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"sheets/{GROUP}/")["Contents"]
    keys = [entry["Key"] for entry in listed if entry["Key"].endswith("sample.json")]
    return [json.loads(stack.s3.get_object(Bucket="work-bucket", Key=key)["Body"].read()) for key in keys]


def records(stack) -> list[dict]:
    found = stack.dynamodb.scan(TableName="ledger")["Items"]
    return [item for item in found if item["entry"]["S"].startswith("SAMPLE#")]


def test_the_sheet_shows_texts_and_nothing_of_the_label(cli):
    rows = [row for _, row in read(drawn(cli))]
    assert len(rows) == 50
    for row in rows:
        assert set(row) == {"run", "item_id", "title", "brand", "product_type", "code", "none", "why"}
        assert {row["title"], row["product_type"], row["code"]} == {TITLE, "Gerät", ""}
    assert {row["item_id"] for row in rows} <= {item for item, *_ in AUTOMATIC} | {"sure"}
    rare = [place for place, row in enumerate(rows) if row["item_id"] in ("auto-0", "auto-1", "auto-2")]
    assert len(rare) == 3 and rare != list(range(rare[0], rare[0] + 3))


def test_a_workbook_of_a_sample_is_as_blind_and_has_the_list_of_codes(cli):
    book = load_workbook(drawn(cli, file="sample.xlsx"))
    header = [cell.value for cell in book["review"][1]]
    assert header == ["run", "item_id", "title", "brand", "product_type", CODE, TITLES["none"], TITLES["why"]]
    assert {row[0].value for row in book["codes"].iter_rows(min_row=2)} >= {"1", "5a", "NONE", "SKIP"}
    assert {cell.value for row in book["review"].iter_rows(min_row=2, min_col=6) for cell in row} == {None}


def test_a_page_to_label_on_offers_the_same_codes_for_each_item_of_a_sample(cli, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "pipelines.commands.review_out.review_page", lambda contents: shown.append(contents) or ""
    )
    drawn(cli, file="sample.html")
    [contents] = shown
    assert len(contents["items"]) == 50
    first, *others = (item["offered"] for item in contents["items"])
    assert {why for _, why in first} == {"frequent"} and others == [first] * 49


def test_the_sample_is_drawn_once_and_its_seed_recorded(cli, stack):
    first, again = items(drawn(cli)), items(drawn(cli, file="again.csv"))
    assert first == again
    [record] = records(stack)
    assert (record["run"]["S"], record["of"]["S"], record["width"]["S"]) == (RUN, RUN, "0.02")
    assert len(record["seed"]["S"]) == 32
    code, said = cli("sample", GROUP, PERIOD, "--width", "5")
    assert code == 1
    assert "for an interval of 2 points to either side, and labels are sampled once. Fix: leave --w" in said


def test_labels_that_were_amended_since_have_the_sample_that_was_drawn(cli, stack):
    first = items(drawn(cli))
    amended = [(*row[:2], None, *row[3:]) if row[0] == first[0] else row for row in (*LABELS, *AUTOMATIC)]
    stack.publish(SECOND, amended=[RUN], labels=amended)
    assert items(drawn(cli, file="again.csv")) == first


def test_a_budget_is_kept_and_one_that_cannot_see_every_code_is_refused(cli, stack):
    code, said = cli("sample", GROUP, PERIOD, "--most", "7")
    assert code == 1
    assert "with 7 rows not every code can be seen. Fix: give --most 8 or more" in said
    assert not records(stack)
    assert len(items(drawn(cli, "--most", "20"))) == 20
    code, said = cli("sample", GROUP, PERIOD, "--most", "10", "--out", "smaller.csv")
    assert code == 1 and "with 20 rows, and labels are sampled once. Fix: leave --most out" in said


def test_a_month_in_which_a_person_has_seen_everything_has_no_sample(cli, stack):
    stack.publish(RUN, labels=[row for row in LABELS if row[4] != "labelled"])
    code, said = cli("sample", GROUP, PERIOD)
    assert (code, "has no label without a person" in said) == (1, True)


def test_answers_are_decisions_and_are_handed_over_with_what_the_sample_was(cli, stack):
    path = drawn(cli)
    wrong, none, skipped, *others = (
        item for item in items(path) if item not in ("auto-0", "auto-1", "auto-2")
    )
    codes = dict.fromkeys(("auto-0", "auto-1", "auto-2"), "5a")
    fill(path, codes | {wrong: "2", none: "NONE", skipped: "SKIP", others[-1]: ""}, others="1")
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert "48 decisions by A. Muster, 1 left open" in printed
    assert "49 answers on a sample of 50" in printed
    decisions = {row["item_id"]: row for row in stack.decisions() if "title" in row}
    assert (decisions[wrong]["label"], decisions[wrong]["suggested"]) == ("2", "1")
    assert skipped not in decisions and others[-1] not in decisions
    [said] = handed_over(stack)
    [record] = records(stack)
    assert (said["of"], said["run"], said["seed"]) == (RUN, RUN, record["seed"]["S"])
    assert said["sizes"] == {"1": 58, "5a": 3}
    assert [row["item_id"] for row in said["rows"]] == items(path)
    answers = {row["item_id"]: (row["answer"], row["label"]) for row in said["answers"]}
    assert [answers[item] for item in (wrong, none, skipped)] == [
        ("code", "2"),
        ("none", None),
        ("skip", None),
    ]
    assert len(answers) == 49
    found = audit.evaluate(said, audit.answered(said, None), 0.98)
    assert (found["items"], found["drawn"], found["answered"], found["wrong"]) == (61, 50, 48, 2)
    [run] = stack.started()
    assert run["purpose"] == "review"


def test_the_audits_of_months_before_go_along_the_latest_first(cli, stack):
    counts = {"whole": {}, "random": {}}
    for period, found in (("2026-07", counts), ("2026-08", None), ("2026-09", counts)):
        publish_summary(stack, period, {"period": period, "audit": found and {"counts": found}})
    path = drawn(cli)
    fill(path, {}, others="1")
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    [said] = handed_over(stack)
    assert said["earlier"] == [{"period": period, "counts": counts} for period in ("2026-09", "2026-07")]


def publish_summary(stack, period: str, summary: dict) -> None:
    """A month of which only the summary is of interest."""
    address = f"s3://labelled/labels/{GROUP}/{period}/r/"
    body = json.dumps(summary).encode()
    files = [{"name": "summary.json", "sha256": hashlib.sha256(body).hexdigest()}]
    manifest = json.dumps({"files": files}).encode()
    for name, content in (("summary.json", body), ("manifest.json", manifest)):
        stack.s3.put_object(Bucket="labelled", Key=f"labels/{GROUP}/{period}/r/{name}", Body=content)
    item = {"group": GROUP, "entry": f"MONTH#{period}", "labels": address, "run": "r"}
    item["digest"] = hashlib.sha256(manifest).hexdigest()
    typed = {name: {"S": value} for name, value in item.items()}
    stack.dynamodb.put_item(TableName="ledger", Item=typed)


def test_the_same_sheet_twice_is_one_amendment(cli, stack):
    path = drawn(cli)
    fill(path, {}, others="1")
    assert cli("import", str(path), "--by", "A. Muster")[0] == 0
    stack.end_executions()
    assert "They were imported before: see run" in cli("import", str(path), "--by", "A. Muster")[1]
    assert len(stack.started()) == len(handed_over(stack)) == 1


def test_a_row_that_was_not_drawn_is_refused(cli):
    path = drawn(cli)
    left = next(item for item, *_ in AUTOMATIC if item not in items(path))
    text = path.read_text(encoding="utf-8-sig").replace(items(path)[0], left)
    path.write_text(text, encoding="utf-8")
    fill(path, {left: "1"})
    code, said = cli("import", str(path), "--by", "A. Muster")
    assert code == 1
    assert f"the item '{left}' is not in the sample. Fix: keep the rows that were exported" in said


def test_a_sample_of_labels_that_were_made_anew_is_taken_as_decisions_alone(cli, stack):
    path = drawn(cli)
    stack.publish(ANEW, labels=[*LABELS, *AUTOMATIC], items=True)
    fill(path, {}, others="1")
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert (
        "the month was labelled anew since this was drawn: of these labels the sample measures nothing"
        in printed
    )
    assert len(stack.started()) == 1
    assert stack.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"sheets/{GROUP}/")["KeyCount"] == 1


def test_two_hundredths_of_a_point_are_no_width(cli):
    with pytest.raises(SystemExit):
        cli("sample", GROUP, PERIOD, "--width", "0.02")


# --- coding twice


def exported_twice(cli) -> tuple[Path, Path]:
    code, printed = cli("export", GROUP, PERIOD, "--out", "first.csv", "--second", "second.csv")
    assert code == 0, printed
    assert "second.csv: 6 of them, for a second person to code" in printed
    return Path("first.csv"), Path("second.csv")


def seconds(stack) -> list[dict]:
    listed = stack.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"sheets/{GROUP}/")["Contents"]
    keys = [entry["Key"] for entry in listed if entry["Key"].endswith("second.json")]
    return [json.loads(stack.s3.get_object(Bucket="work-bucket", Key=key)["Body"].read()) for key in keys]


def test_what_a_second_person_says_decides_nothing_and_is_handed_over_to_be_compared(cli, stack):
    first, second = exported_twice(cli)
    assert set(items(second)) <= set(items(first))
    fill(second, {"007": "2", "grave": "SKIP"})
    code, printed = cli("import", str(second), "--by", "B. Muster")
    assert code == 0, printed
    assert "2 answers by B. Muster, to compare with what others decided" in printed
    assert [row for row in stack.decisions() if "title" in row] == []
    [said] = seconds(stack)
    assert (said["of"], said["waiting"], len(said["rows"])) == (RUN, 6, 6)
    answers = {row["item_id"]: (row["answer"], row["label"], row["decided_by"]) for row in said["answers"]}
    assert answers == {"007": ("code", "2", "B. Muster"), "grave": ("skip", None, "B. Muster")}
    assert agreement.answered(said, None).num_rows == 6


def test_a_second_sheet_is_drawn_once(cli, stack):
    first, second = exported_twice(cli)
    before = items(second)
    for path in (first, second):
        path.unlink()
    assert items(exported_twice(cli)[1]) == before
    assert len(records(stack)) == 1


def test_of_many_rows_one_in_twenty_is_coded_twice_and_at_least_twenty(cli, stack):
    many = [(f"open-{n}", "1", 0.5, "2", "review", f"{n:016x}") for n in range(500)]
    stack.publish(RUN, labels=many, items=True)
    assert "second.csv: 25 of them" in cli("export", GROUP, PERIOD, "--second", "second.csv")[1]


def test_a_second_sheet_of_labels_that_were_made_anew_is_refused(cli, stack):
    _, second = exported_twice(cli)
    stack.publish(ANEW, labels=[*LABELS, *AUTOMATIC], items=True)
    fill(second, {"007": "2"})
    code, said = cli("import", str(second), "--by", "B. Muster")
    assert code == 1
    assert "the month was labelled anew since this was drawn. Fix: export sheets of the new labels" in said
