"""Amend: decisions of people become a new version of the labels, and training rows of the next month."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from processing import amend, publish
from tests.processing.job_folders import CODEBOOK, DATASET, GROUP, PERIOD, JobFailed, as_jsonl, items

AMENDS = "s3://labelled/labels/DE-weee/2026-10/r1/"
WHEN = "2026-11-02T10:00:00+00:00"


def decision(number: int, label: str, suggested: str = "1") -> dict:
    who = {"decided_by": "A. Muster", "decided_at": WHEN, "suggested": suggested}
    return items(number + 1)[number] | {"label": label} | who


def answer(item: dict, number: int) -> dict:
    output = {"code": "1", "confidence": 0.9 - number / 100, "second_code": "2", "second_confidence": 0.05}
    return {"item_id": item["item_id"], "SageMakerOutput": output | {"review": number < 3}}


def month() -> list[dict]:
    """Six items, of which the first three are for review; and a seventh, rejected row."""
    rows = items(7, labelled=False)
    rows[6]["title"] = ""
    return rows


@pytest.fixture
def publish_month(new_job):
    """Label the rows of a month; `replaced` are the month's labels until now."""

    def run(rows, replaced=None, book=CODEBOOK):
        before = new_job()
        before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        before.prepare("inference")
        job = new_job()
        job.codebook(book)
        job.trained()
        for name in ("items", "truth", "rejected"):
            for path in before.output(name).iterdir():
                (job.input(name) / path.name).write_bytes(path.read_bytes())
        answers = [answer(item, number) for number, item in enumerate(before.items())]
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(answers))
        if replaced:
            copy_output(replaced, job.input("replaced"))
        arguments = {"group": GROUP, "period": PERIOD, "purpose": "inference", "run": "r1", "model": "m"}
        job.message = job.run(
            publish.main,
            **arguments,
            dataset_uri=DATASET,
            codebook_version="2026-10",
            destination=AMENDS,
            rows=str(len(rows)),
            policy='{"precision": 0}',
        )
        return job

    return run


def copy_output(job, folder) -> None:
    for path in (*job.output("files").iterdir(), *job.output("manifest").iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())


@pytest.fixture
def labels(publish_month):
    """Labels of `month`."""
    return publish_month(month())


@pytest.fixture
def amended(new_job):
    """Amend the labels of a job by decisions."""

    def run(labels, decisions, name="r2"):
        job = new_job()
        copy_output(labels, job.input("labels"))
        (job.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl(decisions))
        job.message = job.run(
            amend.main, group=GROUP, period=PERIOD, run=name, amends=AMENDS, destination=f"s3://x/{name}/"
        )
        return job

    return run


def read_json(job, folder: str, name: str) -> dict:
    return json.loads((job.output(folder) / name).read_text(encoding="utf-8"))


def test_a_decision_is_in_the_new_version_with_who_decided_and_what_the_model_had_said(labels, amended):
    job = amended(labels, [decision(0, "2")])
    row = job.published()[0]
    assert (row["code"], row["description"], row["status"]) == ("2", "Bildschirme", "labelled")
    assert row["reason"] == "decided by A. Muster; the model predicted 1"
    assert (row["decided_by"], row["confidence"], row["run"]) == ("A. Muster", None, "r2")


def test_every_other_row_is_what_it_was(labels, amended):
    before, after = labels.published(), amended(labels, [decision(0, "2"), decision(2, "1")]).published()
    assert [row["item_id"] for row in after] == [row["item_id"] for row in before]
    assert [n for n, (a, b) in enumerate(zip(after, before, strict=True)) if a != b] == [0, 2]


def test_the_manifest_names_what_it_amends_and_counts_anew(labels, amended):
    job = amended(labels, [decision(0, "2"), decision(1, "1")])
    counts = {"rows": 7, "labelled": 5, "review": 1, "rejected": 1}
    assert job.message == counts | {"alarms": 0, "attention": "1 of 7 rows could not be used."}
    manifest = read_json(job, "manifest", "manifest.json")
    assert {name: manifest[name] for name in counts} == counts
    assert (manifest["run"], manifest["amends"], manifest["amended_runs"]) == ("r2", AMENDS, ["r1"])
    assert (manifest["decided"], manifest["decided_by"]) == (2, ["A. Muster"])
    assert manifest["reasons"] == {"The model is not sure enough.": 1, "empty_title": 1}
    rows_of = {file["name"]: file.get("rows") for file in manifest["files"]}
    assert rows_of == {"decisions.csv": 2, "labels.csv": 7, "labels.parquet": 7, "summary.json": None}


def test_labels_can_be_amended_again_and_remember_every_version(labels, amended):
    second = amended(amended(labels, [decision(0, "2")]), [decision(1, "3a")], name="r3")
    assert read_json(second, "manifest", "manifest.json")["amended_runs"] == ["r1", "r2"]
    assert [row["run"] for row in second.published()][:3] == ["r2", "r3", "r1"]


def test_the_summary_counts_the_decided_codes(labels, amended):
    summary = read_json(amended(labels, [decision(0, "2"), decision(1, "2")]), "files", "summary.json")
    assert [(row["code"], row["items"]) for row in summary["codes"]] == [("1", 4), ("2", 2)]
    assert (summary["run"], summary["amends"], summary["review"]["items"]) == ("r2", AMENDS, 1)


def test_the_decisions_stand_next_to_the_labels(labels, amended):
    job = amended(labels, [decision(0, "2")])
    text = (job.output("files") / "decisions.csv").read_bytes().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["item_id"], row["label"], row["suggested"]) == ("'000000", "'2", "'1")
    assert (row["decided_by"], row["decided_at"]) == ("A. Muster", "'" + WHEN)


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        ([decision(4, "2")], "Item '000004' is not waiting for review"),
        ([decision(0, "9")], "Item '000000' was given a code not in force in 2026-10"),
        ([decision(0, "2"), decision(0, "1")], "An item has two decisions"),
    ],
)
def test_decisions_that_do_not_fit_the_labels_publish_nothing(labels, amended, new_job, decisions, sentence):
    with pytest.raises(JobFailed, match=sentence):
        amended(labels, decisions)


# --- the month is delivered again


def test_a_month_that_is_labelled_again_keeps_what_people_decided(labels, amended, publish_month):
    again = publish_month(month(), replaced=amended(labels, [decision(0, "2"), decision(1, "3a")]))
    row = again.published()[0]
    assert (row["code"], row["description"], row["status"]) == ("2", "Bildschirme", "labelled")
    assert row["reason"] == "decided by A. Muster; the model predicted 1"
    assert (row["decided_by"], row["confidence"], row["run"]) == ("A. Muster", None, "r1")
    assert [row["status"] for row in again.published()] == [
        *["labelled"] * 2,
        "review",
        *["labelled"] * 3,
        "rejected",
    ]
    untouched = zip(again.published()[2:], labels.published()[2:], strict=True)
    assert all(new == old | {"labelled_at": new["labelled_at"]} for new, old in untouched)
    assert again.message["review"] == 1
    summary = read_json(again, "files", "summary.json")
    assert (summary["decisions"], summary["review"]["items"]) == ({"kept": 2, "not_kept": 0}, 1)


def test_a_month_that_comes_again_before_anybody_decided_is_published_as_before(labels, publish_month):
    again = publish_month(month(), replaced=labels)
    assert [row["code"] for row in again.published()] == [row["code"] for row in labels.published()]
    assert read_json(again, "files", "summary.json")["decisions"] == {"kept": 0, "not_kept": 0}


def test_decisions_are_kept_however_often_the_month_comes(labels, amended, publish_month):
    once = publish_month(month(), replaced=amended(labels, [decision(0, "2")]))
    assert publish_month(month(), replaced=once).published()[0]["decided_by"] == "A. Muster"


def test_a_decision_on_another_text_is_not_kept_and_people_are_told(labels, amended, publish_month):
    corrected = month()
    corrected[0]["title"] = "Kühlschrank, korrigiert"
    del corrected[2]  # whoever decided on it is not missed
    decided = amended(labels, [decision(number, "2") for number in range(3)])
    again = publish_month(corrected, replaced=decided)
    assert [(row["status"], row["decided_by"]) for row in again.published()[:2]] == [
        ("review", None),
        ("labelled", "A. Muster"),
    ]
    assert read_json(again, "files", "summary.json")["decisions"] == {"kept": 1, "not_kept": 1}
    assert "1 decision on an earlier version of this month could not be kept" in again.message["attention"]


def test_a_decision_on_a_code_that_is_no_more_in_force_is_not_kept(labels, amended, publish_month):
    codes = [code | {"valid_to": "2026-09-30"} if code["code"] == "2" else code for code in CODEBOOK["codes"]]
    decided = amended(labels, [decision(0, "2")])
    again = publish_month(month(), replaced=decided, book=CODEBOOK | {"codes": codes})
    assert again.published()[0]["status"] == "review"
    assert read_json(again, "files", "summary.json")["decisions"] == {"kept": 0, "not_kept": 1}


# --- training rows of the next month


def train_on(job, rows, decisions, codebook=CODEBOOK):
    job.codebook(codebook)
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    for number, some in enumerate(decisions):
        folder = job.input("reviewed") / f"run-{number}"
        folder.mkdir()
        (folder / "decisions.jsonl").write_bytes(as_jsonl(some))
    (job.input("reviewed") / "about.txt").write_text("a note")
    job.prepare()
    parts = [
        *(job.output(name) / f"{name}.parquet" for name in ("train", "validation")),
        job.output("test") / "part-00000.parquet",
    ]
    return {row["item_id"]: row for path in parts for row in pq.read_table(path).to_pylist()}


def test_decisions_are_training_rows_with_all_their_fields(job):
    found = train_on(job, items(400), [[decision(500, "2")], [decision(501, "1")]])
    assert len(found) == 402 and job.report()["reviewed"] == 2
    row = found["000500"]
    assert (row["label"], row["title"], row["weight_kg"]) == ("2", "LED-Lampe Modell 500", None)


def test_a_person_is_believed_more_than_the_dataset_and_the_latest_decision_more_than_earlier_ones(job):
    first = decision(0, "2")
    second = decision(0, "3a") | {"decided_at": "2026-12-01T00:00:00+00:00"}
    found = train_on(job, items(400), [[second], [first]])
    assert len(found) == 400
    assert found["000000"]["label"] == "3a"


def test_decisions_of_before_an_attribute_was_declared_or_a_code_renamed_still_count(job):
    newer = {"name": "size", "type": "category"}
    book = CODEBOOK | {"attributes": [*CODEBOOK["attributes"], newer]}
    rows = [row | {"size": "L"} for row in items(400)]
    found = train_on(job, rows, [[decision(500, "3")]], book)
    assert (found["000500"]["size"], found["000500"]["label"]) == (None, "3a")


def test_what_a_model_is_made_of_includes_the_decisions(new_job):
    digests = set()
    for decisions in ([], [[decision(500, "2")]], [[decision(500, "1")]]):
        job = new_job()
        train_on(job, items(400), decisions)
        digests.add(job.report()["data_digest"])
    assert len(digests) == 3
