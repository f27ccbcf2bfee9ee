"""`labelmill review labels`: likely wrong training labels go out; what people say, later trainings learn."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.review.sheet import TITLES, read
from processing.codes.codebook import parse
from processing.dataset import decisions, doubtful_rows
from tests.pipelines.evidence.kept_rows import FOLDER, ITEM, RUN, keep
from tests.pipelines.review.published_month import BOOK, GROUP
from tests.training.synthetic_group import items

MODEL = f"{GROUP}-2026-10-1a2b3c4d"
CODES = {"1": "1", "2": "2", "3": "6"}  # of the synthetic rows, in this codebook


@pytest.fixture
def learned(stack):
    """The rows that the group's newest model learned from; the first two are doubtful."""
    rows = items(120, seed=3)
    labels = pa.array([CODES[label] for label in rows["label"].to_pylist()])
    rows = rows.set_column(rows.column_names.index("label"), "label", labels)
    learned = keep(stack.s3, "work-bucket", rows).learned
    doubtful = learned.slice(0, 2).select(["item_id", "text_key", "label"])
    codes = ["2" if label == "1" else "1" for label in doubtful["label"].to_pylist()]
    for name, values in (("code", codes), ("confidence", [0.98, 0.9]), ("left_out", [True, False])):
        doubtful = doubtful.append_column(name, pa.array(values))
    sink = io.BytesIO()
    pq.write_table(doubtful, sink)
    stack.s3.put_object(
        Bucket="work-bucket", Key=f"{FOLDER}report/{doubtful_rows.TABLE}", Body=sink.getvalue()
    )
    add_model(stack, MODEL, "2026-11-02")
    return learned


def add_model(stack, name: str, trained_at: str, **fields: str) -> None:
    item = {**ITEM, "period": "2026-10", "trained_at": trained_at, **fields}
    item |= {"group": GROUP, "entry": f"MODEL#{name}"}
    stack.dynamodb.put_item(TableName="ledger", Item={key: {"S": value} for key, value in item.items()})


def fill(path: Path, codes: list[str]) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row, code in zip(rows, codes, strict=True):
        row[TITLES["code"]] = code
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)


def kept(stack, folder: Path) -> list[Path]:
    """The decisions that trainings read, copied into a folder as a job is given them."""
    listed = stack.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"reviewed/{GROUP}/")["Contents"]
    for entry in (entry for entry in listed if entry["Key"].endswith(".jsonl")):
        path = folder / entry["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stack.s3.get_object(Bucket="work-bucket", Key=entry["Key"])["Body"].read())
    return decisions.files(folder)


def test_the_sheet_has_the_label_what_the_model_says_and_the_rows_most_alike(cli, learned):
    code, said = cli("labels", GROUP)
    assert code == 0
    assert f"labels-{GROUP}.csv: 2 likely wrong labels; {MODEL} learned from {len(learned)} rows" in said
    [first, second] = [row for _, row in read(Path(f"labels-{GROUP}.csv"))]
    item = learned.slice(0, 1).to_pylist()[0]
    assert (first["run"], first["item_id"], first["title"]) == (RUN, item["item_id"], item["title"])
    assert first["label"] == item["label"] != first["suggested_code"]
    assert (
        first["label_description"]
        == {code["code"]: code["description"] for code in BOOK["codes"]}[item["label"]]
    )
    assert (first["confidence"], second["confidence"]) == ("0.98", "0.9")
    assert first["alike"].count(" | ") == 4


def test_a_decision_on_a_training_row_is_its_label_in_the_next_training(cli, learned, stack, tmp_path):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    fill(path, ["6", "NONE"])
    code, said = cli("import", str(path), "--by", "A. Muster")
    assert (code, said) == (
        0,
        f"2 decisions by A. Muster, 0 left open\nThe next training of {GROUP} learns from them\n",
    )
    kept(stack, tmp_path)
    columns = dict.fromkeys(("item_id", "title", "brand", "product_type", "label"), "text")
    decided = decisions.read_rows(tmp_path, columns, GROUP)
    delivered = learned.select(list(columns))
    merged = decisions.merge(
        delivered, decided, GROUP, parse(BOOK).code_map("2026-11"), datetime.now(UTC)
    ).table
    labels = dict(zip(merged["item_id"].to_pylist(), merged["label"].to_pylist(), strict=True))
    first, second = learned["item_id"].to_pylist()[:2]
    assert labels[first] == "6" and second not in labels and len(labels) == len(learned) - 1


def test_that_a_label_is_right_is_a_decision_and_a_row_left_open_is_none(cli, learned, stack, tmp_path):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    fill(path, [learned["label"][0].as_py(), "SKIP"])
    assert "1 decision by A" in cli("import", str(path), "--by", "A")[1]
    assert (
        cli("import", str(path), "--by", "A")[1]
        == "0 decisions by A, 1 left open\n1 more decided so already\n"
    )
    [file] = kept(stack, tmp_path)
    [row] = decisions.read_decisions(file.parent).to_pylist()
    assert (row["item_id"], row["answer"], row["label"]) == (
        learned["item_id"][0].as_py(),
        "code",
        learned["label"][0].as_py(),
    )


def labels_kept(stack, folder: Path) -> list[tuple[str | None, str]]:
    kept(stack, folder)
    columns = dict.fromkeys(("item_id", "title", "brand", "product_type"), "text")
    rows = decisions.read_rows(folder, columns, GROUP).to_pylist()
    return [(row["label"], row["decided_by"]) for row in rows]


def test_who_changes_their_mind_and_back_again_is_taken_at_their_last_word(cli, learned, stack, tmp_path):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    for code in ("6", "2", "6"):
        fill(path, [code, ""])
        assert "1 decision by A, 1 left open" in cli("import", str(path), "--by", "A")[1]
    assert labels_kept(stack, tmp_path) == [("6", "A")]


def test_a_sheet_from_before_another_person_decided_takes_nothing_back(cli, learned, stack, tmp_path):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    fill(path, ["6", ""])
    cli("import", str(path), "--by", "A")
    fill(path, ["2", ""])
    code, said = cli("import", str(path), "--by", "B")
    assert code == 0 and "0 decisions by B" in said
    assert f"{path}, row 2: the item '{learned['item_id'][0]}' has got the answer 6 by A since" in said
    assert labels_kept(stack, tmp_path) == [("6", "A")]


def test_nobody_is_asked_again_unless_the_decision_is_withdrawn(cli, learned):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    fill(path, ["6", ""])
    cli("import", str(path), "--by", "A")
    assert "1 likely wrong label;" in cli("labels", GROUP, "--out", "rest.csv")[1]
    [row] = [row for _, row in read(Path("rest.csv"))]
    assert row["item_id"] == learned["item_id"][1].as_py()
    fill(path, ["6", "NONE"])
    cli("import", str(path), "--by", "A")
    assert "people have decided on all 2 labels" in cli("labels", GROUP, "--out", "no.csv")[1]
    fill(path, ["WITHDRAW", "WITHDRAW"])
    assert "2 decisions by A" in cli("import", str(path), "--by", "A")[1]
    assert "2 likely wrong labels;" in cli("labels", GROUP, "--out", "all.csv")[1]


def test_a_sheet_with_what_is_no_code_is_refused_whole(cli, learned, stack, tmp_path):
    cli("labels", GROUP)
    path = Path(f"labels-{GROUP}.csv")
    fill(path, ["6", "77"])
    code, said = cli("import", str(path), "--by", "A")
    assert code == 1 and f"{path}, row 3: '77' is not a code in force" in said
    assert kept(stack, tmp_path) == []


def test_the_newest_training_counts_unless_a_model_is_named(cli, learned, stack):
    add_model(stack, f"{GROUP}-2026-11-00000000", "2026-12-02", run=f"{GROUP}-training-2026-11-0f3a9c21d4e5")
    code, said = cli("labels", GROUP)
    assert code == 1 and "training-2026-11-0f3a9c21d4e5/train/train.parquet does not exist" in said
    assert cli("labels", GROUP, "--model", MODEL)[0] == 0


def test_a_training_from_before_labels_were_doubted_has_no_sheet(cli, learned, stack):
    stack.s3.delete_object(Bucket="work-bucket", Key=f"{FOLDER}report/{doubtful_rows.TABLE}")
    code, said = cli("labels", GROUP)
    assert code == 1 and f"{MODEL} was trained before labels were doubted" in said


def test_the_page_to_label_on_says_what_the_dataset_says(cli, learned):
    assert cli("labels", GROUP, "--out", "labels.html")[0] == 0
    assert f"the dataset says {learned['label'][0].as_py()}" in Path("labels.html").read_text("utf-8")
